"""Golden cases of external routers: a Canary, what is found, and what should be there then."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery import schema
from delivery.canary import Analysis, Canary
from delivery.routers.interface import Found, Object
from tests.documents import document

FOLDER = Path(__file__).parent / "golden"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
JUDGED = {"interval": "1m", "threshold": 5}
Case = Mapping[str, Any]


def names(router: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / router).glob("*.yaml"))


def case(router: str, name: str) -> Case:
    found: Case = document(FOLDER / router / f"{name}.yaml")
    return found


def canary(provider: str, given: Case) -> Canary:
    """The Canary of a case, adopted unless its status says otherwise."""
    spec = {
        "provider": provider,
        "targetRef": TARGET,
        "service": given["service"],
        "analysis": {**JUDGED, **given["analysis"]},
    }
    adopted = {"phase": "Progressing", "apexService": "shop", "observedHash": "v2", "scale": 1}
    status = {**adopted, "promotedHash": "v1", **given["status"]}
    manifest = {"metadata": {"name": "shop", "namespace": "web"}, "spec": spec, "status": status}
    assert schema.unbuilt(manifest) == ()
    return schema.parse(manifest, Analysis())


def known(objects: list[Object]) -> Found:
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def stored(wanted: tuple[Object, ...], before: Found) -> Found:
    """After they were written: what we make gets a version, a user's has its own."""
    made = {
        (one["kind"], one["metadata"]["name"]): {
            **one,
            "metadata": {"resourceVersion": "1", **one["metadata"]},
        }
        for one in wanted
    }
    return {**before, **made}
