"""Label selectors."""

from typing import Any

import pytest

from delivery.selectors import matches

LABELS = {"app": "web", "tier": "front"}


def rule(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ({}, True),
        ({"matchLabels": None, "matchExpressions": None}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "api"}}, False),
        (rule("app", "In", "web", "api"), True),
        (rule("app", "In", "api"), False),
        (rule("none", "In", "web"), False),
        (rule("app", "NotIn", "api"), True),
        (rule("app", "NotIn", "web"), False),
        (rule("none", "NotIn", "web"), True),
        (rule("app", "Exists"), True),
        (rule("none", "Exists"), False),
        (rule("none", "DoesNotExist"), True),
        (rule("app", "DoesNotExist"), False),
        ({"matchLabels": {"app": "web"}, **rule("tier", "In", "back")}, False),
    ],
)
def test_a_selector_matches_as_kubernetes_reads_it(selector: dict[str, Any], found: bool) -> None:
    assert matches(selector, LABELS) is found
