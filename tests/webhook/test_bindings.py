"""Bindings of what namespaces offer, made and taken back at an API server on loopback."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.watch import Watched
from delivery import names
from tests.cluster.loopback import Server, serving
from webhook.offers import Offers, standing

GROUP = "/apis/rbac.authorization.k8s.io/v1/namespaces"
PATHS = [f"{GROUP}/tools/rolebindings/{one}" for one in (names.OFFERS, names.OFFERED_SECRETS)]
SHOP = {"metadata": {"name": "shop", "labels": {names.ENABLED: "true"}}}


def tools(said: str = "shop", name: str = "tools") -> Mapping[str, Any]:
    return {"metadata": {"name": name, "annotations": {names.OFFERS_TO: said}}}


class Cluster:
    """Namespaces and bindings as they are seen, and what the API server was asked."""

    def __init__(self, server: Server) -> None:
        api = server.api()
        self.server = server
        self.leads = True
        self.offers = Offers(
            api=api,
            own_namespace="outrider-system",
            label=names.ENABLED,
            namespaces=Watched(api, "Namespace"),
            standing=standing(api, lambda: None),
            leading=lambda: self.leads,
        )
        self.show(self.offers.namespaces)
        for one in self.offers.standing:
            self.show(one)

    def show(self, watched: Watched, *items: Any) -> None:
        watched.informer.cache._replace_all(list(items))
        watched.synced.set()

    def turn(self, *namespaces: Mapping[str, Any]) -> list[tuple[str, str]]:
        self.show(self.offers.namespaces, *namespaces)
        self.server.asked.clear()
        self.offers.turn()
        return [(one.method, one.path) for one in self.server.asked]

    def stand(self, **changes: Any) -> None:
        """What was applied is there, as a watch shows it."""
        made = {one.path: one.body for one in self.server.asked if one.method == "PATCH"}
        for watched, path in zip(self.offers.standing, PATHS, strict=True):
            found = made[path]
            self.show(watched, {**found, "metadata": {**found["metadata"], **changes}})


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with serving() as server:
        yield Cluster(server)


def test_an_offer_is_bound_once_and_taken_back(cluster: Cluster) -> None:
    assert cluster.turn(SHOP, tools()) == [("PATCH", path) for path in PATHS]
    cluster.stand()
    assert cluster.turn(SHOP, tools()) == []
    assert cluster.turn(SHOP, tools("other")) == [("DELETE", path) for path in PATHS]
    assert cluster.turn({"metadata": {"name": "shop"}}, tools()) == [
        ("DELETE", path) for path in PATHS
    ]


def test_one_more_who_may_read_changes_the_bindings(cluster: Cluster) -> None:
    cluster.turn(SHOP, tools("*"))
    cluster.stand()
    other = {"metadata": {"name": "other", "labels": {names.ENABLED: "selected"}}}
    assert cluster.turn(SHOP, tools("*"), other) == [("PATCH", path) for path in PATHS]
    (asked, _) = cluster.server.asked
    assert [one["namespace"] for one in asked.body["subjects"]] == ["other", "shop"]


def test_what_somebody_else_made_is_left_to_him(cluster: Cluster) -> None:
    cluster.turn(SHOP, tools())
    cluster.stand(labels={})
    assert cluster.turn(SHOP, tools("")) == []


@pytest.mark.parametrize("name", ["kube-system", "outrider-system"])
def test_namespaces_of_the_clusters_own_offer_nothing(cluster: Cluster, name: str) -> None:
    assert cluster.turn(SHOP, tools(name=name)) == []
    assert not cluster.offers.known(name, "shop")


def test_only_the_leader_acts_and_only_on_what_it_has_seen_whole(cluster: Cluster) -> None:
    cluster.leads = False
    assert cluster.turn(SHOP, tools()) == []
    cluster.leads = True
    cluster.offers.standing[0].synced.clear()
    assert cluster.turn(SHOP, tools()) == []


def test_one_that_fails_is_tried_again_and_keeps_no_other_waiting(cluster: Cluster) -> None:
    cluster.server.pages[PATHS[0]] = 403, {"message": "you may not"}
    with pytest.raises(ClusterError, match="not all that is offered"):
        cluster.turn(SHOP, tools())
    assert [one.path for one in cluster.server.asked] == PATHS


def test_who_offers_what_to_whom_is_known(cluster: Cluster) -> None:
    cluster.turn(SHOP, tools())
    assert cluster.offers.known("tools", "shop")
    assert not cluster.offers.known("tools", "other")
    assert not cluster.offers.known("shop", "tools")
