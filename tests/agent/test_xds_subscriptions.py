"""What one router is sent, and when, without a router."""

from dataclasses import replace

from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from agent.subscription import Subscriptions
from delivery.routers.envoy import CDS, EDS, LDS, RDS, Endpoint, Snapshot, resources
from tests.agent.running_router import application

SHOP = application(name="shop")
CART = application(name="cart")
BOTH = resources([SHOP, CART])
MOVED = resources([replace(SHOP, listener=SHOP.listener + 1), CART])


def ask(kind: str, *names: str, nonce: str = "", version: str = "") -> DiscoveryRequest:
    return DiscoveryRequest(
        type_url=kind, resource_names=names, response_nonce=nonce, version_info=version
    )


def told(router: Subscriptions, snapshot: Snapshot) -> list[tuple[str, int]]:
    """The kinds that are sent, and how many resources of each."""
    return [(shown(one), len(one.resources)) for one in router.answers(snapshot)]


def shown(answer: DiscoveryResponse) -> str:
    return {CDS: "CDS", EDS: "EDS", LDS: "LDS", RDS: "RDS"}[answer.type_url]


def accepts(router: Subscriptions, snapshot: Snapshot) -> list[str]:
    """As Envoy does: ACKs, and asks for what the new clusters and listeners name."""
    names = {EDS: snapshot.resources[EDS], RDS: snapshot.resources[RDS]}
    sent = router.answers(snapshot)
    for one in sent:
        kind, version = one.type_url, one.version_info
        router.take(ask(kind, *names.get(kind, ()), nonce=one.nonce, version=version))
    return [shown(one) for one in sent]


def connected(snapshot: Snapshot) -> Subscriptions:
    router = Subscriptions()
    router.take(ask(CDS))
    router.take(ask(EDS, *snapshot.resources[EDS]))
    router.take(ask(LDS))
    router.take(ask(RDS, *snapshot.resources[RDS]))
    assert accepts(router, snapshot) == ["CDS", "EDS", "LDS", "RDS"]
    assert router.has(snapshot)
    return router


def test_nothing_is_sent_twice() -> None:
    assert told(connected(BOTH), BOTH) == []


def test_a_new_weight_sends_one_route() -> None:
    shop = replace(SHOP, canary=(Endpoint("10.0.0.1", 80),))
    router = connected(resources([shop, CART]))
    assert told(router, resources([replace(shop, canary_weight=5), CART])) == [("RDS", 1)]


def test_a_new_pod_sends_one_list_of_endpoints() -> None:
    shop = replace(SHOP, primary=(Endpoint("10.0.0.1", 80),))
    assert told(connected(BOTH), resources([shop, CART])) == [("EDS", 1)]


def test_a_router_that_comes_back_unchanged_is_not_sent_the_whole_again() -> None:
    router = Subscriptions()
    router.take(ask(CDS, version=BOTH.versions[CDS]))
    router.take(ask(LDS, version="of long ago"))
    assert told(router, BOTH) == [("LDS", 2)]


def test_no_app_at_all_is_also_an_answer() -> None:
    router = Subscriptions()
    router.take(ask(CDS))
    assert told(router, resources([])) == [("CDS", 0)]


def test_a_name_that_is_asked_for_later_is_sent_alone() -> None:
    router = Subscriptions()
    router.take(ask(RDS, "shop/80"))
    (first,) = router.answers(BOTH)
    router.take(ask(RDS, "shop/80", "cart/80", nonce=first.nonce, version=first.version_info))
    assert not router.has(BOTH)
    assert told(router, BOTH) == [("RDS", 1)]


def test_a_name_that_was_given_up_is_sent_again_when_asked_for() -> None:
    router = Subscriptions()
    router.take(ask(RDS, "shop/80"))
    (first,) = router.answers(BOTH)
    router.take(ask(RDS, "cart/80", nonce=first.nonce, version=first.version_info))
    (second,) = router.answers(BOTH)
    router.take(ask(RDS, "cart/80", "shop/80", nonce=second.nonce, version=second.version_info))
    assert told(router, BOTH) == [("RDS", 1)]


def test_an_answer_to_what_was_overtaken_changes_nothing() -> None:
    router = connected(BOTH)
    router.take(ask(RDS, nonce="stale"))
    assert router.has(BOTH)


def test_a_changed_listener_is_followed_by_its_route() -> None:
    """Envoy may have dropped the route with the old listener, and would wait for ever."""
    assert told(connected(BOTH), MOVED) == [("LDS", 2), ("RDS", 1)]


def test_an_app_that_left_and_came_back_is_told_in_full() -> None:
    router = connected(BOTH)
    assert accepts(router, left := resources([SHOP])) == ["CDS", "LDS"]
    assert router.has(left)
    router.take(ask(EDS, *BOTH.resources[EDS], nonce="2"))
    assert ("CDS", 4) in told(router, BOTH)


def test_what_was_refused_is_not_sent_again_until_it_changes() -> None:
    router = Subscriptions()
    router.take(ask(LDS))
    (sent,) = router.answers(BOTH)
    refusal = ask(LDS, nonce=sent.nonce)
    refusal.error_detail.message = "no such filter"
    assert router.take(refusal) == "no such filter"
    assert told(router, BOTH) == []
    assert not router.versions()
    assert told(router, MOVED) == [("LDS", 2)]


def test_asking_for_more_after_a_refusal_is_no_consent() -> None:
    router = Subscriptions()
    router.take(ask(RDS, "shop/80"))
    (sent,) = router.answers(BOTH)
    refusal = ask(RDS, "shop/80", nonce=sent.nonce)
    refusal.error_detail.message = "no such cluster"
    router.take(refusal)
    router.take(ask(RDS, "shop/80", "cart/80", nonce=sent.nonce))
    assert router.versions() == {}
