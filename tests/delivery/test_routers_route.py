"""What the routers are told of a route, in Envoy's words."""

from typing import Any

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import Route as Told
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from delivery.matching import Comparison, Match, Way
from delivery.routers import matchers
from delivery.routers.envoy import (
    CDS,
    EDS,
    LDS,
    RDS,
    Application,
    Endpoint,
    parse_cluster_name,
    resources,
)
from tests.delivery.test_schema_route import route

PRIMARY, CANARY = Endpoint("10.0.0.1", 8080), Endpoint("10.0.0.2", 8080)


def served(**service: Any) -> Application:
    said = route(**service)
    return Application("shop", 80, 20000, (PRIMARY,), (CANARY,), None, 10, route=said)


def told(one: Application) -> list[Told]:
    """Each second one: of those that brought no x-forwarded-proto."""
    found = RouteConfiguration.FromString(resources([one]).resources[RDS]["shop/80"])
    return list(found.virtual_hosts[0].routes)[1::2]


def clusters(one: Told) -> dict[str, int]:
    return {
        part.name.rpartition("/")[2]: part.weight.value
        for part in one.route.weighted_clusters.clusters
    }


def test_without_a_word_of_the_route_no_byte_is_another() -> None:
    plain = Application("shop", 80, 20000, (PRIMARY,), (CANARY,), None, 10)
    assert resources([plain]) == resources([served()])


def test_what_no_app_can_notice_is_tried_again_whatever_is_said() -> None:
    (one,) = told(served(retries={"attempts": 1, "retryOn": "5xx"}, timeout="1.5s"))
    policy = one.route.retry_policy
    assert policy.retry_on == "connect-failure,refused-stream,reset-before-request,5xx"
    assert policy.num_retries.value == 1
    assert one.route.timeout.ToMilliseconds() == 1500
    assert told(served())[0].route.retry_policy.num_retries.value == 3


def test_a_percent_sign_is_no_command() -> None:
    (one,) = told(served(headers={"response": {"set": {"x": "5%", "y": ""}}}))
    found = [(each.header.value, each.keep_empty_value) for each in one.response_headers_to_add]
    assert found == [("5%%", False), ("", True)]


def test_browsers_are_answered_by_a_filter_that_is_there_only_then() -> None:
    plain, open_to = served(), served(corsPolicy={"allowOrigin": ["*"]})
    assert told(plain)[0].typed_per_filter_config == {}
    assert list(told(open_to)[0].typed_per_filter_config) == ["envoy.filters.http.cors"]
    filters = [
        Listener.FromString(resources([one]).resources[LDS]["shop/80"]) for one in (plain, open_to)
    ]
    assert [b"cors" in one.SerializeToString() for one in filters] == [False, True]


MATCHED = {"match": [{"uri": {"prefix": "/a"}, "port": 80}, {"uri": {"exact": "/b"}, "port": 81}]}


def test_what_the_route_is_not_about_goes_to_the_primary_and_is_counted_apart() -> None:
    first, rest = told(served(timeout="1s", **MATCHED))
    assert (first.match.prefix, clusters(first)) == ("/a", {"primary": 90, "canary": 10})
    assert (rest.match.prefix, clusters(rest)) == ("/", {"unmatched": 100})
    assert (first.route.timeout.seconds, rest.route.timeout.seconds) == (1, 0)
    found = resources([served(**MATCHED)]).resources
    assert parse_cluster_name("shop/80/unmatched") == ("shop", 80, "unmatched", "")
    unmatched = Cluster.FromString(found[CDS]["shop/80/unmatched"])
    assert unmatched.HasField("outlier_detection")
    assert "shop/80/unmatched" not in resources([served(match=[{}])]).resources[CDS]


@pytest.mark.parametrize(
    ("weight", "primary", "address"),
    [(100, (PRIMARY,), "10.0.0.1"), (100, (), "10.0.0.2"), (10, (), None)],
)
def test_it_goes_to_the_canary_only_where_that_alone_has_pods(
    weight: int, primary: tuple[Endpoint, ...], address: str | None
) -> None:
    one = Application("shop", 80, 20000, primary, (CANARY,), None, weight, route=route(**MATCHED))
    text = resources([one]).resources[EDS]["shop/80/unmatched"]
    (group,) = ClusterLoadAssignment.FromString(text).endpoints
    found = [each.endpoint.address.socket_address.address for each in group.lb_endpoints]
    assert found == ([address] if address else [])


@pytest.mark.parametrize(
    ("said", "regex", "text"),
    [
        (None, "^/", "/v/"),
        ({"prefix": "/a/"}, "^/a/", "/v/"),
        ({"prefix": "/a"}, "^/a", "/v"),
        ({"exact": "/a"}, "^.*$", "/v"),
        ({"suffix": "a"}, "^.*$", "/v"),
    ],
)
def test_of_the_path_what_matched_is_rewritten(
    said: dict[str, str] | None, regex: str, text: str
) -> None:
    match = [{"uri": said}] if said else []
    one = told(served(rewrite={"uri": "/v"}, match=match))[0].route.regex_rewrite
    assert (one.pattern.regex, one.substitution) == (regex, text)


def test_a_slash_is_neither_lost_nor_doubled_in_any_case() -> None:
    match = [{"uri": {"prefix": "/a"}, "ignoreUriCase": True}]
    one = told(served(rewrite={"uri": "/v/"}, match=match))[0]
    assert one.route.regex_rewrite.pattern.regex == "(?i)^/a/?"
    assert not one.match.case_sensitive.value


def test_the_host_is_rewritten() -> None:
    (one,) = told(served(rewrite={"authority": "a.example"}))
    assert one.route.host_rewrite_literal == "a.example"


def test_a_header_that_is_not_there_is_without_the_text_too() -> None:
    found = matchers.matcher(
        Match(without=(Comparison("a", Way.PRESENT), Comparison("b", Way.EXACT, "c")))
    )
    assert [
        (one.name, one.present_match, one.invert_match, one.treat_missing_header_as_empty)
        for one in found.headers
    ] == [("a", True, True, False), ("b", False, True, True)]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (Way.EXACT, ("/a.b", "", "")),
        (Way.PREFIX, ("", "/a.b", "")),
        (Way.REGEX, ("", "", "/a.b")),
        (Way.SUFFIX, ("", "", r".*/a\.b")),
    ],
)
def test_a_path_is_compared_in_each_way(way: Way, expected: tuple[str, str, str]) -> None:
    found = matchers.matcher(Match(path=Comparison(":path", way, "/a.b")))
    assert (found.path, found.prefix, found.safe_regex.regex) == expected
