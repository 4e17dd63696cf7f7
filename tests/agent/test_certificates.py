import datetime as dt

import pytest

from agent.certificates import TRIES, Certificates, provisional, settled
from agent.tls import Presented, host
from certs.secret import encoded
from certs.store import Store
from delivery import names
from delivery.optin import certificates
from tests.agent.identities import OURS, store
from tests.cluster.loopback import serving


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


SECRETS = "/api/v1/namespaces/shop/secrets"
HELD = {names.AGENT_TLS: OURS.agents, names.ROUTER_TLS: OURS.routers}


def kept(name: str, held: Store) -> dict[str, object]:
    metadata = {"name": name, "namespace": "shop", "resourceVersion": "1"}
    return {"metadata": metadata, "data": encoded(held)}


def test_what_keeps_the_certificates_away_is_said_once_until_they_were_there() -> None:
    said: list[str] = []
    shown = Presented(provisional("shop"))
    with serving() as server:
        keeping = Certificates(server.api(), "shop", shown, lambda *_: None, unable=said.append)
        for _ in range(2):
            server.pages = {f"{SECRETS}/{name}": (403, {"message": "no room"}) for name in HELD}
            assert not any(keeping.tried() for _ in range(TRIES + 2))
            server.pages = {f"{SECRETS}/{name}": (200, kept(name, HELD[name])) for name in HELD}
            assert keeping.tried()
    assert len(said) == 2
    assert all("no room" in text for text in said)
    assert shown.identity.same(OURS)
