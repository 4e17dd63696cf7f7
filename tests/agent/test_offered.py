"""What Canaries name of other namespaces, read from an API server on loopback."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent import offered as module
from agent.offered import MOST_READS, NotOffered, Offered
from agent.secrets import Secrets
from cluster.api import Object
from cluster.watch import Cache, Watched
from delivery.alert import Route
from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.references import Named
from tests.cluster.loopback import Server, serving

FLAGGER = "/apis/flagger.app/v1beta1/namespaces/tools"
PATH = f"{FLAGGER}/metrictemplates/lag"
SECRET = "/api/v1/namespaces/tools/secrets/login"
LAG = Named("MetricTemplate", "tools", "lag")
LENT = Metric("lag", template="lag", template_namespace="tools")
WORD = "s3cret-of-tools"


def template(secret: str = "") -> Object:
    named = {"secretRef": {"name": secret}} if secret else {}
    return {"metadata": {"name": "lag"}, "spec": {"provider": {"type": "prometheus", **named}}}


def canary(*metrics: Metric, phase: Phase = Phase.SUCCEEDED, alerts: Any = ()) -> Canary:
    analysis = Analysis(metrics=metrics or (LENT,), alerts=alerts)
    return Canary("web", "shop", "web", analysis, status=Status(phase))


class Place:
    """A namespace with one MetricTemplate of its own, and an API server that has the others."""

    def __init__(self, server: Server) -> None:
        self.server = server
        api = server.api(seconds=1.0)
        self.cache = Cache([Watched(api, "MetricTemplate", "shop")])
        own = {"metadata": {"name": "own"}}
        self.cache.by_kind["MetricTemplate"].informer.cache._replace_all([own])
        self.offered = Offered(api, self.cache, "shop", Secrets(api, "shop").read)

    def shows(self, path: str, status: int, page: Object) -> None:
        self.server.pages[path] = status, page

    def look(self, *canaries: Canary) -> tuple[str, ...]:
        self.offered.look(canaries or (canary(),))
        return self.offered.refused(canary())

    def asked(self) -> list[str]:
        return [one.path for one in self.server.asked]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """What was read once is read again at each look."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(module, "MOVING_SECONDS", 0.0)
    with serving() as server:
        yield Place(server)


def test_of_the_own_namespace_nothing_is_asked(place: Place) -> None:
    own = Named("MetricTemplate", "shop", "own")
    assert place.offered.find(own) == {"metadata": {"name": "own"}}
    assert place.offered.find(replace(own, name="other")) is None
    place.look(canary(Metric("errors", template="own")))
    assert place.asked() == []


def test_what_is_offered_is_read_by_its_name(place: Place) -> None:
    place.shows(PATH, 200, template())
    with pytest.raises(NotOffered, match="not read yet"):
        place.offered.find(LAG)
    assert place.look() == ()
    assert place.offered.find(LAG) == place.offered.looked_up(LAG) == template()
    assert place.asked() == [PATH]
    place.look(canary(Metric("lag")))
    assert place.offered.known == {}


def test_what_is_not_offered_says_field_value_and_fix(place: Place) -> None:
    place.shows(PATH, 403, {"message": "you may not"})
    (why,) = place.look()
    assert why.startswith('spec.analysis.metrics[0].templateRef.namespace: "tools" does not offer ')
    assert "kubectl annotate namespace tools outrider.dev/offers-to=shop" in why
    with pytest.raises(NotOffered, match="does not offer"):
        place.offered.find(LAG)
    assert place.offered.looked_up(LAG) is None
    place.shows(PATH, 200, template())
    assert place.look() == ()
    place.shows(PATH, 403, {"message": "you may not"})
    assert len(place.look()) == 1


def test_an_alert_provider_is_looked_for_too(place: Place) -> None:
    path = f"{FLAGGER}/alertproviders/chat"
    place.shows(path, 403, {})
    found = canary(Metric("x"), alerts=(Route("ops", "chat", namespace="tools"),))
    place.look(found)
    (why,) = place.offered.refused(found)
    assert why.startswith("spec.analysis.alerts[0].providerRef.namespace: ")


def test_what_the_installation_names_for_all_halts_nobody(place: Place) -> None:
    place.shows(f"{FLAGGER}/alertproviders/chat", 403, {})
    route = Route("tools/chat", "chat", namespace="tools", everybodys=True)
    found = canary(Metric("x"), alerts=(route,))
    place.look(found)
    assert place.offered.refused(found) == ()
    with pytest.raises(NotOffered, match="does not offer its AlertProviders"):
        place.offered.find(Named("AlertProvider", "tools", "chat"))


@pytest.mark.parametrize(
    ("status", "refused"), [(200, False), (404, False), (500, False), (403, True)]
)
def test_a_secret_that_goes_along_must_be_allowed_by_name(
    place: Place, status: int, refused: bool
) -> None:
    data = {"token": base64.b64encode(WORD.encode()).decode()}
    place.shows(PATH, 200, template("login"))
    place.shows(SECRET, status, {"data": data, "message": WORD})
    said = place.look()
    assert bool(said) is refused
    if refused:
        begin = 'spec.analysis.metrics[0].templateRef: Secret "login" of MetricTemplate "lag": '
        assert said[0].startswith(begin)
        assert "kubectl -n tools create role outrider-offers-secrets --verb=get" in said[0]
    assert WORD not in str((said, place.offered.known))


def test_what_is_not_there_is_absent_and_a_lost_answer_halts_nothing(place: Place) -> None:
    place.shows(PATH, 404, {})
    assert (place.look(), place.offered.find(LAG)) == ((), None)
    place.shows(PATH, 200, template())
    place.look()
    place.shows(PATH, 503, {"message": "not today"})
    assert (place.look(), place.offered.find(LAG)) == ((), template())


def test_an_answer_that_never_came_is_waited_for(place: Place) -> None:
    place.shows(PATH, 503, {"message": "not today"})
    other = replace(LENT, template="other")
    place.look(canary(LENT, other))
    assert len(place.asked()) == 1
    with pytest.raises(NotOffered, match="not today"):
        place.offered.find(LAG)


def test_a_name_that_leads_elsewhere_is_asked_of_nobody(place: Place) -> None:
    place.shows(PATH, 200, template("../../shop/secrets/login"))
    odd = canary(replace(LENT, template="../secrets/login"))
    place.look(odd)
    assert place.asked() == []
    place.look()
    assert place.asked() == [PATH]


def test_it_is_read_seldom_and_a_few_at_a_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 60.0)
    many = [replace(LENT, template=f"t{index}") for index in range(MOST_READS + 2)]
    for metric in many:
        place.shows(f"{FLAGGER}/metrictemplates/{metric.template}", 200, template())
    for _ in range(3):
        place.look(canary(*many))
    assert len(place.asked()) == len(set(place.asked())) == len(many)
    place.look(canary(*many, phase=Phase.PROGRESSING))
    assert len(place.asked()) == len(many) + MOST_READS
