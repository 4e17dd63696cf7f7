"""What the installation says of the pods that a namespace gets."""

import re
from typing import Any

import pytest

from delivery.names import OPEN_STATISTICS
from delivery.programs import Size, opens_statistics, resized

SIZE = Size((("cpu", "10m"), ("memory", "96Mi")), (("cpu", "1"), ("memory", "384Mi")))


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        ("", "", SIZE),
        ("cpu=100m", "", Size((("cpu", "100m"), ("memory", "96Mi")), SIZE.limits)),
        ("", "cpu=", Size(SIZE.requests, (("memory", "384Mi"),))),
        ("cpu=,memory=", " cpu= , memory= ", Size((), ())),
        (
            "ephemeral-storage=1Gi",
            "memory=1Gi",
            Size((*SIZE.requests, ("ephemeral-storage", "1Gi")), (("cpu", "1"), ("memory", "1Gi"))),
        ),
        ("memory=384Mi", "", Size((("cpu", "10m"), ("memory", "384Mi")), SIZE.limits)),
    ],
)
def test_what_is_named_changes_and_what_is_left_empty_goes(
    requests: str, limits: str, expected: Size
) -> None:
    assert resized(SIZE, requests=requests, limits=limits) == expected


@pytest.mark.parametrize(
    ("requests", "problem"),
    [
        ("gpu=1", '"gpu=1": write RESOURCE=AMOUNT; resources are cpu, memory, ephemeral-storage'),
        ("cpu", '"cpu": write RESOURCE=AMOUNT'),
        ("cpu=lots", "'lots' is no quantity"),
        ("cpu=-1", '"cpu=-1": an amount is 0 or more'),
        ("cpu=2", "cpu=2 is asked for, and 1 is the limit"),
    ],
)
def test_what_no_pod_can_have_is_refused_with_the_fix(requests: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        resized(SIZE, requests=requests)


def test_nothing_asked_for_and_no_limit_is_no_field() -> None:
    assert Size((), ()).manifest() == {}


@pytest.mark.parametrize(
    ("namespace", "opened"),
    [
        ({}, False),
        ({"metadata": {}}, False),
        ({"metadata": {"annotations": None}}, False),
        ({"metadata": {"annotations": {OPEN_STATISTICS: "false"}}}, False),
        ({"metadata": {"annotations": {OPEN_STATISTICS: "true"}}}, True),
    ],
)
def test_statistics_are_open_where_the_namespace_says_so(
    namespace: dict[str, Any], opened: bool
) -> None:
    assert opens_statistics(namespace) is opened
