import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.admission import Answer, Request
from tests.delivery.reviews import deployment, review
from webhook.app import BODY_LIMIT, admission, create_app
from webhook.metrics import Metrics

HELD = {names.SCALE: "0", names.REPLICAS: "3"}
CANARY = {"kind": "Canary", "metadata": {"name": "web"}, "spec": {}}


def client(metrics: Metrics | None = None, unready: str = "") -> FlaskClient:
    return create_app(metrics or Metrics("1.2.3"), lambda: unready).test_client()


def counted(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_a_review_is_answered_with_a_patch() -> None:
    said = client().post("/mutate", json=review(deployment(HELD), deployment(HELD))).get_json()
    patch = json.loads(base64.b64decode(said["response"]["patch"]))
    assert {"op": "add", "path": "/spec/replicas", "value": 0} in patch
    assert (said["response"]["uid"], said["response"]["allowed"]) == ("1234", True)


def test_a_dry_run_is_answered_as_the_real_call() -> None:
    real = review(deployment(HELD, image="web:2"), deployment(HELD))
    dry = {**real, "request": {**real["request"], "dryRun": True}}
    answers = [client().post("/mutate", json=body).data for body in (real, dry)]
    assert answers[0] == answers[1]


def test_a_canary_that_cannot_be_done_is_refused() -> None:
    said = client().post("/validate", json=review(CANARY)).get_json()["response"]
    assert (said["allowed"], said["status"]["code"]) == (False, 422)
    assert "targetRef" in said["status"]["message"]


def test_what_another_namespace_does_not_offer_yet_is_a_warning() -> None:
    lent = {"name": "lag", "templateRef": {"name": "lag", "namespace": "tools"}, "threshold": 1}
    analysis = {"interval": "1m", "threshold": 1, "stepWeight": 10, "metrics": [lent]}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metadata = {"name": "web", "namespace": "shop"}
    written = {**CANARY, "metadata": metadata, "spec": {"targetRef": target, "analysis": analysis}}
    warnings = [
        create_app(Metrics("1"), offers=offers)
        .test_client()
        .post("/validate", json=review(written))
        .get_json()["response"]
        .get("warnings", [])
        for offers in (lambda *_: False, lambda *place: place == ("tools", "shop"))
    ]
    assert [len(one) for one in warnings] == [1, 0]
    assert "kubectl annotate namespace tools outrider.dev/offers-to=shop" in warnings[0][0]
    app = create_app(Metrics("1"), reserved=("tools",))
    answer = app.test_client().post("/validate", json=review(written)).get_json()["response"]
    assert '"tools" can offer no MetricTemplates' in answer["warnings"][0]


def test_a_provider_that_is_switched_in_mid_release_is_a_warning() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"targetRef": target, "provider": "kubernetes", "skipAnalysis": True}
    status = {"phase": "Progressing", "provider": "envoy"}
    written = {**CANARY, "metadata": metadata, "spec": spec, "status": status}
    answer = client().post("/validate", json=review(written)).get_json()["response"]
    assert answer["allowed"]
    assert "counts when the release under way has ended" in answer["warnings"][0]


def test_a_deployment_is_never_refused() -> None:
    said = client().post("/validate", json=review(deployment(HELD))).get_json()["response"]
    assert said["allowed"]


@pytest.mark.parametrize("path", ["/mutate", "/validate"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"{}"])
def test_a_malformed_body_is_a_400_with_json(path: str, body: bytes) -> None:
    response = client().post(path, data=body)
    assert response.status_code == 400
    assert "AdmissionReview" in response.get_json()["error"]


@given(st.binary())
def test_any_bytes_are_a_400_with_json(body: bytes) -> None:
    response = client().post("/mutate", data=body)
    assert (response.status_code, list(response.get_json())) == (400, ["error"])


def test_a_body_beyond_all_objects_is_refused() -> None:
    assert client().post("/mutate", data=b" " * (BODY_LIMIT + 1)).status_code == 413


@pytest.mark.parametrize(("path", "status"), [("/mutate", 405), ("/other", 404)])
def test_what_is_not_there_is_said_in_json(path: str, status: int) -> None:
    response = client().get(path)
    assert response.status_code == status
    assert response.get_json()["error"]


def broken(request: Request) -> Answer:
    raise ZeroDivisionError(request.name)


def test_a_bug_admits_unchanged_and_is_counted() -> None:
    metrics = Metrics("1.2.3")
    app = create_app(metrics)
    view = admission("broken", broken, metrics)
    with app.test_request_context(method="POST", json=review(deployment())):
        said = view().get_json()["response"]
    assert said == {"uid": "1234", "allowed": True, "auditAnnotations": {"decision": "bug"}}
    assert counted(metrics, "outrider_admission_errors_total") == 1


def test_requests_are_counted_by_what_was_decided() -> None:
    metrics = Metrics("1.2.3")
    body: dict[str, Any] = review(deployment(HELD, image="web:2"), deployment(HELD))
    client(metrics).post("/mutate", json=body)
    client(metrics).post("/mutate", json=review({"kind": "Anything"}))
    name = "outrider_admission_requests_total"
    released = {"operation": "UPDATE", "kind": "Deployment", "decision": "release"}
    other = {"operation": "CREATE", "kind": "other", "decision": "unchanged"}
    assert counted(metrics, name, **released) == counted(metrics, name, **other) == 1


def test_the_metrics_page_names_the_version() -> None:
    page = client().get("/metrics").get_data(as_text=True)
    assert 'outrider_info{program="webhook",version="1.2.3"} 1.0' in page


@pytest.mark.parametrize(("reason", "status"), [("", 200), ("draining", 503)])
def test_readiness_gives_its_reason(reason: str, status: int) -> None:
    response = client(unready=reason).get("/readyz")
    assert (response.status_code, response.get_data(as_text=True)) == (
        status,
        (reason or "ok") + "\n",
    )


def test_it_is_alive_while_it_drains() -> None:
    assert client(unready="draining").get("/healthz").status_code == 200
