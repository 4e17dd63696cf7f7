from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.hashing import stripped, template_hash

SPEC = {"containers": [{"name": "web", "image": "web:1"}]}

SAME: list[tuple[str, Mapping[str, Any]]] = [
    ("no metadata", {}),
    ("null metadata", {"metadata": None}),
    ("empty metadata", {"metadata": {}}),
    ("null creationTimestamp", {"metadata": {"creationTimestamp": None}}),
    ("empty labels", {"metadata": {"labels": {}, "annotations": {}}}),
    ("null labels", {"metadata": {"labels": None, "annotations": None}}),
    ("our label", {"metadata": {"labels": {"outrider.dev/role": "canary"}}}),
    ("our annotation", {"metadata": {"annotations": {"outrider.dev/any": "x"}}}),
    ("a ReplicaSet's hash", {"metadata": {"labels": {"pod-template-hash": "abc"}}}),
    ("Flagger's id", {"metadata": {"annotations": {"flagger-id": "abc"}}}),
]

OTHER: list[Mapping[str, Any]] = [
    {"metadata": {"labels": {"app": "web"}}},
    {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}},
    {"metadata": {"annotations": {"reloader.stakater.com/last-reloaded-from": "{}"}}},
    {"metadata": {"annotations": {"cattle.io/timestamp": "now"}}},
    {"metadata": {"name": "odd"}},
    {"metadata": {"labels": ["odd"]}},
    {"metadata": "odd"},
    {"spec": {"containers": [{"name": "web", "image": "web:2"}]}},
    {"spec": {"containers": []}},
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(("what", "extra"), SAME)
def test_what_no_person_wrote_does_not_count(what: str, extra: Mapping[str, Any]) -> None:
    assert template_hash({"spec": SPEC, **extra}) == template_hash({"spec": SPEC})


@pytest.mark.parametrize("extra", OTHER)
def test_what_a_person_wrote_counts(extra: Mapping[str, Any]) -> None:
    assert template_hash({"spec": SPEC, **extra}) != template_hash({"spec": SPEC})


def test_the_hash_is_pinned_for_it_lives_in_status() -> None:
    assert template_hash({"spec": SPEC}) == "b60e34ee58722c6e"


def test_the_template_itself_is_not_touched() -> None:
    template = {"metadata": {"labels": {"outrider.dev/role": "canary", "app": "web"}}}
    assert stripped(template) == {"metadata": {"labels": {"app": "web"}}}
    assert template["metadata"]["labels"]["outrider.dev/role"] == "canary"


@given(st.dictionaries(st.text(), JSON))
def test_order_does_not_count(template: dict[str, Any]) -> None:
    assert template_hash(template) == template_hash(dict(reversed(template.items())))


@given(st.dictionaries(st.sampled_from(["metadata", "spec"]), JSON))
def test_stripping_twice_is_stripping_once(template: dict[str, Any]) -> None:
    assert stripped(stripped(template)) == stripped(template)


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_our_keys_never_count(labels: dict[str, str]) -> None:
    marked = {"outrider.dev/" + key: value for key, value in labels.items()}
    for place in ("labels", "annotations"):
        template = {"metadata": {place: {"app": "web", **marked}}}
        assert template_hash(template) == template_hash({"metadata": {place: {"app": "web"}}})
