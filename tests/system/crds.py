"""CRDs of others on the cluster under test: those that are there already are left as they are."""

from collections.abc import Sequence

import yaml

from demo.kubectl import JSON, Kubectl
from demo.waiting import eventually
from lab import crds
from lab.layout import this_project


def defined(source: str, *wanted: str) -> None:
    """These CRDs are served, for example "httproutes.gateway.networking.k8s.io" of "gateway-api".

    They stay: an API server that loses a kind disturbs those who look at it. Two tests at once
    may ask for the same ones.
    """
    cluster = Kubectl()
    if missing := [name for name in wanted if cluster.attempt("get", "crd", name).status]:
        # The annotation of a client-side apply would be too long for them.
        cluster.apply(published(source, missing), "--server-side", "--force-conflicts")
    names = [f"crd/{name}" for name in wanted]
    # kubectl takes one whose status is not written at all yet for an error.
    established = ("wait", *names, "--for=condition=Established", "--timeout=5s")
    eventually(f"{wanted} are there", lambda: not cluster.attempt(*established).status)


def published(source: str, wanted: Sequence[str]) -> list[JSON]:
    texts = [path.read_text() for path in crds.files(this_project(), source)]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = [one for text in texts for one in yaml.load_all(text, Loader=loader) if one]
    chosen = [one for one in found if one["metadata"]["name"] in wanted]
    lacking = {*wanted} - {one["metadata"]["name"] for one in chosen}
    assert not lacking, f"{crds.PUBLISHED[source].coordinates} publishes no {sorted(lacking)}"
    return chosen
