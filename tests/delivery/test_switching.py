"""A provider that is switched in mid-release: it counts when that has ended."""

from typing import Any

import pytest

from delivery import external, schema, switching
from delivery.admission import Request, validated
from delivery.canary import Phase, Status
from tests.delivery.scenes import IDLE, JUDGED, canary, releasing, stepped

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}
ANALYSIS = {"interval": "10s", "threshold": 2, "stepWeight": 10}
GATEWAY = {"port": 80, "gatewayRefs": [{"name": "public"}]}


def written(provider: str | None, begun: str | None, **status: Any) -> dict[str, Any]:
    """As the API server has it: what its user says now, and what the status remembers."""
    known = {"phase": "Progressing", "scale": 2, "provider": begun, **status}
    spec = {"targetRef": TARGET, "analysis": ANALYSIS, "service": {"port": 80}}
    return {
        "kind": "Canary",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec | ({"provider": provider} if provider else {}),
        "status": {key: one for key, one in known.items() if one is not None},
    }


def read(found: dict[str, Any]) -> Any:
    return schema.parse(switching.held(found), schema.DEFAULTS)


@pytest.mark.parametrize(
    ("provider", "begun", "status", "now"),
    [
        ("envoy", "istio", {}, "istio"),
        (None, "istio", {}, "istio"),
        ("istio", "envoy", {}, "envoy"),
        ("linkerd", "envoy", {}, "envoy"),
        ("kubernetes", "istio", {"phase": "Promoting"}, "istio"),
        ("envoy", "istio", {"phase": "Failed"}, "istio"),
        ("envoy", "istio", {"phase": "Failed", "scale": 0}, "envoy"),
        ("envoy", "istio", {"phase": "Succeeded", "scale": None}, "envoy"),
        ("envoy", "istio", {"phase": "Terminating"}, "envoy"),
        ("envoy", None, {}, "envoy"),
        ("envoy", "by hand", {}, "envoy"),
        ("istio", "istio", {}, "istio"),
    ],
)
def test_a_release_ends_on_the_provider_with_which_it_began(
    provider: str | None, begun: str | None, status: dict[str, Any], now: str
) -> None:
    found = written(provider, begun, **status)
    assert read(found).provider == now
    assert bool(switching.caution(found)) is (now != (provider or "envoy"))


@pytest.mark.parametrize("begun", ["gatewayapi:v1", "gatewayapi:v1:grpc"])
@pytest.mark.parametrize("provider", ["gatewayapi:v1", "gatewayapi:v1beta1"])
def test_other_words_for_the_same_provider_are_no_switch(provider: str, begun: str) -> None:
    found = written(provider, begun)
    assert switching.held(found) is found


def test_what_it_reads_and_claims_is_that_providers_too() -> None:
    found = written("envoy", "istio")
    assert read(found).external
    assert read(found).analysis.source is not None
    assert external.providers([found], ()) == {"istio"}
    assert external.claims([], [found]) == {"app": "istio"}
    ended = written("envoy", "istio", phase="Succeeded", scale=0)
    assert external.claims([], [ended]) == {"app": ""} or not external.claims([], [ended])


def test_objects_of_the_next_provider_are_read_already() -> None:
    assert external.providers([written("istio", "envoy")], ()) == {"istio"}


def test_a_release_notes_its_provider_when_it_begins() -> None:
    begun = stepped(IDLE, releasing(), provider="istio").canary.status
    assert (begun.phase, begun.provider) == (Phase.PROGRESSING, "istio")
    body = schema.status_body(begun, {})
    assert body["provider"] == "istio"
    assert schema.status_of(body).provider == "istio"
    assert "provider" not in schema.status_body(Status(), {})
    assert canary(JUDGED).status.provider == ""


def admitted(found: dict[str, Any], before: dict[str, Any]) -> Any:
    request = Request("1", "UPDATE", "Canary", "shop", "web", "jane", found, before)
    warned = {"Canary": switching.cautions}
    return validated(request, {"Canary": switching.problems}, warned)


def test_its_user_is_told_at_admission() -> None:
    (said,) = admitted(written("envoy", "istio"), written("istio", "istio")).warnings
    assert said == (
        'spec.provider: "envoy" counts when the release under way has ended, which goes on with '
        '"istio"; to end it now: kubectl annotate canary/web -n shop outrider.dev/abort=true'
    )
    idle = {"phase": "Succeeded", "scale": 0}
    answer = admitted(written("envoy", "istio", **idle), written("istio", "istio", **idle))
    assert (answer.denial, answer.warnings) == ("", ())


def test_what_its_release_still_needs_cannot_be_taken_away_with_it() -> None:
    before = written("gatewayapi:v1", "gatewayapi:v1")
    before["spec"]["service"] = GATEWAY
    denied = admitted(written("envoy", "gatewayapi:v1"), before).denial
    assert "spec.service.gatewayRefs" in denied
    assert '"envoy" counts when the release under way has ended' in denied
    kept = written("envoy", "gatewayapi:v1")
    kept["spec"]["service"] = GATEWAY
    assert admitted(kept, before).denial == ""


def test_a_spec_that_is_wrong_by_itself_is_told_so_alone() -> None:
    wrong = written("envoy", "istio")
    wrong["spec"]["analysis"] = {**ANALYSIS, "interval": "soon"}
    assert switching.problems(wrong) == schema.problems(wrong)
