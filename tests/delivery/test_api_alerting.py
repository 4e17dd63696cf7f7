"""Alerts and AlertProviders at admission: field, value and fix."""

from typing import Any

import pytest

from delivery import schema
from delivery.alert import Route
from delivery.api.alerting import provider_problems
from tests.delivery.test_schema import judged, manifest

STEPS = {"interval": "1m", "threshold": 1, "stepWeight": 10}
ADDRESS = "https://hooks.example.com/secret-key"


def alert(**changes: Any) -> dict[str, Any]:
    return {"name": "ops", "providerRef": {"name": "slack"}, **changes}


def provider(kind: str = "slack", **said: Any) -> dict[str, Any]:
    metadata = {"name": "slack", "namespace": "shop"}
    return {"metadata": metadata, "spec": {"type": kind, **said}, "status": {"odd": 1}}


@pytest.mark.parametrize(
    ("said", "severity"), [({}, "info"), ({"severity": ""}, "info"), ({"severity": "warn"}, "warn")]
)
def test_an_alert_without_a_severity_is_for_everything(said: dict[str, str], severity: str) -> None:
    analysis = judged(alerts=[alert(**said)])
    assert analysis.alerts == (Route("ops", "slack", severity),)
    assert schema.unbuilt(manifest(analysis=STEPS | {"alerts": [alert(**said)]})) == ()
    shown = [{"name": "ops", "severity": severity, "providerRef": {"name": "slack"}}]
    assert schema.effective(analysis)["alerts"] == shown


def test_apps_without_a_canary_of_their_own_are_told_of_by_default() -> None:
    said, none = schema.defaults_from({"alerts": "ops, team:error, chat/all"}, {})
    routes = (
        Route("ops", "ops"),
        Route("team", "team", "error"),
        Route("chat/all", "all", namespace="chat"),
    )
    assert (said.alerts, none) == (routes, ())


@pytest.mark.parametrize("text", ["", "ops:loud", "ops,,team", ":error", "/ops", "a/b/c", "ops/"])
def test_who_is_told_by_default_has_a_name(text: str) -> None:
    said, (problem,) = schema.defaults_from({"alerts": text}, {})
    assert said == schema.DEFAULTS
    assert problem.endswith("use names of AlertProviders, such as ops:error; info, warn, error")


def problems(**reference: Any) -> tuple[str, ...]:
    found = manifest(analysis=STEPS | {"alerts": [alert(providerRef=reference)]})
    found["metadata"] = {"name": "web", "namespace": "shop"}
    return schema.problems(found)


def test_a_provider_is_named() -> None:
    for namespace in ({}, {"namespace": "shop"}, {"namespace": "flagger"}):
        assert problems(name="slack", **namespace) == ()
    (empty,) = problems(name="")
    assert empty == "spec.analysis.alerts[0].providerRef.name: is empty; name an AlertProvider"


@pytest.mark.parametrize(
    "said",
    [
        {"address": ADDRESS},
        {"secretRef": {"name": "hook"}},
        {"address": ADDRESS, "secretRef": {"name": "hook"}},
        {"kind": "pagerduty", "secretRef": {"name": "hook"}},
        {"address": ADDRESS, "proxy": "http://proxy:3128"},
        {"address": ADDRESS, "messageTemplate": "{{ name }}: {{ message }}"},
    ],
)
def test_what_can_be_told_is_no_problem(said: dict[str, Any]) -> None:
    assert provider_problems(provider(**said)) == ()


KNOWN = "'slack', 'msteams', 'discord', 'rocket', 'gchat', 'pagerduty' or 'webhook'"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"kind": "smoke"}, f'spec.type: "smoke" is not known; use {KNOWN}'),
        ({}, 'spec.address: is missing; set it, or spec.secretRef with the key "address"'),
        (
            {"kind": "pagerduty", "address": ADDRESS},
            'spec.secretRef: is missing; pagerduty wants a Secret with the key "token"',
        ),
        (
            {"address": "hooks.example.com/key"},
            "spec.address: is no URL; write for example https://hooks.example.com/path",
        ),
        (
            {"address": ADDRESS, "proxy": "proxy"},
            "spec.proxy: is no URL; write for example https://hooks.example.com/path",
        ),
        ({"address": ADDRESS, "messageTemplate": "{{ smoke }}"}, "spec.messageTemplate: "),
    ],
)
def test_what_cannot_be_told_is_refused(said: dict[str, Any], problem: str) -> None:
    (found,) = provider_problems(provider(**said))
    assert found.startswith(problem)
