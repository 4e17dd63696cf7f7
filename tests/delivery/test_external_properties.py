"""Whatever happens: no pod of a canary goes while a router's objects still send it requests."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from delivery import external
from delivery.canary import Canary, Mirror, Phase
from delivery.decision import Apply, Write
from delivery.dropped import Answer, is_kept
from delivery.observation import Observation, Routes, Traffic
from delivery.routers.interface import Object
from delivery.rules.external import ROUTES_SETTLE
from delivery.service_words import ServiceWords
from delivery.step import step
from tests.delivery import worlds
from tests.delivery.routed import VIRTUAL, marked, routed, user
from tests.delivery.scenes import CHECK, IDLE, NOW, half, seen
from tests.delivery.worlds import merged

STRATEGIES: tuple[dict[str, Any], ...] = (
    {"step_weight_promotion": 25},
    {"step_weight": 0, "iterations": 2},
)
HAPPENINGS = (
    *("v2", "v3", "v1", "bad", "good", "pods"),
    *("by hand", "deleted", "stuck", "free", "stop"),
    *("mistyped", "mended", "renumbered"),
)


@dataclass
class Mesh:
    """A pair whose pods do as they are told, and objects that are written but while it is `stuck`.

    `sent` is when the objects last had a share for the canary. The CRDs do not know the field
    `unknown`; `tried` counts what was to be written.
    """

    canary: Canary
    objects: dict[tuple[str, str], Object]
    now: float = NOW
    revision: str = "v1"
    stuck: bool = False
    bad: bool = False
    dead: bool = False
    sent: float = 0.0
    unknown: str = ""
    ports: tuple[int, ...] = (80,)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    tried: int = 0
    shares: set[int] = field(default_factory=set)

    def happens(self, what: str) -> None:
        if what in ("v1", "v2", "v3"):
            self.revision = what
        if what in ("mistyped", "mended"):
            self.name_port(81 if what == "mistyped" else self.ports[0])
        self.ports = (8080,) if what == "renumbered" else self.ports
        self.bad = (self.bad or what == "bad") and what != "good"
        self.stuck = (self.stuck or what == "stuck") and what != "free"
        self.dead = what == "pods"
        if what == "stop":
            self.canary = replace(self.canary, stop=not self.canary.stop)
        if what == "deleted":
            self.objects.pop(VIRTUAL, None)
        if what == "by hand" and VIRTUAL in self.objects:
            self.objects[VIRTUAL] = turned(self.objects[VIRTUAL])

    def name_port(self, port: int) -> None:
        words = replace(self.canary.words, port=port)
        self.canary = replace(self.canary, words=words)

    def look(self) -> Observation:
        status = self.canary.status
        promoting = status.phase in (Phase.PROMOTING, Phase.FINALISING)
        scale = status.scale or 0
        ready = 0 if self.dead else scale
        traffic = Traffic(100, bad=90 if self.bad else 0)
        return replace(
            seen(),
            now=self.now,
            apex=merged(
                worlds.service(), {"spec": {"ports": [{"port": one} for one in self.ports]}}
            ),
            target=half(self.revision, scale, ready_pods=ready),
            primary=half(status.observed if promoting else status.promoted),
            revisions={"v1": {}, "v2": {}, "v3": {}},
            traffic={CHECK.name: traffic},
            services=marked(),
            routes=Routes(dict(self.objects), answers=self.answers),
        )

    def turn(self) -> None:
        look = self.look()
        share = share_of(self.objects)
        self.shares.add(share)
        if share:
            self.sent = self.now
        before, after = self.canary, step(self.canary, look).canary
        self.holds(before, after)
        self.canary = after
        for effect in external.effects(after, look):
            assert isinstance(effect, Apply | Write)
            if not self.stuck:
                self.store(effect.manifest)
        self.now += 1.0

    def store(self, asked: Object) -> None:
        """After a trial, as agent/trials.py does it."""
        self.tried += 1
        answer = Answer(asked, pruned(asked, self.unknown))
        self.answers = {external.key(asked): answer}
        if is_kept(answer):
            kept = {"resourceVersion": "1", **asked["metadata"]}
            self.objects[external.key(asked)] = {**asked, "metadata": kept}

    def holds(self, before: Canary, after: Canary) -> None:
        now, wanted = before.status.scale, after.status.scale
        if now and wanted == 0:
            assert self.now - self.sent >= ROUTES_SETTLE, "pods go while requests come"
        if after.status.canary_weight > before.status.canary_weight > 0:
            assert share_of(self.objects) == before.status.canary_weight or self.dead, "not shown"


def pruned(document: Any, unknown: str) -> Any:
    if isinstance(document, list):
        return [pruned(one, unknown) for one in document]
    if not isinstance(document, dict):
        return document
    return {key: pruned(one, unknown) for key, one in document.items() if key != unknown}


def share_of(objects: dict[tuple[str, str], Object]) -> int:
    """The canary's; none where nothing is divided."""
    rules = objects.get(VIRTUAL, {}).get("spec", {}).get("http", ())
    targets = [one for rule in rules for one in rule["route"]]
    found = [one["weight"] for one in targets if one["destination"]["host"] == "app-canary"]
    assert all(sum(one.get("weight", 100) for one in rule["route"]) == 100 for rule in rules)
    return max(found, default=0)


def turned(virtual: Object) -> Object:
    """All requests to the canary."""
    rules = [
        {
            **rule,
            "route": [
                {**one, "weight": 100 * (at + 1 == len(rule["route"]))}
                for at, one in enumerate(rule["route"])
            ],
        }
        for rule in virtual["spec"]["http"]
    ]
    return {**virtual, "spec": {**virtual["spec"], "http": rules}}


WORDS = ServiceWords(port=80, port_discovery=True, gateways=("edge",), hosts=("web",))
happenings = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(1, 25)), max_size=8)


@given(st.sampled_from(STRATEGIES), st.booleans(), happenings)
@example(STRATEGIES[0], True, [("stop", 5)])
def test_pods_outlast_the_requests_that_objects_send_them(
    analysis: dict[str, Any], owned: bool, events: list[tuple[str, int]]
) -> None:
    mesh = Mesh(routed(IDLE, analysis=analysis, words=WORDS), {VIRTUAL: user()} if owned else {})
    for what, seconds in (("v2", 25), *events):
        mesh.happens(what)
        for _ in range(seconds):
            mesh.turn()
    settles(mesh)


def settles(mesh: Mesh) -> None:
    """Left alone it comes to rest, with everybody at the primary and no pod of the canary."""
    for what in ("free", "good", "mended", *(["stop"] if mesh.canary.stop else [])):
        mesh.happens(what)
    for _ in range(130):
        mesh.turn()
    status = mesh.canary.status
    assert (status.canary_weight, status.scale, share_of(mesh.objects)) == (0, 0, 0)


@pytest.mark.parametrize("change", ["mistyped", "renumbered"])
@pytest.mark.parametrize("owned", [False, True])
def test_a_bad_canary_loses_its_users_whatever_its_port_is_called(change: str, owned: bool) -> None:
    mesh = Mesh(routed(IDLE, words=WORDS), {VIRTUAL: user()} if owned else {})
    mesh.happens("v2")
    while share_of(mesh.objects) < 40:
        mesh.turn()
    for what in (change, "bad"):
        mesh.happens(what)
    for _ in range(30):
        mesh.turn()
    status = mesh.canary.status
    assert (status.phase, status.canary_weight) == (Phase.FAILED, 0)
    assert share_of(mesh.objects) == 0


def test_a_release_goes_through_all_of_its_weights() -> None:
    mesh = Mesh(routed(IDLE), {VIRTUAL: user()})
    mesh.happens("v2")
    for _ in range(120):
        mesh.turn()
    assert mesh.canary.status.phase is Phase.SUCCEEDED
    assert mesh.shares == {0, 20, 40, 50}


@pytest.mark.parametrize("unknown", ["mirrors", "percentage"])
def test_a_release_whose_crds_do_not_know_a_field_is_refused_with_users_where_they_were(
    unknown: str,
) -> None:
    copied = user()
    copied["spec"]["http"][0]["mirror"] = {"host": "recorder"}
    mesh = Mesh(routed(IDLE, analysis={"mirror": Mirror(20)}), {VIRTUAL: copied})
    for _ in range(3):
        mesh.turn()
    mesh.happens("v2")
    before, mesh.unknown, mesh.tried = dict(mesh.objects), unknown, 0
    for _ in range(15):
        mesh.turn()
    assert mesh.canary.status.phase is Phase.FAILED
    assert "mirrors" in mesh.canary.status.message
    assert mesh.objects == before
    assert mesh.tried == 1
    settles(mesh)
    assert mesh.canary.status.promoted == "v1"


def test_on_routes_that_cannot_be_as_intended_no_release_begins() -> None:
    mesh = Mesh(routed(IDLE), {VIRTUAL: user()}, unknown="weight")
    for _ in range(3):
        mesh.turn()
    mesh.happens("v2")
    for _ in range(60):
        mesh.turn()
    status = mesh.canary.status
    assert (status.phase, status.scale) == (Phase.INITIALIZED, 0)
    assert "upgrade Istio's CRDs" in status.message
    mesh.unknown, mesh.answers = "", {}
    for _ in range(120):
        mesh.turn()
    assert mesh.canary.status.phase is Phase.SUCCEEDED
