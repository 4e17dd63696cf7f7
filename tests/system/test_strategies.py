"""Every way to move traffic but the weight alone, with users who notice."""

import time
from collections.abc import Iterable

import pytest

from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release, released
from demo.shop import Shop
from demo.waiting import eventually
from tests.system.canaries import (
    BAD,
    GOOD,
    PATIENT,
    SMALL,
    analysis,
    canary,
    changed,
    container,
    managed,
    said,
    tells,
    weights,
)
from tests.system.load import Load
from tests.system.users import User, failures, using

pytestmark = pytest.mark.settled

BLUE_GREEN = analysis(stepWeights=None, iterations=2)
BETA = {"x-beta": "yes"}
MATCH = [
    {"headers": {"x-beta": {"exact": "yes"}}},
    {"headers": {"cookie": {"regex": "^(.*; *)?team=qa(;.*)?$"}}},
    {"queryParams": {"preview": {"prefix": "v"}}},
]
AB_TEST = analysis(stepWeights=None, iterations=4, match=MATCH)


def never_back(users: Iterable[User], first: str, then: str) -> None:
    """Each met the one version, then the other, and never the first one again."""
    for user in users:
        assert user.versions in ([first, then], [then]), user.versions


def note(judged: list[float], status: JSON) -> None:
    """When the release was still seen under judgement."""
    if status["phase"] == "Progressing":
        judged.append(time.time())


def test_a_blue_green_release_moves_everybody_at_once_when_it_was_tried(
    namespace: Namespace,
) -> None:
    managed(namespace, canary(analysis=BLUE_GREEN))
    with using(namespace, 8) as users:
        release = released(namespace, GOOD)
    assert release.outcome == "promoted"
    assert {weight for _, weight in release.weights} <= {0, 100}
    tells(
        namespace,
        ("Normal", "New revision detected! Scaling up shop"),
        ("Normal", "Starting canary analysis for shop"),
        ("Normal", "Advance shop canary iteration 1/2"),
        ("Normal", "Advance shop canary iteration 2/2"),
        ("Normal", "Routing all traffic to canary"),
        ("Normal", "Copying shop template spec to shop-primary"),
        ("Normal", "Routing all traffic to primary"),
        ("Normal", "Promotion completed! Scaling down shop"),
        after=1,
    )
    never_back(users, "v1", "v2")
    assert failures(users) == []


@pytest.mark.soak
def test_a_bad_version_is_taken_back_from_everybody_within_seconds(namespace: Namespace) -> None:
    managed(namespace, canary(analysis={**BLUE_GREEN, "guard": {"minRequests": 50}}))
    with using(namespace, 8) as users:
        assert released(namespace, BAD).outcome == "rolled back"
    assert failures(users, of="v3") == []
    for user in users:
        assert user.versions in (["v1", "v3", "v1"], ["v1", "v3"]), user.versions
        wrong = [page.at for page in user.pages if page.version == "v3"]
        assert wrong[-1] - wrong[0] < 5.0


@pytest.mark.soak
def test_iterations_beside_weights_are_checks_that_must_have_passed(
    namespace: Namespace, load: Load
) -> None:
    managed(namespace, canary(analysis=analysis(iterations=4)))
    load(namespace, *PATIENT)
    assert released(namespace, GOOD).outcome == "promoted"
    assert weights(namespace) == [20, 60]
    tells(
        namespace,
        ("Normal", "Advance shop canary weight 60"),
        ("Normal", "Advance shop canary iteration 2/4"),
        ("Normal", "Advance shop canary iteration 3/4"),
        ("Normal", "Copying shop template spec to shop-primary"),
        ("Normal", "Routing all traffic to primary"),
        ("Normal", "Promotion completed! Scaling down shop"),
        after=4,
    )


def test_in_an_ab_test_only_those_who_match_meet_the_new_version(namespace: Namespace) -> None:
    managed(namespace, canary(analysis={**AB_TEST, "interval": "1m"}))
    release, judged = Release(namespace), list[float]()
    release.listener = lambda status: note(judged, status)
    with (
        using(namespace, 4, BETA) as beta,
        using(namespace, 2, {"cookie": "a=b; team=qa"}) as team,
        using(namespace, 2, {}, "/?preview=v2") as preview,
        using(namespace, 6) as others,
    ):
        every = (*beta, *team, *preview)
        namespace.kubectl.apply(GOOD.manifests())
        eventually("all of them meet it", lambda: all("v2" in user.versions for user in every))
        assert release.look()
        assert judged, "they met it under judgement"
        changed(namespace, {"analysis": {"interval": "1s"}})
        assert release.finished().outcome == "promoted"
    never_back(every, "v1", "v2")
    assert min(user.first("v2") for user in others) > judged[-1]
    assert failures((*every, *others)) == []


@pytest.mark.soak
def test_a_bad_version_in_an_ab_test_is_met_by_nobody_else(namespace: Namespace) -> None:
    managed(namespace, canary(analysis=AB_TEST))
    with using(namespace, 5, BETA) as beta, using(namespace, 5) as others:
        assert released(namespace, BAD).outcome == "rolled back"
    assert all("v3" in user.versions for user in beta)
    assert all(user.versions == ["v1"] for user in others)
    assert failures(beta, of="v3") == failures(others) == []


GROWING = {"mirror": True, "mirrorWeight": 20, "mirrorStepWeight": 40, "maxMirrorWeight": 100}


def test_copies_grow_before_the_first_user_is_answered_by_the_new_version(
    namespace: Namespace,
) -> None:
    managed(namespace, canary(analysis=analysis(stepWeights=[50], **GROWING)))
    with using(namespace, 6) as users:
        assert released(namespace, GOOD).outcome == "promoted"
    tells(
        namespace,
        ("Normal", "Advance shop mirror weight 20"),
        ("Normal", "Advance shop mirror weight 60"),
        ("Normal", "Advance shop mirror weight 100"),
        ("Normal", "Advance shop canary weight 50"),
        ("Normal", "Copying shop template spec to shop-primary"),
        ("Normal", "Routing all traffic to primary"),
        ("Normal", "Promotion completed! Scaling down shop"),
        after=3,
    )
    assert failures(users) == []


@pytest.mark.soak
def test_a_bad_version_that_is_tried_on_copies_is_met_by_nobody(namespace: Namespace) -> None:
    tried = analysis(stepWeights=None, iterations=5, mirror=True, guard={})
    managed(namespace, canary(analysis=tried))
    with using(namespace, 6) as users:
        assert released(namespace, BAD).outcome == "rolled back"
    assert all(user.versions == ["v1"] for user in users)
    assert failures(users) == []
    assert any("canary requests failed" in text for _, text in said(namespace))


STICKY = {"sessionAffinity": {"cookieName": "shop-canary", "maxAge": 300, "httpOnly": True}}


def test_with_session_affinity_nobody_goes_back_to_the_old_version(namespace: Namespace) -> None:
    managed(namespace, canary(analysis=analysis(stepWeights=[20, 40, 60], **STICKY)))
    paths = ("/", "/cart/items", "/orders?of=me")
    with using(namespace, 10, {}, *paths) as users:
        assert released(namespace, GOOD).outcome == "promoted"
        eventually("no cookie is left", lambda: not any(user.cookies for user in users))
    assert weights(namespace) == [20, 40, 60]
    never_back(users, "v1", "v2")
    assert failures(users) == []
    told = [line for user in users for page in user.pages for line in page.cookies]
    assert {line.partition("=")[0] for line in told} == {"shop-canary"}


@pytest.mark.soak
def test_a_rollback_takes_users_and_their_cookies_back(namespace: Namespace) -> None:
    managed(namespace, canary(analysis=analysis(stepWeights=[30], **STICKY)))
    with using(namespace, 10) as users:
        assert released(namespace, BAD).outcome == "rolled back"
        eventually("no cookie is left", lambda: not any(user.cookies for user in users))
        met = [user for user in users if "v3" in user.versions]
        eventually("they are back", lambda: all(user.pages[-1].version == "v1" for user in met))
    assert met
    assert all(user.versions == ["v1", "v3", "v1"] for user in met)
    assert failures(users, of="v3") == []


def lingering(shop: Shop) -> list[JSON]:
    """Its pods answer until every kube-proxy has heard that they leave, on a busy machine too."""
    return container(shop.manifests(), lifecycle={"preStop": {"sleep": {"seconds": 15}}})


def test_without_routers_the_canary_is_tried_aside_and_users_get_what_passed(
    namespace: Namespace,
) -> None:
    tried = analysis(stepWeights=None, iterations=3, metrics=None)
    opened(namespace, [canary(provider="kubernetes", analysis=tried), *lingering(SMALL)])
    selector = namespace.read("Service", "shop")["spec"]["selector"]
    assert selector["outrider.dev/role"] == "primary"
    release, judged = Release(namespace), list[float]()
    release.listener = lambda status: note(judged, status)
    with using(namespace, 6) as users:
        namespace.kubectl.apply(lingering(GOOD))
        assert release.finished().outcome == "promoted"
        eventually("the new one", lambda: all(user.pages[-1].version == "v2" for user in users))
    assert min(user.first("v2") for user in users) > judged[-1]
    assert failures(users) == []
    tells(
        namespace,
        ("Normal", "Advance shop canary iteration 1/3"),
        ("Normal", "Advance shop canary iteration 2/3"),
        ("Normal", "Advance shop canary iteration 3/3"),
        ("Normal", "Copying shop template spec to shop-primary"),
        ("Normal", "Promotion completed! Scaling down shop"),
        after=3,
    )
