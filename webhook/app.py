"""The HTTP side of admission: a review in, an answer out, and nothing that waits in between."""

import functools
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import flask
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from delivery import switching
from delivery.admission import Answer, Malformed, Request, envelope, mutated, read, validated
from delivery.api.alerting import provider_problems
from delivery.api.asking import template_problems
from delivery.api.cautions import cautions, nobody
from delivery.api.references import Offers
from delivery.references import RESERVED
from webhook.metrics import Metrics

log = logging.getLogger(__name__)

BODY_LIMIT = 16 * 2**20
"""An object has at most 3 MiB, and a review holds it twice."""

PROBLEMS = {
    "Canary": switching.problems,
    "MetricTemplate": template_problems,
    "AlertProvider": provider_problems,
}
"""By kind: what is wrong with an object, and how it is put right."""

Decide = Callable[[Request], Answer]
Unready = Callable[[], str]
"""Why the program should get no requests now; empty when it should."""


def create_app(
    metrics: Metrics,
    unready: Unready = str,
    offers: Offers = nobody,
    reserved: Collection[str] = RESERVED,
) -> flask.Flask:
    """Wires the routes; the deciding is all in delivery.admission, of what is known here."""
    app = flask.Flask("webhook", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT

    def warned(canary: Mapping[str, Any]) -> tuple[str, ...]:
        return (*cautions(canary, offers, reserved), *switching.cautions(canary))

    judged = functools.partial(validated, problems=PROBLEMS, cautions={"Canary": warned})
    app.add_url_rule("/mutate", view_func=admission("mutate", mutated, metrics), methods=["POST"])
    app.add_url_rule(
        "/validate", view_func=admission("validate", judged, metrics), methods=["POST"]
    )
    app.add_url_rule("/healthz", view_func=lambda: plain("ok"), endpoint="healthz")
    app.add_url_rule("/readyz", view_func=lambda: readiness(unready()), endpoint="readyz")
    app.add_url_rule("/metrics", view_func=lambda: exposition(metrics), endpoint="metrics")
    app.register_error_handler(HTTPException, refused)
    return app


def admission(path: str, decide: Decide, metrics: Metrics) -> Callable[[], flask.Response]:
    """A view: parse, decide, count; `path` is its name."""

    def view() -> flask.Response:
        began = time.perf_counter()
        request = read(parsed(flask.request.get_data(cache=False)))
        if isinstance(request, Malformed):
            return said({"error": request.reason}, 400)
        answer = decided(request, decide, metrics)
        response = said(envelope(request.uid, answer))
        metrics.answered(request.operation, request.kind, answer.decision)
        metrics.seconds.labels(path).observe(time.perf_counter() - began)
        return response

    view.__name__ = path
    return view


def decided(request: Request, decide: Decide, metrics: Metrics) -> Answer:
    about = {"kind": request.kind, "namespace": request.namespace, "object": request.name}
    try:
        answer = decide(request)
    except Exception:
        # Fails open: nobody's deploy waits for a bug of ours; the agent notices what slipped by.
        log.exception("admitted unchanged", extra=about)
        metrics.bugs.inc()
        return Answer("bug")
    if answer.decision != "unchanged":
        log.info("admitted", extra={**about, "decision": answer.decision, "user": request.username})
    return answer


def parsed(body: bytes) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def said(document: Any, status: int = 200) -> flask.Response:
    content = json.dumps(document, separators=(",", ":"))
    return flask.Response(content, status, content_type="application/json")


def plain(text: str, status: int = 200) -> flask.Response:
    return flask.Response(text + "\n", status, content_type="text/plain")


def readiness(reason: str) -> flask.Response:
    return plain(reason or "ok", 503 if reason else 200)


def exposition(metrics: Metrics) -> flask.Response:
    return flask.Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)


def refused(error: HTTPException) -> flask.Response:
    return said({"error": error.description}, error.code or 500)
