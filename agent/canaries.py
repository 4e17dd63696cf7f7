"""The namespace's Canaries as values: the newest of what was seen and what we wrote ourselves."""

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from cluster.api import Object
from cluster.watch import Cache, version
from delivery import names, pair, questions, rivals, schema, serving, switching
from delivery.alert import Route
from delivery.canary import Canary, Phase
from delivery.intent import ADOPTED
from delivery.pair import Objects
from delivery.wanting import wanting

DRAIN_SECONDS = 600.0
"""Envoy's own limit for connections of a listener that was removed."""


@dataclass
class Canaries:
    """`invalid` is told of each Canary that cannot be acted on, and why; once for each reason.

    `otherwise` is who is told of those that name nobody. `superseded` are generated ones whose app
    a user's Canary has taken over. `apart` keeps what goes wrong with one from the others.
    """

    cache: Cache
    invalid: Callable[[Object, str], None]
    find: questions.Find
    otherwise: tuple[Route, ...] = ()
    apart: Callable[[Mapping[str, Any], str], AbstractContextManager[None]] = lambda raw, deed: (
        nullcontext()
    )
    written: dict[str, Object] = field(default_factory=dict)
    served: dict[str, Canary] = field(default_factory=dict)
    complaints: dict[str, frozenset[str]] = field(default_factory=dict)
    superseded: set[str] = field(default_factory=set)
    closed: dict[str, tuple[Canary, float]] = field(default_factory=dict)
    newest: Sequence[Object] = ()

    def current(self, found: Objects) -> Sequence[tuple[Object, Canary]]:
        """Each with the manifest that it was read from; a cache may lag behind our own writes."""
        seen = {raw["metadata"]["name"]: raw for raw in self.cache.items("Canary")}
        self.written = {name: raw for name, raw in self.written.items() if name in seen}
        self.newest = [
            max((raw, self.written.get(name, raw)), key=version)
            for name, raw in sorted(seen.items())
        ]
        return list(self.parsed(self.newest, found))

    def held_ports(self) -> Mapping[str, set[int]]:
        """The routers' ports of each app: also of what cannot be read, and of what has gone while
        a Service leads to them.
        """
        held = {target: set(gone.status.ports.values()) for target, gone in self.served.items()}
        for raw in self.newest:
            status = schema.status_of(raw.get("status") or {})
            if status.phase is not Phase.TERMINATED:
                target = str((raw["spec"].get("targetRef") or {}).get("name", ""))
                held.setdefault(target, set()).update(status.ports.values())
        return held

    def wrote(self, raw: Object) -> None:
        self.written[raw["metadata"]["name"]] = raw

    def parsed(
        self, manifests: Iterable[Object], found: Objects
    ) -> Iterator[tuple[Object, Canary]]:
        every = list(self.readable(manifests, found))
        deciding = rivals.deciding(raw for raw, _, _ in every)
        adopted = {canary.name for _, canary, _ in every if canary.status.phase in ADOPTED}
        self.superseded.clear()
        for raw, canary, problems in every:
            name = deciding[rivals.target_of(raw)]
            if name == canary.name:
                yield raw, canary
            else:
                problems = tuple(self.hold(raw, name, adopted))
            self.complain(raw, frozenset(problems))

    def hold(self, raw: Object, name: str, adopted: Container[str]) -> Iterator[str]:
        """Another Canary decides: this one keeps its users until that one has taken them over."""
        self.keep(raw)
        if not schema.is_untouched(raw):
            yield rivals.held(raw, name)
        elif name in adopted:
            self.superseded.add(raw["metadata"]["name"])

    def taken_over(self) -> Sequence[Object]:
        return [one for one in self.newest if one["metadata"]["name"] in self.superseded]

    def readable(
        self, manifests: Iterable[Object], found: Objects
    ) -> Iterator[tuple[Object, Canary, tuple[str, ...]]]:
        """With what is wrong with their defaults; of the others only their users are kept."""
        for raw in manifests:
            if raw["metadata"].get("deletionTimestamp"):
                self.keep(raw)
                continue
            if read := self.tried(raw, found):
                yield raw, *read
            else:
                self.keep(raw)

    def tried(self, raw: Object, found: Objects) -> tuple[Canary, tuple[str, ...]] | None:
        with self.apart(raw, "reading it"):
            try:
                return self.read(raw, found)
            except schema.InvalidCanary:
                self.complain(raw, frozenset(switching.problems(raw)))
        return None

    def read(self, raw: Object, found: Objects) -> tuple[Canary, tuple[str, ...]]:
        """A generated one takes its defaults from the ConfigMap, then from the Deployment."""
        config = pair.named(self.cache.items("ConfigMap"), names.DEFAULTS) or {}
        annotations: Mapping[str, str] = {}
        if schema.is_generated(raw):
            target = pair.named(found.deployments, raw["spec"]["targetRef"]["name"])
            annotations = (target or {"metadata": {}})["metadata"].get("annotations") or {}
        data = config.get("data") or {}
        analysis, problems = schema.defaults_from(data, annotations)
        deadline = schema.deadline_from(data, annotations)
        canary = schema.parse(switching.held(raw), analysis, progress_deadline=deadline)
        problems += switching.cautions(raw)
        if not canary.analysis.alerts:
            canary = replace(canary, analysis=replace(canary.analysis, alerts=self.otherwise))
        unbuilt = questions.unbuilt(canary, self.find)
        lacking = wanting(canary, found)
        return replace(canary, unbuilt=(*canary.unbuilt, *unbuilt, *lacking)), problems

    def keep(self, raw: Object) -> None:
        """Nothing is decided for it any more, but its users are on the routers all the same:
        also an agent that has never seen it otherwise may not let its ports go. The route is as it
        was said, if that can be read.
        """
        with self.apart(raw, "keeping its users"):
            canary = next(as_it_stands(raw), None)
            if canary and canary.status.apex_moved is not None:
                self.served.setdefault(canary.target, canary)

    def complain(self, raw: Object, problems: frozenset[str]) -> None:
        name = raw["metadata"]["name"]
        for problem in sorted(problems - self.complaints.get(name, frozenset())):
            self.invalid(raw, problem)
        self.complaints[name] = problems

    def to_serve(self, canaries: Sequence[Canary], found: Objects) -> Sequence[Canary]:
        """Those that routers must know of: also one just deleted whose apex still leads to them."""
        ready = {one.target: one for one in canaries if one.status.apex_moved is not None}
        left = {
            target: gone
            for target, gone in self.served.items()
            if target not in ready and serving.still_routed(gone, found.services)
        }
        self.served = left | ready
        begun = {one.target: one for one in canaries if one.target not in self.served}
        self.remember_closed(begun.values())
        closed = [
            gone for target, (gone, _) in self.closed.items() if target not in self.served | begun
        ]
        return [*self.served.values(), *begun.values(), *closed]

    def remember_closed(self, canaries: Iterable[Canary]) -> None:
        """Apps given back, for as long as a router may hold old connections to them."""
        now = time.monotonic()
        self.closed = {name: kept for name, kept in self.closed.items() if now < kept[1]}
        for one in canaries:
            if serving.is_closed(one):
                self.closed[one.target] = one, now + DRAIN_SECONDS


def as_it_stands(raw: Object) -> Iterator[Canary]:
    """Of what cannot be read, or is not to be: with its route, and without, where that can be."""
    for fields in (("targetRef", "service"), ("targetRef",)):
        said = {key: raw["spec"][key] for key in fields if key in raw["spec"]}
        bare = {**raw, "spec": {**said, "skipAnalysis": True}}
        with suppress(schema.InvalidCanary):
            yield schema.parse(bare, schema.DEFAULTS)
