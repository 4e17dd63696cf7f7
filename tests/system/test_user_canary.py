"""Canaries that users write: followed to the letter, and told in Flagger's words."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import yaml

from delivery.schema import unbuilt
from demo.kubectl import JSON, Said
from demo.namespace import Namespace
from demo.release import Release, released
from demo.shop import PROJECT
from demo.waiting import always, eventually
from tests.system.canaries import (
    BAD,
    GOOD,
    PATIENT,
    SMALL,
    analysis,
    canary,
    changed,
    events_of,
    managed,
    reaches,
    says,
    tells,
    weights,
)
from tests.system.load import Load
from tests.system.users import Page, User

README = PROJECT / "README.md"
PROMOTED = [
    ("Normal", "New revision detected! Scaling up shop"),
    ("Normal", "Starting canary analysis for shop"),
    ("Normal", "Advance shop canary weight 20"),
    ("Normal", "Advance shop canary weight 60"),
    ("Normal", "Copying shop template spec to shop-primary"),
    ("Normal", "Advance shop primary weight 90"),
    ("Normal", "Routing all traffic to primary"),
    ("Normal", "Promotion completed! Scaling down shop"),
]
ROLLED_BACK = [
    ("Normal", "New revision detected! Scaling up shop"),
    ("Normal", "Starting canary analysis for shop"),
    ("Normal", "Advance shop canary weight 20"),
    ("Warning", "Halt shop advancement success rate 0.00% < 99%"),
    ("Warning", "Halt shop advancement success rate 0.00% < 99%"),
    ("Warning", "Rolling back shop failed checks threshold reached 2"),
    ("Warning", "Canary failed! Scaling down shop"),
]

SKIPPED = [
    ("Normal", "New revision detected! Scaling up shop"),
    ("Normal", "Copying shop template spec to shop-primary"),
    ("Normal", "Routing all traffic to primary"),
    ("Normal", "Promotion completed! Canary analysis was skipped for shop"),
]


@pytest.mark.settled
def test_a_release_is_told_in_the_words_of_flagger(namespace: Namespace, load: Load) -> None:
    managed(namespace, canary(analysis=analysis(stepWeightPromotion=50)))
    load(namespace, *PATIENT)
    tells(namespace, ("Normal", "Initialization done! shop"))
    assert released(namespace, GOOD).outcome == "promoted"
    tells(namespace, *PROMOTED, after=1)
    assert released(namespace, BAD).outcome == "rolled back"
    tells(namespace, *ROLLED_BACK, after=1 + len(PROMOTED))
    found = events_of(namespace, "Canary", "shop")
    assert {(one["reason"], one["source"]["component"]) for one in found} == {("Synced", "flagger")}


def apart(manifests: list[JSON]) -> list[JSON]:
    """No two canary pods on one node: where there is one node, all but one of them wait."""
    selector = {"matchLabels": {"outrider.dev/role": "canary"}}
    same = {"labelSelector": selector, "matchLabelKeys": ["pod-template-hash"]}
    term = {**same, "topologyKey": "kubernetes.io/hostname"}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    manifests[0]["spec"]["template"]["spec"]["affinity"] = {"podAntiAffinity": rule}
    return manifests


@pytest.mark.soak
@pytest.mark.usefixtures("node")
def test_a_part_of_the_canary_is_enough_where_that_is_said_and_weights_never_overshoot(
    namespace: Namespace, load: Load
) -> None:
    three = replace(SMALL, replicas=3)
    steps = analysis(stepWeights=None, stepWeight=20, maxWeight=50)
    managed(namespace, canary(analysis=steps), three)
    load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(apart(three.manifests()))
    says(namespace, "1 of 2 (readyThreshold 100%) updated replicas are available")
    changed(namespace, {"analysis": {"canaryReadyThreshold": 50}})
    assert release.finished().outcome == "promoted"
    assert weights(namespace) == [20, 40, 50]


@pytest.mark.soak
def test_analysis_can_be_skipped_and_a_canary_suspended(namespace: Namespace) -> None:
    managed(namespace, canary(skipAnalysis=True, analysis=None))
    assert released(namespace, BAD).outcome == "promoted"
    tells(namespace, *SKIPPED, after=1)
    changed(namespace, {"suspend": True})
    says(namespace, "skipping canary run as object is suspended")
    before = namespace.status()["observedHash"]
    namespace.kubectl.apply(GOOD.manifests())
    always("nothing runs", lambda: namespace.status()["observedHash"] == before, seconds=3)
    changed(namespace, {"suspend": None})
    eventually("it goes on", lambda: namespace.status()["observedHash"] != before)
    reaches(namespace, "Succeeded")


MATCH = [{"sourceLabels": {"app": "beta"}}]
ABROAD: JSON = {"port": 80, "gateways": ["public"]}
ABROAD_HALTS = (
    "spec.service.gateways (callers reach the routers through your Service; remove it, or set "
    "spec.provider: istio)"
)
UNBUILT: dict[str, JSON] = {
    "spec.provider (nginx is not built; built are envoy, gatewayapi:v1, gatewayapi:v1beta1, istio, "
    "kubernetes)": canary(provider="nginx"),
    ABROAD_HALTS: canary(service=ABROAD),
    "spec.analysis.match[0].sourceLabels (not built yet; remove it)": canary(
        analysis=analysis(stepWeights=None, iterations=3, match=MATCH)
    ),
}


ROUTED: JSON = {
    "port": 80,
    "match": [{"uri": {"prefix": "/api"}, "method": {"exact": "GET"}}],
    "rewrite": {"uri": "/healthz"},
    "timeout": "400ms",
    "headers": {"response": {"set": {"x-shop-version": "hidden"}}},
    "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 64}}},
    "primary": {"annotations": {"team": "shop"}},
    "portDiscovery": True,
}
"""The shop answers /healthz at once, and all else only after its delay."""


@pytest.mark.settled
def test_the_route_is_as_the_canary_says(namespace: Namespace) -> None:
    managed(namespace, canary(service=ROUTED), replace(SMALL, delay_ms=800))
    user = User(urlsplit(namespace.address()).hostname or "")
    found = {"/api": in_time(user, "/api")} | {
        path: user.asked(path) for path in ("/apis", "/else")
    }
    assert {path: (page.status, page.version) for path, page in found.items()} == {
        "/api": (200, "hidden"),
        "/apis": (504, "hidden"),
        "/else": (200, "v1"),
    }
    assert annotations(namespace) == {"team": "shop"}
    changed(namespace, {"service": {"primary": None, "apex": {"labels": {"team": "shop"}}}})
    eventually("it is no longer said", lambda: "team" not in annotations(namespace))
    halts(
        namespace,
        "spec.service.apex.labels (Service shop is yours, and does not say team: shop; write it "
        "there)",
    )
    changed(namespace, {"service": {"apex": None, "name": "other"}})
    halts(
        namespace,
        "spec.service.name (Service other is not there, and the app was adopted with shop: name "
        "that one, or write Service other yourself, then both lead to the app)",
    )
    assert in_time(user, "/api").status == 200


def in_time(user: User, path: str) -> Page:
    """The first answer that is not late: on a busy machine what comes at once may be, too."""
    return eventually(
        f"{path} is in time", lambda: (page := user.asked(path)).status != 504 and page
    )


def annotations(place: Namespace) -> JSON:
    found: JSON = place.read("Service", "shop-primary")["metadata"].get("annotations") or {}
    return found


def condition(place: Namespace, kind: str) -> JSON:
    found = place.status().get("conditions", [])
    return next((one for one in found if one["type"] == kind), {})


def halts(place: Namespace, fields: str) -> None:
    text = f"These fields halt releases: {fields}."
    eventually(text, lambda: condition(place, "Supported").get("message") == text, timeout=30)
    assert condition(place, "Supported")["status"] == "False"


def test_fields_that_are_not_built_yet_are_listed_and_users_not_touched(
    namespace: Namespace,
) -> None:
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    namespace.kubectl.apply([canary(provider="nginx")])
    service, pods = namespace.read("Service", "shop")["spec"], names(namespace)
    namespace.opt_in()
    for fields, written in UNBUILT.items():
        namespace.kubectl.apply([written])
        halts(namespace, fields)
    assert namespace.read("Service", "shop")["spec"] == service
    assert names(namespace) == pods
    namespace.kubectl.apply([canary()])
    namespace.adopted()
    assert not condition(namespace, "Supported")


def names(place: Namespace) -> set[str]:
    return {pod["metadata"]["name"] for pod in place.list("Pod", "app.kubernetes.io/name=shop")}


@pytest.mark.soak
def test_a_field_that_is_not_built_yet_halts_a_release_where_it_stands(
    namespace: Namespace, load: Load
) -> None:
    managed(namespace, canary())
    load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests())
    release.weighs(20)
    namespace.kubectl.apply([canary(service=ABROAD)])
    halts(namespace, ABROAD_HALTS)
    weight = namespace.status()["canaryWeight"]
    always("no step", lambda: namespace.status()["canaryWeight"] == weight, seconds=4)
    namespace.kubectl.apply([canary()])
    assert release.finished().outcome == "promoted"


WITHOUT_NAME = [{"name": "checkout-errors", "thresholdRange": {"max": 1}}]
REFUSED = [
    (analysis(interval="soon"), 'spec.analysis.interval: Invalid value: "soon"'),
    (
        analysis(interval="0s"),
        'Canary shop: spec.analysis.interval: "0s" is too short; use 1s or more',
    ),
    (
        analysis(stepWeights=[20, 10]),
        "spec.analysis.stepWeights: [20, 10] cannot be followed; list percentages from 1 to 100",
    ),
    (
        analysis(stepWeights=None, stepWeight=10, maxWeight=0),
        "spec.analysis.maxWeight: 0 is out of range; use 1 to 100",
    ),
    (
        analysis(metrics=WITHOUT_NAME),
        'spec.analysis.metrics[0].name: "checkout-errors" has nothing to ask; set templateRef',
    ),
    (None, "spec.analysis: is missing; add it, or set spec.skipAnalysis: true"),
]


@pytest.fixture
def enrolled(namespace: Namespace) -> Namespace:
    """Opted in, but without a single pod: only admission is looked at."""
    namespace.kubectl("create", "quota", "still", "--hard=pods=0")
    namespace.opt_in()
    return namespace


def tried(place: Namespace, written: JSON) -> Said:
    words = ("create", "--dry-run=server", "--filename=-")
    return place.kubectl.attempt(*words, stdin=yaml.safe_dump(written))


def test_what_cannot_be_done_is_refused_with_field_value_and_fix(enrolled: Namespace) -> None:
    eventually("admission acts", lambda: tried(enrolled, canary(analysis=None)).status)
    for wrong, problem in REFUSED:
        assert problem in tried(enrolled, canary(analysis=wrong)).errors


def test_what_the_readme_writes_is_what_can_be_done(enrolled: Namespace) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    ours = [block for block in blocks if block.startswith("apiVersion: flagger")]
    written = [one for block in ours for one in yaml.safe_load_all(block)]
    assert [one["kind"] for one in written] == [
        "Canary",
        "MetricTemplate",
        "Canary",
        "AlertProvider",
    ]
    for one in written:
        assert tried(enrolled, one).errors == ""
        assert one["kind"] != "Canary" or unbuilt(one) == ()
