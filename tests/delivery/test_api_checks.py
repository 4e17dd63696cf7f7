"""What a check asks: read from a Canary, and shown in its status."""

from typing import Any

from delivery.canary import Canary, Metric
from delivery.schema import DEFAULTS, effective, parse

LAG = {"name": "lag", "templateRef": {"name": "lag"}}


def canary(metric: dict[str, Any], **spec: Any) -> Canary:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    analysis = {"interval": "5s", "threshold": 1, "stepWeight": 10, "metrics": [metric]}
    return parse({"spec": {"targetRef": target, "analysis": analysis, **spec}}, DEFAULTS)


def test_what_a_metric_asks_is_read_and_shown() -> None:
    metric = {
        **LAG,
        "interval": "30s",
        "thresholdRange": {"max": 5.0},
        "query": "lag",
        "templateVariables": {"queue": "orders"},
    }
    found = canary(metric, metricsServer="http://prometheus:9090")
    assert found.metrics_server == "http://prometheus:9090"
    assert effective(found.analysis)["metrics"] == [metric]


def test_without_a_threshold_a_metric_of_ones_own_must_be_zero() -> None:
    (read,) = canary(LAG).analysis.metrics
    assert read == Metric("lag", 60.0, None, 0.0, template="lag")
