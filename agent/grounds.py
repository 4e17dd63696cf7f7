"""Gathers what speaks for or against adopting in the agent's namespace."""

from collections.abc import Mapping
from typing import Any

from agent import routers
from cluster.survey import Survey
from cluster.watch import Cache
from delivery import flagger, names, pair
from delivery.obstacles.grounds import Grounds
from delivery.pair import Objects
from delivery.pods import has_made_its_pods


def grounds(cache: Cache, found: Objects, survey: Survey, *, labels: Mapping[str, str]) -> Grounds:
    """`labels` are those of the namespace."""
    return Grounds(
        labels=labels,
        drivers=survey.seen,
        policies=cache.items("NetworkPolicy"),
        quotas=cache.items("ResourceQuota"),
        limits=cache.items("LimitRange"),
        routers=routers.addresses(found.pods),
        awaited=not has_made_its_pods(pair.named(found.deployments, names.ROUTER)),
        ending=any(is_ending(pod) for pod in found.pods),
        flagger=flagger.heard(pair.named(found.deployments, names.AGENT)),
    )


def is_ending(pod: Mapping[str, Any]) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))
