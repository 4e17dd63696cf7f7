"""Whether a namespace's quotas leave room for a clone."""

from typing import Any

import pytest

from delivery.obstacles.grounds import Grounds
from delivery.obstacles.quota import applies, of_quotas
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

ROOM = "ResourceQuota small has no room for its clone: "


def quota(hard: Document, used: Document | None, **spec: Any) -> Document:
    status = {"hard": hard, "used": used} if used is not None else {}
    return {"metadata": {"name": "small"}, "spec": {"hard": hard, **spec}, "status": status}


def app(cpu: str = "100m") -> Document:
    box = {"name": "web", "resources": {"requests": {"cpu": cpu}}}
    return merged(worlds.deployment(), {"spec": {"template": {"spec": {"containers": [box]}}}})


def said(*quotas: Document, ending: bool = False, awaited: bool = False) -> list[str]:
    return list(of_quotas(app(), Grounds(quotas=quotas, ending=ending, awaited=awaited)))


def test_the_routers_pods_come_first() -> None:
    full = quota({"pods": "9"}, {"pods": "9"})
    assert said(full, awaited=True) == [
        "not known yet: ResourceQuota small has the routers' pods still to count"
    ]
    assert said(awaited=True) == []


@pytest.mark.parametrize(
    ("hard", "used", "short"),
    [
        ({"pods": "8"}, {"pods": "5"}, ""),
        ({"pods": "8"}, {"pods": "6"}, "pods 3 more, 2 of 8 left"),
        ({"count/pods": "8"}, {"count/pods": "9"}, "count/pods 3 more, 0 of 8 left"),
        ({"requests.cpu": "1"}, {"requests.cpu": "700m"}, ""),
        (
            {"requests.cpu": "1", "pods": "6"},
            {"requests.cpu": "800m", "pods": "4"},
            "pods 3 more, 2 of 6 left, requests.cpu 300m more, 200m of 1 left",
        ),
        ({"services": "4"}, {"services": "3"}, "services 2 more, 1 of 4 left"),
        (
            {"count/deployments.apps": "3"},
            {"count/deployments.apps": "3"},
            "count/deployments.apps 1 more, 0 of 3 left",
        ),
        ({"limits.cpu": "0", "secrets": "0"}, {"limits.cpu": "0", "secrets": "9"}, ""),
    ],
)
def test_room_is_needed_for_a_second_set_of_pods(hard: Any, used: Any, short: str) -> None:
    assert said(quota(hard, used)) == ([f"{ROOM}{short}"] if short else [])


@pytest.mark.parametrize("used", [None, {"pods": "1"}])
def test_a_quota_that_is_not_counted_yet_is_waited_for(used: Document | None) -> None:
    reason = "not known yet: ResourceQuota small is not counted yet"
    assert said(quota({"pods": "9", "cpu": "9"}, used)) == [reason]


def test_while_pods_are_ending_the_shortage_may_pass() -> None:
    full = quota({"pods": "8"}, {"pods": "8"})
    reason = f"not known yet, pods are ending: {ROOM}pods 3 more, 0 of 8 left"
    assert said(full, ending=True) == [reason]


def test_every_quota_is_named() -> None:
    full = quota({"pods": "8"}, {"pods": "8"})
    assert len(said(full, merged(full, {"metadata": {"name": "other"}}))) == 2


def test_a_quota_of_other_pods_is_not_in_the_way() -> None:
    assert said(quota({"pods": "0"}, {"pods": "0"}, scopes=["Terminating"])) == []


def priority(operator: str, *values: str) -> Document:
    rule = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [rule]}}


BUSY = {"containers": [{"resources": {"limits": {"cpu": "1"}}}]}
IDLE: Document = {"containers": [{}], "initContainers": [{"resources": {}}]}


def near(**term: Any) -> Document:
    preferred = [{"weight": 1, "podAffinityTerm": term}]
    rules = {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
    return {**IDLE, "affinity": {"podAntiAffinity": rules}}


@pytest.mark.parametrize(
    ("scopes", "pod", "counts"),
    [
        ({}, IDLE, True),
        ({"scopes": ["Terminating"]}, IDLE, False),
        ({"scopes": ["Terminating"]}, {**IDLE, "activeDeadlineSeconds": 5}, True),
        ({"scopes": ["NotTerminating"]}, IDLE, True),
        ({"scopes": ["NotTerminating"]}, {**IDLE, "activeDeadlineSeconds": 5}, False),
        ({"scopes": ["BestEffort"]}, IDLE, True),
        ({"scopes": ["BestEffort"]}, BUSY, False),
        ({"scopes": ["NotBestEffort"]}, IDLE, False),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, BUSY, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, IDLE, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, near(topologyKey="zone"), False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, near(namespaceSelector={}), True),
        (priority("In", "high"), IDLE, False),
        (priority("In", "high"), {**IDLE, "priorityClassName": "high"}, True),
        (priority("NotIn", "high"), IDLE, True),
        (priority("Exists"), {**IDLE, "priorityClassName": "low"}, True),
        (priority("DoesNotExist"), {**IDLE, "priorityClassName": "low"}, False),
        ({"scopes": ["SomethingNew"]}, IDLE, True),
    ],
)
def test_a_quota_counts_the_pods_of_its_scopes(scopes: Any, pod: Document, counts: bool) -> None:
    assert applies({"spec": scopes}, pod) is counts
