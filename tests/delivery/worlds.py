"""A cluster in miniature: Deployments roll, Services select, routers split what clients send."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery import apex, names
from delivery.admission import Request, mutated
from delivery.covering import covers
from delivery.decision import Annotate, Apply, Claim, Create, Delete, Effect, Replace, Restore
from delivery.hashing import template_hash
from delivery.routers.envoy import Application
from delivery.servable import pair_names
from tests.delivery.reviews import Document, patched
from tests.delivery.running import NEVER_READY as NEVER_READY
from tests.delivery.running import READY_AFTER as READY_AFTER
from tests.delivery.running import Pod as Pod
from tests.delivery.written import deployment as deployment
from tests.delivery.written import merged as merged
from tests.delivery.written import service as service
from tests.delivery.written import template as template

NAMESPACE = "shop"
AGENT = f"system:serviceaccount:{NAMESPACE}:{names.AGENT}"
START = 1_000_000.0
RATE = 100
"""Requests a second that clients send."""
BETA = 10
"""So many of them match whatever an A/B test asks for."""


@dataclass
class World:
    """Everything that stands in one namespace.

    Without `room` no new pod starts; `lost` counts requests that nobody could answer; `own` are
    images that nobody judged, `barred` those that a policy keeps from the primary. Admission sees
    nothing of a namespace that is not `enrolled`. An app that is `scaled` by an autoscaler is not
    eligible.
    """

    admission: bool = True
    enrolled: bool = True
    scaled: bool = False
    routers: int = 2
    clients: bool = True
    room: bool = True
    now: float = START
    deployments: dict[str, Document] = field(default_factory=dict)
    services: dict[str, Document] = field(default_factory=dict)
    kept: dict[str, Document] = field(default_factory=dict)
    sets: list[Document] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    served: list[Application] = field(default_factory=list)
    counted: list[tuple[float, int, str]] = field(default_factory=list)
    lost: int = 0
    version: int = 0
    started: int = 0
    own: set[str] = field(default_factory=set)
    barred: set[str] = field(default_factory=set)

    def put(self, wanted: Document, user: str = "jane", *, admission: bool = True) -> Document:
        """A write as the API server does it: admission, then a new version."""
        place, name = self.place(wanted["kind"]), wanted["metadata"]["name"]
        stored = place.get(name, {})
        if self.admission and self.enrolled and admission:
            wanted = admitted(wanted, stored, user)
        self.version += 1
        metadata = {"namespace": NAMESPACE, "uid": name, **wanted["metadata"]}
        generation = stored.get("metadata", {}).get("generation", 0)
        generation += wanted["spec"] != stored.get("spec")
        metadata |= {"generation": generation, "resourceVersion": str(self.version)}
        place[name] = {"status": {}, **wanted, "metadata": metadata}
        return place[name]

    def place(self, kind: str) -> dict[str, Document]:
        return self.deployments if kind == "Deployment" else self.services

    def apply(self, image: str, replicas: int | None = None) -> None:
        """`kubectl apply` of the Deployment."""
        spec = {"template": template(image)}
        counted = {"replicas": replicas} if replicas is not None else {}
        self.put(merged(self.deployments["web"], {"spec": {**spec, **counted}}))

    def scale(self, replicas: int) -> None:
        """`kubectl scale`: past admission, with an entry of its own in managedFields."""
        owns: Document = {"f:spec": {"f:replicas": {}}}
        entry = {"subresource": "scale", "time": f"{self.now:.0f}", "fieldsV1": owns}
        changed = {"metadata": {"managedFields": [entry]}, "spec": {"replicas": replicas}}
        self.put(merged(self.deployments["web"], changed), admission=False)

    def undo(self, image: str) -> None:
        """`kubectl rollout undo`: to a ReplicaSet's template, and to all of its annotations."""
        found, wanted = self.deployments["web"], template(image)["spec"]
        every = (one for one in self.sets_of(found) if one["spec"]["template"]["spec"] == wanted)
        *_, old = every
        metadata = {**found["metadata"], "annotations": dict(old["metadata"]["annotations"])}
        spec = {**found["spec"], "template": old["spec"]["template"]}
        self.put({**found, "metadata": metadata, "spec": spec})

    def perform(self, effect: Effect) -> None:
        match effect:
            case Replace(manifest):
                self.replace(manifest)
            case Apply(manifest):
                self.put(copy.deepcopy(self.applied(manifest)), AGENT)
            case Annotate():
                self.annotate(effect)
            case Claim(kind, name, metadata):
                self.put(merged(self.place(kind)[name], {"metadata": metadata}), AGENT)
            case Delete(kind, name):
                self.delete(kind, name)
            case Create(manifest) if manifest["metadata"]["name"] in self.services:
                pass
            case Create(manifest) | Restore(manifest):
                self.put(copy.deepcopy(dict(manifest)), AGENT)

    def replace(self, manifest: Mapping[str, Any]) -> None:
        """Nothing, where the object has changed since it was seen, or a policy is against it."""
        metadata = manifest["metadata"]
        if manifest["kind"] == "PodTemplate":
            self.kept[metadata["name"]] = copy.deepcopy(dict(manifest))
            return
        if manifest["spec"]["template"]["spec"]["containers"][0]["image"] in self.barred:
            return
        found = self.place(manifest["kind"]).get(metadata["name"], {"metadata": {}})
        if found["metadata"].get("resourceVersion") == metadata.get("resourceVersion"):
            self.put(copy.deepcopy(dict(manifest)), AGENT)

    def delete(self, kind: str, name: str) -> None:
        """And what it owns."""
        if kind == "PodTemplate":
            self.kept.pop(name)
            return
        gone = self.place(kind).pop(name, None)
        for one in self.sets_of(gone) if gone and kind == "Deployment" else []:
            self.resize(one, 0)
            self.sets.remove(one)

    def applied(self, manifest: Mapping[str, Any]) -> Document:
        found = self.place(manifest["kind"]).get(manifest["metadata"]["name"])
        if found:
            return {**found, "spec": {**found["spec"], **manifest["spec"]}}
        address = {"clusterIP": f"10.0.0.{len(self.services) + 1}"}
        extra = address if manifest["kind"] == "Service" else {}
        return {**manifest, "spec": {**manifest["spec"], **extra}}

    def annotate(self, effect: Annotate) -> None:
        answer = self.begin(effect)
        if answer and not covers(answer, effect.shows):
            assert not (self.admission and self.enrolled), (
                "admission does not do what the effect is to show"
            )
            self.put(merged(answer, effect.shows), AGENT)

    def begin(self, effect: Annotate) -> Document | None:
        """The first of the two writes that an annotation may take."""
        found = self.place(effect.kind)[effect.name]
        if effect.version != found["metadata"]["resourceVersion"]:
            return None
        said = {"metadata": {"annotations": effect.annotations}, **effect.ends}
        return self.put(merged(found, said), AGENT)

    def pass_second(self) -> None:
        """What controllers, kubelets, routers and clients do in a second."""
        self.now += 1.0
        for found in self.deployments.values():
            self.roll(found)
        for pod in self.pods:
            pod.age += self.room or pod.age > 0
            pod.flapping = max(0, pod.flapping - 1)
        for one in self.sets:
            one["status"] = {"readyReplicas": sum(pod.ready for pod in self.pods_of(one))}
        for found in self.deployments.values():
            self.describe(found)
        if self.clients:
            self.send()

    def roll(self, found: Document) -> None:
        """Surge first: old pods go as new ones become ready; a paused Deployment only scales."""
        wanted, sets, current = found["spec"]["replicas"], self.sets_of(found), self.current(found)
        if found["spec"].get("paused"):
            current = max(sets, key=lambda one: len(self.pods_of(one)), default=current)
        if current is None:
            current = self.new_set(found)
        # The newest one bears the annotations of its Deployment, and keeps the last of them.
        current["metadata"]["annotations"] = found["metadata"].get("annotations") or {}
        self.resize(current, wanted)
        spare = max(0, wanted - sum(pod.ready for pod in self.pods_of(current)))
        for old in (one for one in sets if one is not current):
            self.resize(old, min(spare, len(self.pods_of(old))))
            spare -= len(self.pods_of(old))

    def current(self, found: Document) -> Document | None:
        wanted = found["spec"]["template"]
        return next((one for one in self.sets_of(found) if one["spec"]["template"] == wanted), None)

    def sets_of(self, found: Document) -> list[Document]:
        name = found["metadata"]["name"]
        return [one for one in self.sets if one["metadata"]["owner"] == name]

    def new_set(self, found: Document) -> Document:
        name = found["metadata"]["name"]
        owners = [{"uid": name, "controller": True}]
        metadata = {"uid": f"{name}-{self.version}", "owner": name, "ownerReferences": owners}
        self.sets.append({"metadata": metadata, "spec": {"template": found["spec"]["template"]}})
        return self.sets[-1]

    def pods_of(self, one: Document) -> list[Pod]:
        return [pod for pod in self.pods if pod.owner == one["metadata"]["uid"]]

    def resize(self, one: Document, wanted: int) -> None:
        own = self.pods_of(one)
        gone = own[wanted:]
        self.pods = [pod for pod in self.pods if pod not in gone]
        for _ in range(wanted - len(own)):
            self.started += 1
            self.pods.append(Pod(self.started, one["metadata"]["uid"], one["spec"]["template"]))

    def describe(self, found: Document) -> None:
        current = self.current(found)
        updated = self.pods_of(current) if current else []
        every = [pod for one in self.sets_of(found) for pod in self.pods_of(one)]
        found["status"] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": len(every),
            "updatedReplicas": len(updated),
            "availableReplicas": sum(pod.ready for pod in every),
        }

    def send(self) -> None:
        """A second's requests: by each Service to the routers, and by them to the halves."""
        told = {one.listener: one for one in self.served if self.routers}
        ours = pair_names("web")
        for found in (one for name, one in self.services.items() if name not in ours):
            if not apex.leads_to_routers(found):
                self.lost += RATE * (not list(self.ready(found["spec"]["selector"])))
            elif served := told.get(found["spec"]["ports"][0]["targetPort"]):
                self.split(served)
            else:
                self.lost += RATE

    def split(self, served: Application) -> None:
        """A canary that went since the routers were told is rescued by the primary's Service."""
        matching = BETA if served.matches else 0
        to_canary = matching + (RATE - matching) * served.canary_weight // 100
        known = {one.address for one in served.canary}
        canary = [pod for pod in self.pods if pod.address in known]
        if canary and served.mirror:
            self.counted.append((self.now, RATE * served.mirror // 100, canary[0].kind))
        if to_canary and canary:
            self.counted.append((self.now, to_canary, canary[0].kind))
        own = self.deployments.get("web-primary")
        primary = own and list(self.ready(own["spec"]["selector"]["matchLabels"]))
        self.lost += 0 if primary else RATE - (to_canary if canary else 0)

    def ready(self, selector: Mapping[str, str]) -> Iterator[Pod]:
        for pod in self.pods:
            if pod.ready and selector.items() <= pod.template["metadata"]["labels"].items():
                yield pod

    def revision(self, half: str) -> str:
        return template_hash(self.deployments[half]["spec"]["template"])


def admitted(wanted: Document, stored: Document, user: str) -> Document:
    name, operation = wanted["metadata"]["name"], "UPDATE" if stored else "CREATE"
    request = Request("1", operation, wanted["kind"], NAMESPACE, name, user, wanted, stored)
    return patched(wanted, mutated(request).operations)


def populated(*, admission: bool = True, routers: int = 2) -> World:
    """A running app that nobody manages yet."""
    world = World(admission=admission, routers=routers)
    world.put(deployment())
    world.put(service())
    for _ in range(READY_AFTER + 1):
        world.pass_second()
    return world
