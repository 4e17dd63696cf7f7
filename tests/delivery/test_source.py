"""Whose counters judge: which pods, under which names, and what the status says of them."""

from typing import Any

import pytest

from delivery.source import Source, chosen, series, told


def pod(address: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": address, "labels": labels}, "status": {"podIP": address}}


def service(name: str, selector: dict[str, str] | None) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": selector}}


PODS = (
    pod("10.0.0.1", app="gate", tier="edge"),
    pod("10.0.0.2", app="gate"),
    pod("10.0.0.3", tier="back"),
    pod("10.0.0.4", app="other"),
)
SERVICES = (service("gate", {"app": "gate"}), service("bare", None), service("empty", {}))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (Source("envoy", service="gate"), ("10.0.0.1", "10.0.0.2")),
        (Source("envoy", labels={"tier": "edge"}), ("10.0.0.1",)),
        (Source("envoy", service="bare"), ()),
        (Source("envoy", service="empty"), ()),
        (Source("envoy", service="missing"), ()),
        (Source("istio"), ("10.0.0.4",)),
    ],
)
def test_pods_are_found_by_service_or_labels_or_are_the_apps_own(
    source: Source, found: tuple[str, ...]
) -> None:
    pods = chosen(source, PODS, SERVICES, PODS[3:])
    assert tuple(one["status"]["podIP"] for one in pods) == found


@pytest.mark.parametrize(
    ("source", "role", "names"),
    [
        (Source("istio"), "canary", ("shop/web",)),
        (Source("istio"), "primary", ("shop/web-primary",)),
        (Source("contour"), "canary", ("shop_site/canary",)),
        (Source("envoy", canary="new", primary="old"), "canary", ("new",)),
        (Source("envoy", canary="new", primary="old"), "primary", ("old",)),
    ],
)
def test_a_half_is_known_by_what_the_dialect_or_the_user_calls_it(
    source: Source, role: str, names: tuple[str, ...]
) -> None:
    assert series(source, "shop", "web", "site", role) == names


def test_without_a_service_the_target_names_it() -> None:
    assert series(Source("contour"), "shop", "web", "", "canary") == ("shop_web/canary",)


SAID = "istio on port 15090 of Service gate in namespace edge"


@pytest.mark.parametrize(
    ("found", "silent", "why", "text"),
    [
        ((), {}, "", f"{SAID}: no ready pod found"),
        (("a", "b"), {}, "", f"{SAID}: 2 found"),
        (("a", "b"), {"gone": "late"}, "", f"{SAID}: 2 found"),
        (("a", "b"), {"b": "late"}, "", f"{SAID}: 2 found, 1 not read, among them b: late"),
        ((), {}, "not readable", f"{SAID}: not readable"),
    ],
)
def test_the_status_says_what_was_found_and_what_does_not_answer(
    found: tuple[str, ...], silent: dict[str, str], why: str, text: str
) -> None:
    source = Source("istio", service="gate", namespace="edge")
    assert told(source, found, silent, why) == text


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (Source("istio", port=15020), "istio on port 15020 of the app's pods"),
        (
            Source("envoy", labels={"b": "2", "a": "1"}),
            "envoy on port 9901 of pods with a=1,b=2",
        ),
        (Source("gloo", service="proxy"), "gloo on port 8081 of Service proxy"),
    ],
)
def test_where_it_is_read_is_said_in_words(source: Source, where: str) -> None:
    assert source.where == where
