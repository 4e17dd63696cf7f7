"""The namespace's Canaries as values: the newest of what was seen and what we wrote ourselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cluster.api import Object
from cluster.watch import Cache
from delivery import apex, names, pair, schema
from delivery.canary import Canary
from delivery.pair import Objects


@dataclass
class Canaries:
    """`invalid` is told of each Canary that cannot be read, and why; once for each reason."""

    cache: Cache
    invalid: Callable[[Object, str], None]
    written: dict[str, Object] = field(default_factory=dict)
    served: dict[str, Canary] = field(default_factory=dict)
    complaints: dict[str, frozenset[str]] = field(default_factory=dict)

    def current(self, found: Objects) -> Sequence[tuple[Object, Canary]]:
        """Each with the manifest that it was read from; a cache may lag behind our own writes."""
        seen = {raw["metadata"]["name"]: raw for raw in self.cache.items("Canary")}
        self.written = {name: raw for name, raw in self.written.items() if name in seen}
        newest = (
            max((raw, self.written.get(name, raw)), key=version)
            for name, raw in sorted(seen.items())
        )
        return list(self.parsed(newest, found))

    def wrote(self, raw: Object) -> None:
        self.written[raw["metadata"]["name"]] = raw

    def parsed(
        self, manifests: Iterable[Object], found: Objects
    ) -> Iterator[tuple[Object, Canary]]:
        for raw in manifests:
            if raw["metadata"].get("deletionTimestamp"):
                self.keep(raw)
                continue
            try:
                canary, problems = self.read(raw, found)
                yield raw, canary
            except schema.InvalidCanary as error:
                self.keep(raw)
                problems = error.problems
            self.complain(raw, frozenset(problems))

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
        return schema.parse(raw, analysis, progress_deadline=deadline), problems

    def keep(self, raw: Object) -> None:
        """Nothing is decided for it any more, but its users are on the routers all the same:
        also an agent that has never seen it otherwise may not let its ports go.
        """
        bare = {**raw, "spec": {"targetRef": raw["spec"].get("targetRef")}}
        try:
            canary = schema.parse(bare, schema.DEFAULTS)
        except schema.InvalidCanary:
            return
        if canary.status.apex_moved is not None:
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
            if target not in ready and still_routed(gone, found)
        }
        self.served = left | ready
        begun = [one for one in canaries if one.target not in self.served]
        return [*self.served.values(), *begun]


def still_routed(canary: Canary, found: Objects) -> bool:
    service = pair.named(found.services, canary.status.apex)
    return service is not None and apex.leads_to_routers(service)


def version(raw: Object) -> int:
    return int(raw["metadata"].get("resourceVersion") or 0)
