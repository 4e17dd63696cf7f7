"""Label selectors, as Kubernetes reads them."""

from collections.abc import Mapping
from typing import Any


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """An empty selector matches everything."""
    wanted = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or ()
    return wanted.items() <= labels.items() and all(holds(rule, labels) for rule in rules)


def holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One expression; NotIn holds for what lacks the key too."""
    found, values = labels.get(rule["key"]), rule.get("values") or ()
    match rule["operator"]:
        case "In":
            return found in values
        case "NotIn":
            return found not in values
        case "Exists":
            return found is not None
    return found is None
