"""Releases judged by a real Prometheus, beside one whose backend never answers."""

from typing import Any

import pytest

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import Shop
from demo.waiting import eventually
from tests.system.canaries import BAD, GOOD, PATIENT, SUCCESS, analysis, app, canary, said
from tests.system.load import Load
from tests.system.prometheus import PASSWORD, USER, Prometheus, deaf

CLUSTER = 'namespace="{{ namespace }}", envoy_cluster_name=~"{{ target }}/.+/canary"'
REQUESTS = "envoy_cluster_upstream_rq_xx"
FAILED = f"""
  100 * (sum(rate({REQUESTS}{{{CLUSTER}, envoy_response_code_class="CLASS"}}[{{{{ interval }}}}]))
         or vector(0))
  / sum(rate({REQUESTS}{{{CLUSTER}}}[{{{{ interval }}}}]))
"""
WINDOW: JSON = {"interval": "10s"}
INLINE = {
    **WINDOW,
    "name": "errors",
    "query": FAILED.replace("CLASS", "5"),
    "thresholdRange": {"max": 1},
}
TEMPLATED = {
    **WINDOW,
    "name": "failures",
    "templateRef": {"name": "failures"},
    "templateVariables": {"class": "5"},
    "thresholdRange": {"max": 1},
}
BUILT_IN = [
    {**WINDOW, "name": "request-success-rate", "thresholdRange": {"min": 99}},
    {**WINDOW, "name": "request-duration", "thresholdRange": {"max": 5000}},
]
LAG = {"name": "lag", "templateRef": {"name": "lag"}, "thresholdRange": {"max": 1}}
METRICS: dict[str, list[JSON]] = {
    "inline": [INLINE],
    "templated": [TEMPLATED],
    "built-in": BUILT_IN,
    "deaf": [LAG, SUCCESS],
}
LATE = "Metric query failed for lag: request failed: no answer within 5 s"
LAST = "Canary failed! Scaling down deaf"
HALTED = {
    "deaf": "Halt deaf advancement success rate 0.00% < 99%",
    "inline": "Halt inline advancement errors 100.00 > 1",
    "templated": "Halt templated advancement failures 100.00 > 1",
    "built-in": "Halt built-in advancement success rate 0.00% < 99%",
}


def templates(prometheus: Prometheus) -> list[JSON]:
    """One for Prometheus, one for a backend that never answers."""
    allowed: JSON = {"headers": {"X-Scope-OrgID": ["shop"]}, "secretRef": {"name": "login"}}
    query = FAILED.replace("CLASS", "{{ variables.class }}")
    nobody = f"http://deaf.{prometheus.place.name}:8080"
    return [
        template("failures", query, address=prometheus.address, **allowed),
        template("lag", "lag", address=nobody),
    ]


def template(name: str, query: str, **provider: Any) -> JSON:
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": {"name": name},
        "spec": {"provider": {"type": "prometheus", **provider}, "query": query},
    }


def login(place: Namespace) -> None:
    """A Secret with the password, which the agent is allowed to read as the README says."""
    words = ("--from-literal", f"username={USER}", "--from-literal", f"password={PASSWORD}")
    place.kubectl("create", "secret", "generic", "login", *words)
    allowed = ("--verb=get", "--resource=secrets", "--resource-name=login")
    place.kubectl("create", "role", "outrider-metrics", *allowed)
    agent = f"--serviceaccount={place.name}:outrider-agent"
    place.kubectl("create", "rolebinding", "outrider-metrics", "--role=outrider-metrics", agent)


def released(place: Namespace, shop: Shop) -> dict[str, str]:
    """All apps at once; what became of each."""
    releases = {name: Release(place, name) for name in METRICS}
    for name in METRICS:
        place.kubectl.apply(app(name, shop))
    return {name: release.finished().outcome for name, release in releases.items()}


@pytest.mark.soak
@pytest.mark.minutes
def test_a_prometheus_judges_by_name_by_query_and_by_template_and_a_deaf_one_delays_nobody(
    namespace: Namespace, plain_namespace: Namespace, load: Load
) -> None:
    prometheus = Prometheus(plain_namespace, namespace)
    plain_namespace.kubectl.apply(deaf())
    login(namespace)
    namespace.open_statistics()
    namespace.kubectl.apply(templates(prometheus))
    for name, metrics in METRICS.items():
        server = prometheus.with_login if name in ("inline", "built-in") else None
        steps = analysis(stepWeights=[50], interval="2s", metrics=metrics)
        written = canary(name, target=name, analysis=steps, metricsServer=server)
        namespace.kubectl.apply([*app(name), written])
    for name in METRICS:
        namespace.complete(name)
    namespace.opt_in()
    for name in METRICS:
        namespace.adopted(name)
        load(namespace, *PATIENT, url=namespace.address(name))
    prometheus.install()
    prometheus.scrapes(routers=2)
    wanted = {**dict.fromkeys(METRICS, "promoted"), "deaf": "rolled back"}
    assert released(namespace, GOOD) == wanted
    assert ("Warning", LATE) in said(namespace, "deaf")
    eventually("the last word", lambda: ("Warning", LAST) in said(namespace, "deaf"))
    before = len(said(namespace, "deaf"))
    assert released(namespace, BAD) == dict.fromkeys(METRICS, "rolled back")
    for name, text in HALTED.items():
        assert ("Warning", text) in said(namespace, name)
    assert ("Warning", LATE) not in said(namespace, "deaf")[before:], "the deaf one was awaited"
