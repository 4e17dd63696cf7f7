"""Kinds that may not be installed: there, not there, or not to be read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cluster.kinds import FOREIGN, Kind
from cluster.survey import Survey
from delivery.obstacles.grounds import Sighting
from tests.agent.running_router import eventually
from tests.cluster.loopback import Server, serving

NEW, OLD = Kind("a.io/v2", "Thing", "things"), Kind("a.io/v1", "Thing", "things")
THING = {"metadata": {"name": "one"}}
REFUSED = (403, {"message": "you may not"})


def groups(*versions: str) -> tuple[int, dict[str, object]]:
    return 200, {"groups": [{"versions": [{"groupVersion": one} for one in versions]}]}


@contextmanager
def surveyed(*versions: str) -> Iterator[tuple[Server, Survey, list[str]]]:
    """A survey, the server that it asks, and what was called after each look."""
    calls: list[str] = []
    with serving() as server:
        server.pages["/apis"] = groups(*versions)
        for kind in (NEW, OLD):
            server.pages[kind.path("shop")] = 200, {"items": [THING]}
        changed = lambda: calls.append("looked")  # noqa: E731
        yield server, Survey(server.api(), {"thing": (NEW, OLD)}, "shop", changed), calls


@pytest.mark.parametrize(
    ("versions", "seen", "paths"),
    [
        (("a.io/v1", "a.io/v2"), NEW, ["/apis", NEW.path("shop")]),
        (("a.io/v1",), OLD, ["/apis", OLD.path("shop")]),
        (("b.io/v1",), None, ["/apis"]),
    ],
    ids=["the newest version", "the version that is served", "not installed"],
)
def test_only_what_is_installed_is_listed(
    versions: tuple[str, ...], seen: Kind | None, paths: list[str]
) -> None:
    with surveyed(*versions) as (server, survey, _):
        survey.look()
    found = [{"apiVersion": seen.api_version, "kind": "Thing", **THING}] if seen else []
    assert list(survey.seen["thing"].items) == found
    assert [one.path for one in server.asked] == paths


def test_what_is_installed_later_is_seen_then() -> None:
    with surveyed() as (server, survey, _):
        survey.look()
        assert survey.seen == {"thing": Sighting()}
        server.pages["/apis"] = groups("a.io/v2")
        survey.look()
        assert [one["metadata"]["name"] for one in survey.seen["thing"].items] == ["one"]


def test_a_group_without_the_kind_has_none_of_it() -> None:
    with surveyed("a.io/v2") as (server, survey, _):
        server.pages[NEW.path("shop")] = 404, {"message": "no such thing"}
        survey.look()
    assert survey.seen == {"thing": Sighting()}


def test_what_may_not_be_read_is_not_guessed_and_what_was_seen_stays() -> None:
    with surveyed("a.io/v2") as (server, survey, _):
        survey.look()
        server.pages[NEW.path("shop")] = REFUSED
        survey.look()
    text = "whether a thing drives it cannot be known: agents may not list things.a.io"
    assert survey.seen["thing"].unknown == text
    assert [one["metadata"]["name"] for one in survey.seen["thing"].items] == ["one"]


def test_who_may_not_list_the_groups_tries_the_kinds_themselves() -> None:
    with surveyed() as (server, survey, _):
        server.pages["/apis"] = REFUSED
        survey.look()
    assert survey.seen["thing"].items


def test_before_a_look_has_succeeded_nothing_is_known() -> None:
    with surveyed("a.io/v2") as (server, survey, _):
        server.pages[NEW.path("shop")] = 500, {"message": "not today"}
        survey.look()
    assert survey.seen["thing"].unknown.startswith("not read yet")
    assert survey.looked is None


def test_a_look_is_taken_when_it_is_asked_for_and_not_too_often() -> None:
    with surveyed("a.io/v2") as (server, survey, calls):
        begun = time.monotonic()
        survey.start()
        assert not survey.is_newer(begun)
        assert not survey.is_newer(begun), "one question is enough"
        eventually(lambda: calls)
        assert survey.is_newer(begun)
        later = time.monotonic()
        assert not survey.is_newer(later), "it began before"
        assert not survey.asked.is_set(), "but the last look is not long ago"
        survey.retry = 0.0
        survey.is_newer(later)
        eventually(lambda: len(calls) == 2)
        assert survey.is_newer(later)


def test_the_kinds_of_other_projects_are_looked_for_where_they_are_served() -> None:
    assert {one.path("shop") for kinds in FOREIGN.values() for one in kinds} == {
        "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts",
        "/apis/rollouts.kruise.io/v1beta1/namespaces/shop/rollouts",
        "/apis/rollouts.kruise.io/v1alpha1/namespaces/shop/rollouts",
        "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects",
    }
