"""Flux and Argo CD at work all through a release: they see no difference and own what is theirs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from delivery.names import AGENT_MANAGER, PREFIX
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import Shop
from demo.waiting import eventually
from tests.system.canaries import BAD, GOOD, PATIENT, SMALL
from tests.system.load import Load
from tests.system.test_leaving import USERS, marks, unlabelled

PHASES = {"Initialized", "Progressing", "Promoting", "Finalising", "Succeeded", "Failed"}
ENDS = ("Succeeded", "Failed")
FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}
ARGO = {
    "labels": {"app.kubernetes.io/instance": "shop"},
    "annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/shop"},
}

Sync = Callable[[Namespace, Sequence[JSON]], object]


def server_side(place: Namespace, manifests: Sequence[JSON]) -> None:
    """Without force, which Flux uses: so a conflict would show."""
    for one in manifests:
        place.api.apply(one, manager="kustomize-controller", force=False)


def three_way(place: Namespace, manifests: Sequence[JSON]) -> None:
    place.kubectl.apply(manifests, "--field-manager=argocd-controller")


@dataclass
class Tool:
    """Keeps a namespace as Git says; `seen` are the phases in which it looked at all of it."""

    place: Namespace
    manager: str
    sync: Sync
    tracked: JSON
    seen: set[str] = field(default_factory=set)

    def manifests(self, shop: Shop) -> list[JSON]:
        """With what the tool adds to know its own."""
        found = shop.manifests()
        for one in found:
            one["metadata"]["namespace"] = self.place.name
            for key, added in self.tracked.items():
                one["metadata"][key] = {**one["metadata"].get(key, {}), **added}
        return found

    def reconcile(self, shop: Shop) -> None:
        """One interval: the differences that it would act upon, then an apply all the same."""
        phase, found = self.place.status().get("phase"), self.manifests(shop)
        for one in found:
            assert self.drift(one) == [], f"{one['kind']} while {phase}"
            assert not_ours(self.place.read(one["kind"], "shop")) == []
        if phase == self.place.status().get("phase"):
            self.seen.add(str(phase))
        self.sync(self.place, found)

    def drift(self, manifest: JSON) -> list[str]:
        """A server-side dry run, compared with what is there."""

        def look() -> tuple[JSON, JSON] | None:
            before = self.place.read(manifest["kind"], "shop")
            dry = self.place.api.apply(manifest, manager=self.manager, dry=True)
            after = self.place.read(manifest["kind"], "shop")
            # What the agent wrote meanwhile is no difference.
            same = before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
            return (dry, after) if same else None

        dry, live = eventually("a quiet moment", look, pause=0.05)
        return list(differing(dry, live))

    def follows(self, shop: Shop) -> str:
        """Gives a version and goes on reconciling until its release has ended."""
        before = self.place.status()["observedHash"]
        self.sync(self.place, self.manifests(shop))

        def ended() -> str:
            self.reconcile(shop)
            status = self.place.status()
            over = status["phase"] in ENDS and status["observedHash"] != before
            return str(status["phase"]) if over else ""

        ending = eventually(f"{shop.version} has ended", ended, timeout=120)
        self.reconcile(shop)
        return ending


def differing(dry: JSON, live: JSON) -> Iterator[str]:
    if dry["spec"] != live["spec"]:
        yield f"spec: {dry['spec']} is {live['spec']}"
    for key in ("labels", "annotations"):
        asked, found = (one["metadata"].get(key) for one in (dry, live))
        if asked != found:
            yield f"{key}: {asked} is {found}"


def not_ours(found: JSON) -> list[Any]:
    """What the agent owns of a user's object, other than annotations of its own."""
    entries = found["metadata"]["managedFields"]
    mine = [one["fieldsV1"] for one in entries if one["manager"].startswith(AGENT_MANAGER)]
    annotations = [one.get("f:metadata", {}).get("f:annotations", {}) for one in mine]
    own = {key for each in annotations for key in each} - {"."}
    beside = [one for one in mine if set(one) - {"f:metadata"}]
    beside += [one for one in mine if set(one.get("f:metadata", {})) - {"f:annotations"}]
    return beside + [key for key in own if not key.startswith(f"f:{PREFIX}")]


@pytest.fixture(params=["flux", pytest.param("argo", marks=pytest.mark.soak)])
def tool(request: pytest.FixtureRequest, namespace: Namespace) -> Tool:
    if request.param == "flux":
        return Tool(namespace, "kustomize-controller", server_side, FLUX)
    return Tool(namespace, "argocd-controller", three_way, ARGO)


@pytest.mark.usefixtures("hurried")
@pytest.mark.settled
def test_no_difference_is_seen_in_any_phase(tool: Tool, load: Load) -> None:
    place = tool.place
    adopted(tool)
    load(place, *PATIENT)
    tool.reconcile(SMALL)
    assert tool.follows(GOOD) == "Succeeded"
    assert tool.follows(BAD) == "Failed"
    assert tool.seen >= PHASES
    outcomes = place.status()["outcomes"]
    assert outcomes == {"0": "promoted", "1": "promoted", "2": "refused"}
    nothing_is_written(tool, BAD)
    tracked = {key for added in tool.tracked.values() for key in added}
    copy = place.read("Deployment", "shop-primary")["metadata"]
    assert not tracked & {*copy["labels"], *copy.get("annotations", {})}


def adopted(tool: Tool) -> None:
    tool.sync(tool.place, tool.manifests(SMALL))
    tool.place.complete()
    tool.place.opt_in()
    tool.place.adopted()


def nothing_is_written(tool: Tool, shop: Shop) -> None:
    """When all has come to rest, intervals pass without a trace."""

    def untouched() -> bool:
        before = trace(tool)
        for _ in range(2):
            tool.reconcile(shop)
        return trace(tool) == before

    eventually("reconciling changes nothing", untouched, timeout=60)


def trace(tool: Tool) -> list[Any]:
    """A three-way apply sends what is held otherwise each time; of it nothing may come about."""
    found = [tool.place.read(kind, "shop") for kind in USERS]
    if tool.sync is server_side:
        return [one["metadata"]["resourceVersion"] for one in found]
    return [(one["metadata"].get("generation"), one["spec"]) for one in found]


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_after_leaving_all_is_as_git_says(tool: Tool) -> None:
    adopted(tool)
    unlabelled(tool.place)
    assert marks(tool.place) == []
    nothing_is_written(tool, SMALL)
    deployment, service = (tool.place.read(kind, "shop")["spec"] for kind in USERS)
    assert deployment["replicas"] == SMALL.replicas
    assert service["selector"] == SMALL.manifests()[1]["spec"]["selector"]
