import base64
from dataclasses import replace
from typing import Any

import pytest

from delivery.admission.ours import OURS
from delivery.names import ASKED_BY, BY_HAND
from webhook.registration import bundles, manifests
from webhook.settings import Settings

SETTINGS = Settings("outrider-system", "agent:1", "envoy:1", service_port=8443)
MUTATING, VALIDATING = manifests(SETTINGS, b"authorities")
EMPTY: list[Any] = [
    None,
    {},
    {"webhooks": []},
    {"webhooks": [{}]},
    {"webhooks": [{"clientConfig": {}}]},
]
WEBHOOKS: list[dict[str, Any]] = MUTATING["webhooks"] + VALIDATING["webhooks"]


def test_each_resource_has_a_webhook_of_its_own() -> None:
    asked = [rule["resources"] for webhook in WEBHOOKS for rule in webhook["rules"]]
    mutated = ["deployments", "services", "canaries"]
    judged = ["canaries", "metrictemplates", "alertproviders"]
    assert asked == [[one] for one in (*mutated, *judged)]


def test_nobodys_deploy_waits_for_us() -> None:
    for webhook in WEBHOOKS:
        said = (webhook["failurePolicy"], webhook["timeoutSeconds"], webhook["sideEffects"])
        assert said == ("Ignore", 3, "None")


def test_only_opted_in_namespaces_and_never_our_own() -> None:
    for webhook in WEBHOOKS:
        label, name = webhook["namespaceSelector"]["matchExpressions"]
        assert (label["operator"], label["values"]) == ("In", ["true", "selected"])
        assert {"kube-system", "outrider-system"} <= set(name["values"])


def test_the_server_is_named_with_its_authorities() -> None:
    for webhook in WEBHOOKS:
        said = webhook["clientConfig"]
        assert base64.b64decode(said["caBundle"]) == b"authorities"
        assert (said["service"]["name"], said["service"]["port"]) == ("outrider-webhook", 8443)


def test_a_change_of_any_annotation_of_ours_matters() -> None:
    for webhook in MUTATING["webhooks"]:
        said_on_canary = webhook["name"].startswith("canaries.")
        expression = webhook["matchConditions"][0]["expression"]
        wanted = (*BY_HAND, ASKED_BY) if said_on_canary else OURS
        assert all(f"'{key}'" in expression for key in wanted)
        assert webhook["reinvocationPolicy"] == "IfNeeded"


def test_what_is_registered_is_read_back() -> None:
    assert bundles(MUTATING) == [b"authorities"] * 3
    assert bundles(VALIDATING) == [b"authorities"] * 3


@pytest.mark.parametrize("found", EMPTY)
def test_what_is_not_registered_believes_in_nobody(found: Any) -> None:
    assert bundles(found) == [b""]


def test_an_odd_bundle_believes_in_nobody() -> None:
    assert bundles({"webhooks": [{"clientConfig": {"caBundle": "a"}}]}) == [b""]


def test_a_second_installation_keeps_to_itself() -> None:
    second = manifests(replace(SETTINGS, instance="next"), b"authorities")[0]
    first, *_ = second["webhooks"]
    assert second["metadata"]["name"] == "outrider-webhook-next"
    assert first["name"] == "deployments.next.outrider.dev"
    (label, _) = first["namespaceSelector"]["matchExpressions"]
    assert label["key"] == "next.outrider.dev/enabled"
