"""Whether a Flagger watches a namespace, and how its agents hear of it."""

from typing import Any

import pytest

from delivery import flagger, names
from delivery.optin import namespace_parts
from delivery.programs import Programs
from tests.delivery.reviews import Document


def deployment(image: str = "ghcr.io/fluxcd/flagger:1.44.0", *words: str, **spec: Any) -> Document:
    box = {"image": image, "args": list(words)}
    metadata = {"name": "flagger", "namespace": "flagger-system"}
    return {"metadata": metadata, "spec": {"template": {"spec": {"containers": [box]}}, **spec}}


def labelled(label: str) -> Document:
    found = deployment("mirror/other:1")
    found["metadata"]["labels"] = {label: "flagger"}
    return found


HERE = "flagger-system/flagger"


@pytest.mark.parametrize(
    ("found", "watches"),
    [
        (deployment(), HERE),
        (deployment("registry:5000/flagger@sha256:00"), HERE),
        (deployment("flagger"), HERE),
        (deployment("acme/flagger-shop:1"), ""),
        (labelled("app"), HERE),
        (labelled("app.kubernetes.io/name"), HERE),
        (deployment(replicas=0), ""),
        (deployment("flagger", "-log-level=info", "-namespace=shop"), HERE),
        (deployment("flagger", "--namespace=test"), ""),
        (deployment("flagger", "-namespace", "test"), ""),
        (deployment("flagger", "-namespace", "shop"), HERE),
        (deployment("flagger", "-namespace="), HERE),
    ],
)
def test_a_flagger_watches_all_namespaces_or_the_one_that_it_is_told(
    found: Document, watches: str
) -> None:
    assert flagger.watching([found], "shop") == watches


def test_without_a_flagger_nobody_watches() -> None:
    assert flagger.watching([], "shop") == ""


@pytest.mark.parametrize("found", ["", HERE])
def test_the_agents_hear_of_it_on_their_own_deployment_and_of_its_end(found: str) -> None:
    before = namespace_parts("shop", Programs("a", "b"))
    parts = {
        (one["kind"], one["metadata"]["name"]): one for one in flagger.announced(before, found)
    }
    agents = parts.pop(("Deployment", names.AGENT))
    assert agents["metadata"]["annotations"][names.FLAGGER] == found
    assert flagger.heard(agents) == found
    assert list(parts.values()) == [
        one
        for one in before
        if one["metadata"]["name"] != names.AGENT or one["kind"] != "Deployment"
    ]


def test_who_has_no_agents_yet_has_heard_of_nobody() -> None:
    assert flagger.heard(None) == ""


def test_the_way_out_is_told() -> None:
    assert flagger.obstacle(HERE) == (
        "Flagger (Deployment flagger of namespace flagger-system) watches this namespace:"
        " scale it to 0 first"
    )
