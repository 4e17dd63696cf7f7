"""What a namespace offers, and to whom: an annotation becomes bindings, and nothing more."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery import names
from delivery.offers import bindings, is_ours, offers, receivers

ENROLLED = ("shop", "team-a", "tools")


def space(said: str | None = None, name: str = "tools", **metadata: Any) -> Mapping[str, Any]:
    marks = {} if said is None else {names.OFFERS_TO: said}
    return {"metadata": {"name": name, "annotations": marks, **metadata}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, []),
        ("", []),
        (",", []),
        ("shop", ["shop"]),
        (" team-a ,shop", ["shop", "team-a"]),
        ("elsewhere", []),
        ("*", ["shop", "team-a"]),
        ("tools", []),
        ("team-*", []),
    ],
)
def test_it_is_offered_to_those_that_are_named_and_opted_in(
    said: str | None, expected: list[str]
) -> None:
    assert receivers(space(said), ENROLLED) == expected


def test_an_offer_is_two_bindings_to_agents_alone() -> None:
    templates, secrets = bindings([space("shop,team-a"), space(None, "other")], ENROLLED)
    for made, name, kind in (
        (templates, names.OFFERS, "ClusterRole"),
        (secrets, names.OFFERED_SECRETS, "Role"),
    ):
        assert (made["metadata"]["namespace"], made["metadata"]["name"]) == ("tools", name)
        assert (made["roleRef"]["kind"], made["roleRef"]["name"]) == (kind, name)
        assert [(one["name"], one["namespace"]) for one in made["subjects"]] == [
            (names.AGENT, "shop"),
            (names.AGENT, "team-a"),
        ]
        assert is_ours(made)


@pytest.mark.parametrize("gone", [space("elsewhere"), space("shop", deletionTimestamp="now")])
def test_nothing_is_made_for_nobody_or_where_all_goes(gone: Mapping[str, Any]) -> None:
    assert list(bindings([gone], ENROLLED)) == []


def test_who_is_named_and_who_is_not() -> None:
    assert offers(space("shop"), "shop")
    assert not offers(space("shop"), "team-a")
    assert not is_ours({"metadata": {}})
