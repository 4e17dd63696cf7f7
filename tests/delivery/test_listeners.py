"""The routers' listener ports: given once, kept, and at rest for a while after their app left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.listeners import (
    REST_SECONDS,
    Claim,
    Claims,
    allocated,
    claims,
    followed,
    taken,
    written,
)

NOW = 5000.0
KNOWN: Claims = {20001: Claim("web"), 20002: Claim("cart", 4000.5)}


@given(st.text(min_size=1), st.lists(st.integers(1, 65535).map(str), unique=True, max_size=5))
def test_each_port_gets_a_listener_of_its_own_that_nobody_has(name: str, ports: list[str]) -> None:
    first = allocated(name, ports, frozenset())
    assert list(first) == ports
    assert all(listener in names.LISTENERS for listener in first.values())
    second = allocated(name, ports, frozenset(first.values()))
    assert not set(first.values()) & set(second.values())
    assert len({*first.values(), *second.values()}) == 2 * len(ports)


def test_an_app_gets_the_same_listeners_again_where_they_are_free() -> None:
    assert allocated("web", ["80"], frozenset()) == allocated("web", ["80"], frozenset({1}))


def test_a_listener_that_a_service_leads_to_is_kept_unless_it_is_anothers() -> None:
    present = {"80": 20001, "gone": 20002}
    assert allocated("web", ["80"], frozenset(), present) == {"80": 20001}
    assert allocated("web", ["80"], frozenset({20001}), present)["80"] != 20001
    both = allocated("web", ["80", "81"], frozenset(), present)
    assert both["80"] == 20001 != both["81"]


def test_when_every_listener_is_taken_there_is_none() -> None:
    all_but_one = frozenset(names.LISTENERS) - {20007}
    assert allocated("web", ["80", "81"], all_but_one) == {"80": 20007}


def test_claims_survive_their_storage() -> None:
    assert written(KNOWN) == '{"cart":{"20002":4000.5},"web":{"20001":0}}'
    assert claims(written(KNOWN)) == KNOWN
    assert claims("") == {}


@pytest.mark.parametrize(
    "spoilt", ["{", "[]", '{"web": 1}', '{"web": {"x": 0}}', '{"web":{"1":[]}}']
)
def test_claims_that_were_spoilt_by_hand_are_none(spoilt: str) -> None:
    assert claims(spoilt) == {}


def test_what_is_held_is_claimed_whoever_had_it_before() -> None:
    held = {"web": {20001}, "api": {20002}}
    assert followed(KNOWN, held, NOW) == {20001: Claim("web"), 20002: Claim("api")}


def test_what_is_no_longer_held_rests_from_the_first_look_on() -> None:
    assert followed({20001: Claim("web")}, {}, NOW) == {20001: Claim("web", NOW)}
    resting = {20001: Claim("web", NOW)}
    assert followed(resting, {}, NOW + 9.0) == resting


@pytest.mark.parametrize(("later", "rests"), [(REST_SECONDS - 1, True), (REST_SECONDS, False)])
def test_a_port_rests_for_ten_minutes(later: float, rests: bool) -> None:
    assert (20001 in followed({20001: Claim("web", NOW)}, {}, NOW + later)) is rests


def test_an_app_that_comes_back_may_have_its_own_port() -> None:
    known = {**KNOWN, 20003: Claim("web", NOW)}
    assert taken(known, "web") == {20002}
    assert taken(known, "cart") == {20001, 20003}
