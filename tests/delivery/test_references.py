"""References to other namespaces: what is said at admission, and what becomes of a release."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.alert import Route
from delivery.api.cautions import cautions
from delivery.canary import Metric, Phase
from delivery.references import RESERVED, Named, every, foreign, unoffered_secret
from delivery.schema import effective, problems
from tests.delivery.scenes import BAD, CHECK, JUDGED, NOW, REFUSED, canary, releasing, seen, stepped
from tests.delivery.test_schema import judged, manifest

LENT = {"name": "lag", "namespace": "tools"}
METRIC = {"name": "lag", "templateRef": LENT, "thresholdRange": {"max": 1}}
ALERT = {"name": "ops", "providerRef": {"name": "chat", "namespace": "tools"}}
WHY = (
    '{}.namespace: "tools" does not offer its {}s to "shop"; have its owner run: kubectl annotate '
    "namespace tools outrider.dev/offers-to=shop (several with commas between them, or *)"
)
TEMPLATE = WHY.format("spec.analysis.metrics[0].templateRef", "MetricTemplate")
PROVIDER = WHY.format("spec.analysis.alerts[0].providerRef", "AlertProvider")
HALTED = f"not offered by another namespace: {TEMPLATE}"


def written(**analysis: Any) -> dict[str, Any]:
    steps = {"interval": "1m", "threshold": 1, "stepWeight": 10, **analysis}
    return {**manifest(analysis=steps), "metadata": {"name": "shop", "namespace": "shop"}}


def test_a_reference_to_another_namespace_is_admitted_with_what_is_to_be_done() -> None:
    found = written(metrics=[METRIC], alerts=[ALERT])
    assert problems(found) == ()
    end = "; until then its releases halt"
    assert cautions(found) == (TEMPLATE + end, PROVIDER + end)
    assert cautions(found, lambda namespace, to: (namespace, to) == ("tools", "shop")) == ()


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease", "tools"])
def test_what_can_offer_nothing_is_told_no_command(namespace: str) -> None:
    metric = {**METRIC, "templateRef": {"name": "lag", "namespace": namespace}}
    (said,) = cautions(written(metrics=[metric]), reserved=(*RESERVED, "tools"))
    path = "spec.analysis.metrics[0].templateRef.namespace"
    assert said.startswith(f'{path}: "{namespace}" can offer no MetricTemplates')
    assert 'put a copy into "shop"' in said
    assert "kubectl" not in said


@pytest.mark.parametrize("namespace", [{}, {"namespace": "shop"}])
def test_of_its_own_namespace_there_is_nothing_to_say(namespace: dict[str, str]) -> None:
    metric = {**METRIC, "templateRef": {"name": "lag", **namespace}}
    assert cautions(written(metrics=[metric])) == ()
    assert cautions({**written(metrics=[METRIC]), "metadata": {"name": "shop"}}) == ()


def test_what_is_named_is_known_with_its_place() -> None:
    analysis = judged(metrics=[METRIC, {"name": "request-success-rate", "threshold": 9}])
    assert effective(analysis)["metrics"][0]["templateRef"] == LENT
    assert effective(judged(alerts=[ALERT]))["alerts"][0]["providerRef"] == ALERT["providerRef"]
    own = Metric("errors", template="errors")
    metrics, alerts = (*analysis.metrics, own), (Route("team", "team"),)
    found = canary(JUDGED, analysis={"metrics": metrics, "alerts": alerts})
    assert list(foreign(found)) == [
        ("spec.analysis.metrics[0].templateRef", Named("MetricTemplate", "tools", "lag"))
    ]
    assert [named.name for _, named in every(found)] == ["lag", "errors", "team"]


def test_a_secret_is_allowed_by_its_name() -> None:
    said = unoffered_secret("login", "tools")
    assert "kubectl -n tools create role outrider-offers-secrets " in said
    assert "--resource-name=login" in said


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("tools", "lag.v1", True),
        ("tools", "..", False),
        ("tools", "../secrets/x", False),
        ("a/b", "lag", False),
        ("tools", "", False),
        ("tools", "lag?x=y", False),
    ],
)
def test_a_name_leads_nowhere_else(namespace: str, name: str, expected: bool) -> None:
    assert Named("MetricTemplate", namespace, name).can_be_there is expected


def test_a_release_that_names_what_is_not_offered_halts_with_a_condition() -> None:
    found = stepped(JUDGED, releasing(refused=(TEMPLATE,)))
    status = found.canary.status
    assert (status.message, status.canary_weight) == (HALTED, 20)
    (said,) = found.messages
    assert (said.type, said.text) == ("Warning", HALTED)
    condition = status.conditions[-1]
    assert (condition.type, condition.status, condition.reason) == (
        "Offered",
        "False",
        "NotOffered",
    )
    assert TEMPLATE in condition.message
    again = stepped(status, replace(releasing(refused=(TEMPLATE,)), now=NOW + 1.0))
    assert (again.messages, again.canary.status.conditions[-1]) == ((), condition)
    after = stepped(status, releasing()).canary.status
    assert (after.canary_weight, [one.type for one in after.conditions]) == (40, ["Promoted"])


def test_none_begins_and_the_way_back_is_open() -> None:
    why = (PROVIDER,)
    assert stepped(REFUSED, seen("v3", refused=why)).canary.status.phase is Phase.FAILED
    back = stepped(JUDGED, seen("v1", scale=2, refused=why))
    assert back.canary.status.phase is Phase.FAILED
    leaving = stepped(REFUSED, seen("v3", refused=why, leaving="gone"))
    assert "not offered" not in leaving.reason


def test_a_breach_rolls_back_whatever_is_not_offered() -> None:
    look = releasing(refused=(TEMPLATE,), traffic=BAD)
    found = stepped(replace(JUDGED, failed_checks=1), look, analysis={"metrics": (CHECK,)})
    assert found.canary.status.phase is Phase.FAILED
