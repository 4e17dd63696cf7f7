"""What one router has asked for, been sent and accepted, and so what it must be sent next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from google.protobuf.any_pb2 import Any as Packed

from delivery.routers.envoy import CDS, EDS, LDS, MAKE_BEFORE_BREAK, RDS, Snapshot

_WHOLE = frozenset({CDS, LDS})
"""Types that are always sent whole: what is left out is removed. Of the others, what changed."""
_DEPENDENT = {CDS: EDS, LDS: RDS}
"""Envoy waits for the one when it has been given a new or changed other of the same name."""


@dataclass
class _Subscription:
    """One type on one stream. `sent` and `accepted`: resource name -> content."""

    names: frozenset[str] = frozenset()
    claimed: str = ""
    nonce: str = ""
    refused: str = ""
    pending: str = ""
    version: str = ""
    sent: dict[str, bytes] = field(default_factory=dict)
    accepted: Mapping[str, bytes] = field(default_factory=dict)


class Subscriptions:
    """The types of one stream. Not for use by several threads at once."""

    def __init__(self) -> None:
        self._types: dict[str, _Subscription] = {}
        self._answered = 0

    def take(self, request: DiscoveryRequest) -> str:
        """Takes note of a subscription, an ACK or a NACK; answers with the refusal, if it is one.

        What was refused counts as sent, so it is not sent again until its content changes.
        """
        first = _Subscription(claimed=request.version_info)
        held = self._types.setdefault(request.type_url, first)
        if request.response_nonce != held.nonce:
            return ""  # An answer to what has been overtaken: one to the latest is on its way.
        held.names = frozenset(request.resource_names)
        if request.type_url not in _WHOLE:
            # A name that was given up and is asked for again must be sent again.
            held.sent = {name: held.sent[name] for name in held.sent.keys() & held.names}
        if request.HasField("error_detail"):
            held.refused = held.nonce
            return str(request.error_detail.message)
        if held.nonce not in ("", held.refused):
            held.version = held.pending
            held.accepted = dict(held.sent)
        return ""

    def answers(self, snapshot: Snapshot) -> list[DiscoveryResponse]:
        """All that is due, in the order that never names what is not there yet."""
        return [
            answer
            for kind in MAKE_BEFORE_BREAK
            if kind in self._types and (answer := self._answer(kind, snapshot))
        ]

    def versions(self) -> Mapping[str, str]:
        """The version of each type that was accepted last."""
        return {kind: held.version for kind, held in self._types.items() if held.version}

    def has(self, snapshot: Snapshot) -> bool:
        """Whether every resource of the snapshot, and no listener or cluster else, is accepted."""
        return all(self._holds(kind, named) for kind, named in snapshot.resources.items())

    def _holds(self, kind: str, named: Mapping[str, bytes]) -> bool:
        held = self._types.get(kind, _Subscription())
        if kind in _WHOLE:
            return bool(held.version) and held.accepted == dict(named)
        return all(held.accepted.get(name) == content for name, content in named.items())

    def _answer(self, kind: str, snapshot: Snapshot) -> DiscoveryResponse | None:
        held, named = self._types[kind], snapshot.resources[kind]
        due = self._whole(kind, snapshot) if kind in _WHOLE else _changed(held, named)
        if due is None:
            return None
        self._answered += 1
        held.nonce, held.pending = str(self._answered), snapshot.versions[kind]
        return DiscoveryResponse(
            version_info=held.pending,
            type_url=kind,
            nonce=held.nonce,
            resources=[Packed(type_url=kind, value=content) for content in due.values()],
        )

    def _whole(self, kind: str, snapshot: Snapshot) -> Mapping[str, bytes] | None:
        held, named = self._types[kind], dict(snapshot.resources[kind])
        if not held.nonce and held.claimed == snapshot.versions[kind]:
            # A router that comes back with just this, from us before or from another agent.
            held.version, held.sent, held.accepted = held.claimed, named, named
        if held.sent == named and (held.nonce or held.version):
            return None
        before, held.sent = held.sent, named
        dependent = self._types.get(_DEPENDENT[kind], _Subscription())
        for name, content in named.items():
            if before.get(name) != content:
                dependent.sent.pop(name, None)
        return named


def _changed(held: _Subscription, named: Mapping[str, bytes]) -> Mapping[str, bytes] | None:
    due = {
        name: content
        for name, content in named.items()
        if name in held.names and held.sent.get(name) != content
    }
    held.sent.update(due)
    return due or None
