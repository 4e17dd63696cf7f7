"""Canaries whose provider is switched while their release is under way."""

from tests.agent.test_canaries import Namespace, routed


def test_a_provider_that_is_switched_in_mid_release_counts_when_that_has_ended() -> None:
    moving = routed(phase="Progressing", provider="istio", scale=1)
    place = Namespace({**moving, "spec": {**moving["spec"], "provider": "kubernetes"}})
    for _ in range(2):
        assert [one.provider for one in place.current()] == ["istio"]
    ((name, text),) = place.said
    assert name == "shop"
    assert text.startswith('spec.provider: "kubernetes" counts when the release under way')
    ended = routed(version=3, phase="Succeeded", provider="istio", scale=0)
    place.show({**ended, "spec": {**ended["spec"], "provider": "kubernetes"}})
    assert [one.provider for one in place.current()] == ["kubernetes"]


def test_one_whose_release_needs_what_was_taken_away_with_its_provider_waits() -> None:
    moving = routed(phase="Progressing", provider="gatewayapi:v1", scale=1)
    place = Namespace(moving)
    assert place.current() == []
    assert "GatewayRefs must be specified" in place.said[0][1]
    assert "counts when the release under way has ended" in place.said[0][1]
