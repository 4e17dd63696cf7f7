"""The analysis in force, as a status shows it."""

import json
from collections.abc import Mapping
from typing import Any

from delivery.api.affinity import effective_affinity
from delivery.api.alerting import effective_alert
from delivery.api.checks import effective_metric
from delivery.api.duration import duration
from delivery.api.guard import effective_policy
from delivery.api.hooks import effective_hook
from delivery.api.matching import effective_match
from delivery.api.mirroring import effective_mirror
from delivery.api.source import effective_source
from delivery.canary import Analysis


def effective(analysis: Analysis) -> dict[str, Any]:
    """The analysis in force in the words of `spec.analysis`."""
    said = {
        "interval": duration(analysis.interval),
        "threshold": analysis.threshold,
        "stepWeight": analysis.step_weight,
        "stepWeights": list(analysis.step_weights),
        "maxWeight": analysis.max_weight,
        "stepWeightPromotion": analysis.step_weight_promotion,
        "iterations": analysis.iterations,
        **effective_mirror(analysis.mirror),
        "sessionAffinity": effective_affinity(analysis.affinity),
        "match": [effective_match(match) for match in analysis.match],
        "primaryReadyThreshold": analysis.primary_ready_threshold,
        "canaryReadyThreshold": analysis.canary_ready_threshold,
        "metrics": [effective_metric(metric) for metric in analysis.metrics],
        "webhooks": [effective_hook(hook) for hook in analysis.hooks],
        "source": effective_source(analysis.source) if analysis.source else {},
        "guard": effective_policy(analysis.guard) if analysis.guard else {},
        "alerts": [effective_alert(route) for route in analysis.alerts],
        "canaryTemplate": json.loads(analysis.placement or "{}"),
        "delay": duration(analysis.delay) if analysis.delay else 0,
        "maxDuration": 0 if analysis.max_duration is None else duration(analysis.max_duration),
        "noTraffic": analysis.no_traffic,
        "noTrafficAfter": duration(analysis.no_traffic_after),
    }
    return {key: value for key, value in said.items() if value not in (0, [], {})}


def shows(found: Mapping[str, Any], analysis: Analysis) -> bool:
    """Whether a status tells of the analysis in force."""
    return bool(found.get("effective") == effective(analysis))
