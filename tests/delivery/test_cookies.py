"""Cookies that hold users to the version that they met first (reference, 6.3)."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Affinity, Analysis, Phase
from delivery.cookies import Cookies, begun, in_force
from delivery.guard import RANGE, Policy
from delivery.hypotheses import policy
from delivery.matching import Comparison, Match, Way
from delivery.routers.division import Division, Part, parts
from delivery.rules import analysis
from tests.delivery.scenes import JUDGED, NOW, RELEASING, canary, decided, half, releasing, seen
from tests.delivery.walks import walk

STICKY = Affinity("sticky", max_age=60)
BOTH = Affinity("sticky", "stable", 60, 10, "; Path=/; Secure")
AFFINE: dict[str, Any] = {"analysis": {"affinity": STICKY}}
WITH = replace(JUDGED, cookie="sticky=a", previous_cookie="sticky=b")
BETA = Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),))


def sent(pair: str) -> Match:
    return Match(headers=(Comparison("cookie", Way.CONTAINS, pair),))


def test_a_cookie_begins_with_the_first_weight_and_ends_with_the_last() -> None:
    found = [(one.canary_weight, one.cookie, one.previous_cookie) for one, _ in walk(**AFFINE)]
    cookie = found[0][1]
    assert cookie.startswith("sticky=")
    assert len(cookie) == len("sticky=") + 20
    assert found == [
        *[(weight, cookie, "") for weight in (20, 40, 50, 50)],
        *[(0, "", cookie), (0, "", cookie)],
    ]


def test_each_run_of_each_revision_has_a_cookie_of_its_own() -> None:
    runs = [
        RELEASING,
        replace(RELEASING, observed="v3"),
        replace(RELEASING, phase_since=NOW + 0.5),
    ]
    both = {"analysis": {"affinity": BOTH}}
    values = [begun(canary(run, **both)) for run in runs]
    assert len({one[name] for one in values for name in ("cookie", "primary_cookie")}) == 6
    assert begun(canary(RELEASING, **both)) == values[0]


def test_a_cookie_that_is_there_stays_whatever_the_canary_is_called_now() -> None:
    renamed = {"analysis": {"affinity": Affinity("other")}}
    assert begun(canary(WITH, **renamed))["cookie"] == "sticky=a"
    assert begun(canary(RELEASING)) == {}


def test_a_rollback_takes_it_back_in_the_same_write() -> None:
    look = replace(releasing(), target=half("v2", 2, failing="pod x: CrashLoopBackOff"))
    after = decided(analysis.broken_canary_rolls_back, WITH, look, **AFFINE).canary.status
    assert (after.phase, after.cookie) == (Phase.FAILED, "")
    assert after.previous_cookie == "sticky=a"


def test_a_new_revision_forgets_who_had_met_the_one_before() -> None:
    after = decided(
        analysis.new_revision_starts_over, WITH, seen("v3", scale=2), **AFFINE
    ).canary.status
    assert (after.cookie, after.previous_cookie) == ("", "sticky=a")


@pytest.mark.parametrize(
    ("status", "pods", "expected"),
    [
        (WITH, True, Cookies(STICKY, "sticky=a", "", "sticky=b")),
        (WITH, False, Cookies(STICKY, previous="sticky=b")),
        (replace(WITH, canary_weight=0), True, Cookies(STICKY, previous="sticky=b")),
    ],
)
def test_only_a_canary_with_pods_holds_users(status: Any, pods: bool, expected: Cookies) -> None:
    assert in_force(canary(status, **AFFINE), has_pods=pods) == expected
    assert in_force(canary(status), has_pods=pods) is None


def test_who_has_met_the_canary_comes_first_and_chance_last() -> None:
    cookies = Cookies(BOTH, "sticky=a", "stable=c", "sticky=b")
    joins = "sticky=a; Max-Age=60; Path=/; Secure"
    stays = "stable=c; Max-Age=10; Path=/; Secure"
    leaves = "sticky=b; Max-Age=-1; Path=/; Secure"
    assert list(parts(Division(30, (BETA,), 0, cookies))) == [
        Part(sent("sticky=a"), 100, from_canary=joins),
        Part(BETA, 100, from_canary=joins),
        Part(sent("stable=c"), 0),
        Part(sent("sticky=b"), 30, from_canary=joins, from_primary=leaves),
        Part(Match(), 30, from_canary=joins, from_primary=stays),
    ]


def test_between_releases_only_the_last_cookie_is_taken_back() -> None:
    leaves = "sticky=b; Max-Age=-1; Path=/"
    assert list(parts(Division(cookies=Cookies(STICKY, previous="sticky=b")))) == [
        Part(sent("sticky=b"), 0, from_primary=leaves),
        Part(Match(), 0),
    ]
    assert list(parts(Division(cookies=Cookies(STICKY)))) == [Part(Match(), 0)]


def test_halves_that_keep_their_users_are_not_compared() -> None:
    strict = policy(Analysis(step_weight=10, affinity=STICKY, guard=Policy()))
    assert strict
    assert strict.mode == RANGE
