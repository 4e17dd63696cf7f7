import datetime as dt

import pytest

from agent.certificates import settled
from agent.tls import host
from certs.secret import encoded
from delivery import names
from delivery.optin import certificates
from tests.agent.identities import OURS, store


@pytest.mark.parametrize(("minutes", "expected"), [(9, False), (11, True)])
def test_an_authority_signs_when_every_kubelet_has_had_time_to_bring_it(
    minutes: int, expected: bool
) -> None:
    made = store(names.ROUTER, made=dt.timedelta(minutes=minutes))
    assert (made.newest in settled(made)) is expected


def test_nothing_is_settled_before_a_look() -> None:
    assert not settled(None)


def test_a_router_finds_what_it_mounts_in_the_secrets() -> None:
    for source in certificates()["projected"]["sources"]:
        assert {one["key"] for one in source["secret"]["items"]} <= encoded(OURS.agents).keys()


def test_each_namespace_has_names_of_its_own() -> None:
    assert OURS.router_host == host("outrider-router", "shop") == "outrider-router.shop"
    assert OURS.routers.covers([OURS.router_host])
    assert not OURS.agents.covers([OURS.router_host])
