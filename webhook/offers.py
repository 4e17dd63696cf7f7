"""Keeps the bindings by which namespaces offer their objects to the agents of others."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.api import Api, Object
from cluster.errors import ClusterError
from cluster.watch import Watched
from delivery import names
from delivery.covering import covers
from delivery.offers import bindings, is_ours, offers
from delivery.optin import enrolled
from webhook.registration import NEVER

log = logging.getLogger(__name__)

Place = tuple[str, str]
"""Namespace and name."""


def place(binding: Mapping[str, Any]) -> Place:
    return binding["metadata"]["namespace"], binding["metadata"]["name"]


def standing(api: Api, changed: Callable[[], None]) -> Sequence[Watched]:
    """Our bindings in all namespaces, by their names."""
    return [
        Watched(
            api,
            "RoleBinding",
            changed=lambda *_: changed(),
            query={"fieldSelector": f"metadata.name={name}"},
        )
        for name in (names.OFFERS, names.OFFERED_SECRETS)
    ]


@dataclass
class Offers:
    """`standing` are watches of the bindings that there are."""

    api: Api
    own_namespace: str
    label: str
    namespaces: Watched
    standing: Sequence[Watched]
    leading: Callable[[], bool]

    def known(self, namespace: str, to: str) -> bool:
        """Whether it is seen that one offers its objects to the other."""
        every = (one for one in self.ordinary() if one["metadata"]["name"] == namespace)
        return any(offers(one, to) for one in every)

    def ordinary(self) -> Sequence[Object]:
        """Nothing is made in a namespace of the cluster's own or in ours."""
        kept = {*NEVER, self.own_namespace}
        return [one for one in self.namespaces.items() if one["metadata"]["name"] not in kept]

    def turn(self) -> None:
        """Gives what is offered and takes the rest away; one that fails keeps no other waiting."""
        watches = (self.namespaces, *self.standing)
        if not all(one.synced.is_set() for one in watches) or not self.leading():
            return
        found = {place(one): one for watch in self.standing for one in watch.items()}
        spaces = self.ordinary()
        asking = {one["metadata"]["name"] for one in spaces if enrolled(one, self.label)}
        wanted = {place(one): one for one in bindings(spaces, asking)}
        given = [self.given(one, found.get(key)) for key, one in wanted.items()]
        taken = [
            self.taken(key) for key, one in found.items() if key not in wanted and is_ours(one)
        ]
        if not all((*given, *taken)):
            raise ClusterError("not all that is offered is in order")

    def given(self, wanted: Mapping[str, Any], found: Object | None) -> bool:
        if found is not None and covers(found, wanted):
            return True
        return self.done("applied", place(wanted), lambda: self.apply(wanted))

    def apply(self, wanted: Mapping[str, Any]) -> None:
        self.api.apply(wanted, manager=names.WEBHOOK_MANAGER)

    def taken(self, where: Place) -> bool:
        namespace, name = where
        return self.done(
            "deleted", where, lambda: self.api.delete("RoleBinding", name, namespace=namespace)
        )

    def done(self, what: str, where: Place, doing: Callable[[], None]) -> bool:
        namespace, name = where
        try:
            doing()
        except ClusterError as error:
            log.warning("%s", error, extra={"namespace": namespace})
            return False
        log.info("%s RoleBinding %s", what, name, extra={"namespace": namespace})
        return True
