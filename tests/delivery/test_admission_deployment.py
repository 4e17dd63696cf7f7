import json
from collections.abc import Mapping
from typing import Any

import pytest

from delivery import names
from delivery.hashing import template_hash
from tests.delivery.reviews import AGENT, Document, admitted, answer, deployment

FIRST, SECOND = (
    template_hash(deployment(image=image)["spec"]["template"]) for image in ("web:1", "web:2")
)
SEEN = {names.ADMITTED: FIRST, names.RELEASE: "0"}
HELD = {names.SCALE: "0", names.REPLICAS: "3", **SEEN}
NEXT = {**HELD, names.ADMITTED: SECOND, names.RELEASE: "1"}
WISHED = {**HELD, names.REPLICAS: "5", names.WISHED: "7"}
PAUSED = {"kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"paused":true}}'}
MARK = {names.ROLE: names.CANARY}


def held(annotations: Mapping[str, str] = HELD, **spec: Any) -> Document:
    """The stored Deployment while its target is held at 0."""
    return deployment(annotations, **{"replicas": 0, "labels": MARK, **spec})


UPDATES: list[tuple[str, str, Document, Document, Document]] = [
    ("a re-apply changes nothing", "jane", held(), held(replicas=3), held()),
    (
        "a template is no wish",
        "jane",
        held(),
        held(image="web:2"),
        held(NEXT, image="web:2"),
    ),
    ("another number is a wish", "jane", held(), held(replicas=5), held(WISHED)),
    ("taken annotations come back", "jane", held(), held({}), held()),
    ("stale annotations go", "jane", held(), held({**HELD, names.REPLICAS: "9"}), held()),
    ("added annotations go", "jane", held(), held({**HELD, names.HOLD: "x"}), held()),
    ("the mark comes back", "jane", held(), held(labels={}), held()),
    (
        "a number that only stands there is no wish",
        "jane",
        held({**HELD, names.SCALE: "1"}),
        held({**HELD, names.SCALE: "1"}),
        held({**HELD, names.SCALE: "1"}, replicas=1),
    ),
    (
        "the agent scales by annotation",
        AGENT,
        held(),
        held({**HELD, names.SCALE: "2"}),
        held({**HELD, names.SCALE: "2"}, replicas=2),
    ),
    (
        "the agent's first hold notes the wish",
        AGENT,
        deployment(),
        deployment({names.SCALE: "0"}),
        held(),
    ),
    (
        "the agent's later hold notes no wish",
        AGENT,
        held({**SEEN, names.SCALE: "0"}),
        held({**SEEN, names.SCALE: "1"}),
        held({**SEEN, names.SCALE: "1"}, replicas=1),
    ),
    (
        "the agent may note the wish itself",
        AGENT,
        held(),
        held({**HELD, names.REPLICAS: "4"}),
        held({**HELD, names.REPLICAS: "4"}),
    ),
    (
        "the agent leaves and says how many",
        AGENT,
        held(),
        held({}, replicas=3),
        deployment(replicas=3),
    ),
    (
        "a hold pauses",
        AGENT,
        deployment(),
        deployment({names.HOLD: "adopting"}),
        deployment({**SEEN, names.HOLD: "adopting"}, paused=True),
    ),
    (
        "a user cannot unpause a hold",
        "jane",
        deployment({**SEEN, names.HOLD: "adopting"}, paused=True),
        deployment({}, paused=False),
        deployment({**SEEN, names.HOLD: "adopting"}, paused=True),
    ),
    (
        "the end of a hold unpauses",
        AGENT,
        deployment({names.HOLD: "adopting"}, paused=True),
        deployment({}, paused=True),
        deployment({}),
    ),
    (
        "the end of a hold leaves a pause that the user's file asks for",
        AGENT,
        deployment({names.HOLD: "adopting", **PAUSED}, paused=True),
        deployment(PAUSED, paused=True),
        deployment(PAUSED, paused=True),
    ),
    (
        "a user's own pause is his",
        "jane",
        deployment(),
        deployment(paused=True),
        deployment(paused=True),
    ),
    (
        "another namespace's agent is nobody",
        "system:serviceaccount:other:outrider-agent",
        held(),
        held({**HELD, names.SCALE: "2"}),
        held(),
    ),
    (
        "an unreadable number is left alone",
        "jane",
        held({names.SCALE: "many"}, replicas=4),
        held({names.SCALE: "many"}, replicas=5),
        held({names.SCALE: "many"}, replicas=5),
    ),
]


@pytest.mark.parametrize(("what", "user", "stored", "asked", "expected"), UPDATES)
def test_an_update(
    what: str, user: str, stored: Document, asked: Document, expected: Document
) -> None:
    assert admitted(asked, stored, user=user) == expected, what


@pytest.mark.parametrize(("what", "user", "stored", "asked", "expected"), UPDATES)
def test_a_second_look_changes_nothing(
    what: str, user: str, stored: Document, asked: Document, expected: Document
) -> None:
    assert answer(expected, stored, user=user).operations == (), what


def test_a_mark_that_is_no_longer_true_stays_until_an_update_comes_by_admission() -> None:
    slipped = held(image="web:2")
    wished = admitted(held(image="web:2", replicas=5), slipped)
    assert wished["metadata"]["annotations"][names.ADMITTED] == FIRST
    by_agent = admitted(held({**HELD, names.SCALE: "1"}, image="web:2"), slipped, user=AGENT)
    assert by_agent["metadata"]["annotations"][names.ADMITTED] == FIRST
    again = admitted(held(image="web:1"), slipped)
    assert again["metadata"]["annotations"][names.ADMITTED] == FIRST


def test_a_user_creates_without_our_annotations() -> None:
    asked = deployment({names.SCALE: "0", names.HOLD: "x", "team": "shop"})
    assert admitted(asked) == deployment({"team": "shop"})


def test_a_created_deployment_is_left_alone() -> None:
    assert answer(deployment({names.ENABLED: "true"})).operations == ()


def test_what_the_agent_creates_is_left_alone() -> None:
    assert answer(deployment({names.SCALE: "0"}), user=AGENT).operations == ()


def test_a_number_set_by_kubectl_scale_is_a_wish() -> None:
    stored = held(replicas=5)
    owner = {"subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    stored["metadata"]["managedFields"] = [{"manager": "kubectl"}, owner]
    assert admitted(stored, stored)["metadata"]["annotations"] == WISHED


@pytest.mark.parametrize(("generation", "wish"), [(2, None), (4, "5")])
def test_a_number_that_came_after_the_agents_last_word_is_a_wish(
    generation: int, wish: str | None
) -> None:
    stored = held({**HELD, names.HELD_AT: "2"}, replicas=5)
    stored["metadata"]["generation"] = generation
    changed = held({**HELD, names.HELD_AT: "2"}, replicas=5, image="web:2")
    noted = admitted(changed, stored)["metadata"]["annotations"][names.REPLICAS]
    assert noted == (wish or HELD[names.REPLICAS])


def test_a_copied_mark_of_another_version_is_no_wish() -> None:
    stale = {**WISHED, names.WISHED: "6"}
    assert admitted(held(stale), held())["metadata"]["annotations"] == HELD


def test_an_unreadable_wish_is_none() -> None:
    asked = held({**HELD, names.REPLICAS: "-1", names.WISHED: "7"})
    assert admitted(asked, held())["metadata"]["annotations"] == {**HELD, names.WISHED: "7"}


def test_a_wish_of_none_says_how_to_stop() -> None:
    stored = held({**HELD, names.SCALE: "1"}, replicas=1)
    said = answer(held({**HELD, names.SCALE: "1"}, replicas=0), stored)
    assert said.warnings == (STOP,)


STOP = (
    "outrider: replicas 0 is not taken as a wish; to stop the app: "
    "kubectl annotate canary/web -n shop outrider.dev/stop=true"
)


def filed(replicas: Any, held_at: str = "1", **spec: Any) -> Document:
    """As `kubectl apply` of a file leaves it, while the target is held at so many."""
    text = json.dumps({"spec": {"replicas": replicas}})
    return held({**HELD, names.SCALE: held_at, FILE: text}, **{"replicas": int(held_at), **spec})


FILE = "kubectl.kubernetes.io/last-applied-configuration"


@pytest.mark.parametrize(
    ("before", "now", "noted"),
    [(3, 1, "1"), (1, 1, "3"), (3, 3, "3"), (3, "odd", "3"), (5, 3, "3")],
)
def test_a_file_that_says_the_held_number_tells_a_wish(before: Any, now: Any, noted: str) -> None:
    stored, asked = filed(before), filed(now)
    found = admitted(asked, stored)
    assert found["metadata"]["annotations"][names.REPLICAS] == noted
    assert found["spec"]["replicas"] == 1
    assert answer(found, stored).operations == ()


@pytest.mark.parametrize(("now", "said"), [(0, (STOP,)), (1, ())])
def test_a_file_that_says_none_while_idle_is_told_how_to_stop(now: int, said: Any) -> None:
    assert answer(filed(now, "0"), filed(3, "0")).warnings == said
    assert answer(filed(now, "0"), filed(now, "0")).warnings == ()


def test_of_an_app_that_is_not_ours_nobody_is_told_how_to_stop() -> None:
    asked = deployment({FILE: '{"spec":{"replicas":0}}'}, replicas=0)
    assert answer(asked, deployment()).warnings == ()


FLOATING = (
    "outrider: web: no fixed version, so a rollback may bring other bits; "
    "use a tag of its own for each version, or a digest: web:latest"
)


def test_a_version_without_a_name_of_its_own_is_warned_about() -> None:
    assert answer(deployment(image="web:latest")).warnings == (FLOATING,)
    assert answer(held(image="web:latest"), held()).warnings[0] == FLOATING
    assert answer(held(image="web:latest"), held(image="web:latest")).warnings == ()


def test_an_unreadable_annotation_is_complained_of() -> None:
    said = answer(held({names.SCALE: "many"}), held({names.SCALE: "many"}))
    assert said.warnings == (
        "outrider: web: outrider.dev/scale cannot be read, left alone: 'many'",
    )


@pytest.mark.parametrize(
    ("user", "asked", "stored", "decision"),
    [
        ("jane", held(), held(), "unchanged"),
        ("jane", held(replicas=3), held(), "kept"),
        ("jane", held(replicas=5), held(), "wish"),
        (AGENT, held(), held(), "agent"),
        ("jane", deployment(image="web:2"), deployment(), "unchanged"),
    ],
)
def test_the_decision_in_a_word(
    user: str, asked: Document, stored: Document, decision: str
) -> None:
    assert answer(asked, stored, user=user).decision == decision
