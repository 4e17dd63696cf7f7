"""Who else decides about a Deployment's pods."""

from typing import Any

import pytest

from delivery.obstacles.drivers import (
    ARGO,
    HELP,
    KEDA,
    KRUISE,
    of_autoscalers,
    of_drivers,
    of_unknown,
)
from delivery.obstacles.grounds import Sighting
from tests.delivery.reviews import Document

WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
OTHER = {**WEB, "name": "api"}
OF_ANOTHER_GROUP = {**WEB, "apiVersion": "example.com/v1"}


def driver(**spec: Any) -> Document:
    return {"metadata": {"name": "one"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "spec", "reasons"),
    [
        (ARGO, {"workloadRef": WEB}, [f"Rollout of Argo one drives it: {HELP}"]),
        (ARGO, {"workloadRef": OTHER}, []),
        (ARGO, {"workloadRef": OF_ANOTHER_GROUP}, []),
        (ARGO, {"template": {}}, []),
        (KRUISE, {"workloadRef": WEB}, [f"Rollout of OpenKruise one drives it: {HELP}"]),
        (
            KRUISE,
            {"objectRef": {"workloadRef": WEB}},
            [f"Rollout of OpenKruise one drives it: {HELP}"],
        ),
        (KRUISE, {"objectRef": {"workloadRef": OTHER}}, []),
        (KRUISE, {"objectRef": None}, []),
        (KEDA, {"scaleTargetRef": {"name": "web"}}, [f"ScaledObject one scales it: {HELP}"]),
        (KEDA, {"scaleTargetRef": {"kind": "StatefulSet", "name": "web"}}, []),
        (KEDA, {}, []),
    ],
)
def test_an_object_that_points_at_it_is_a_reason(
    kind: str, spec: Document, reasons: list[str]
) -> None:
    assert list(of_drivers("web", {kind: Sighting([driver(**spec)])})) == reasons


def test_an_object_without_a_word_points_at_nothing() -> None:
    assert list(of_drivers("web", {ARGO: Sighting([{"metadata": {"name": "one"}}])})) == []


def test_an_autoscaler_points_at_what_it_scales() -> None:
    scaler = driver(scaleTargetRef={"kind": "Deployment", "name": "web"})
    assert list(of_autoscalers("web", [scaler])) == [
        f"HorizontalPodAutoscaler one scales it: {HELP}"
    ]
    assert list(of_autoscalers("api", [scaler, driver()])) == []


def test_what_may_not_be_read_is_said_and_not_guessed() -> None:
    seen = {ARGO: Sighting(unknown="it cannot be known"), KEDA: Sighting()}
    assert list(of_unknown(seen)) == ["it cannot be known"]
