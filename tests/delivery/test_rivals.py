"""Which of several Canaries of one app decides."""

from typing import Any

import pytest

from delivery import schema
from delivery.rivals import claim, deciding, held
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

OLD, YOUNG = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def generated(born: str = OLD) -> Document:
    return merged(schema.generated("web", "shop"), {"metadata": {"creationTimestamp": born}})


def written(name: str, born: str = OLD, **spec: Any) -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metadata = {"name": name, "creationTimestamp": born}
    return {"metadata": metadata, "spec": {"targetRef": target, "skipAnalysis": True, **spec}}


@pytest.mark.parametrize(
    ("canaries", "name"),
    [
        ([generated()], "web"),
        ([written("b", OLD), written("a", YOUNG)], "b"),
        ([written("b"), written("a")], "a"),
        ([generated(OLD), written("mine", YOUNG)], "mine"),
        ([merged(generated(OLD), {"spec": {"suspend": True}}), written("mine", YOUNG)], "web"),
    ],
    ids=["alone", "the older", "by name", "a user's", "a generated one that a user changed"],
)
def test_one_decides(canaries: list[Document], name: str) -> None:
    assert deciding(canaries) == {("Deployment", "web"): name}
    assert deciding(reversed(canaries)) == {("Deployment", "web"): name}


def test_another_kind_or_name_is_another_app() -> None:
    other = written("other", targetRef={"kind": "DaemonSet", "name": "web"})
    assert set(deciding([written("mine"), other]).values()) == {"mine", "other"}


def test_a_generated_canary_is_untouched_until_a_user_says_something_in_it() -> None:
    assert schema.is_untouched(generated())
    assert not schema.is_untouched(merged(generated(), {"spec": {"suspend": True}}))
    assert not schema.is_untouched(written("mine"))


def test_the_one_that_is_held_is_told_which_one_decides() -> None:
    text = "Deployment web is managed by Canary mine already: delete one of the two"
    assert held(written("yours"), "mine") == text


UNUSABLE = "the Canary {} is for it but cannot be used: mend or delete it"
TAKEN = "the Canary web has its name but another target: give that another name"


@pytest.mark.parametrize(
    ("canary", "marked", "said"),
    [
        (written("mine"), False, UNUSABLE.format("mine")),
        (written("mine"), True, ""),
        (written("web"), True, UNUSABLE.format("web")),
        (written("web", targetRef={"kind": "Deployment", "name": "api"}), True, TAKEN),
        (written("web", targetRef={"kind": "DaemonSet", "name": "web"}), False, TAKEN),
        (written("api", targetRef={"kind": "DaemonSet", "name": "web"}), False, ""),
        (written("web", targetRef=None), False, TAKEN),
        (
            merged(written("web"), {"metadata": {"deletionTimestamp": YOUNG}}),
            False,
            "the Canary web is being deleted",
        ),
    ],
)
def test_none_is_generated_over_another_or_against_it(
    canary: Document, marked: bool, said: str
) -> None:
    assert claim({"metadata": {"name": "web"}}, [canary], marked=marked) == said
