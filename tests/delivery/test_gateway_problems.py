"""What the Gateway API cannot say is refused at admission, with the field and the fix."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery import schema
from delivery.api.cautions import cautions
from delivery.api.gateway_api import NO_GATEWAY

REFS = [{"name": "public"}]
Said = Mapping[str, Any]


def problems(
    service: Said | None, analysis: Said | None = None, provider: str = "gatewayapi:v1"
) -> tuple[str, ...]:
    spec = {
        "provider": provider,
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "analysis": {"interval": "10s", "threshold": 2, **(analysis or {"stepWeight": 10})},
        **({} if service is None else {"service": {"port": 80, **service}}),
    }
    return schema.problems({"metadata": {"name": "shop"}, "spec": spec})


@pytest.mark.parametrize("provider", ["gatewayapi:v1", "gatewayapi:v1beta1"])
@pytest.mark.parametrize("service", [None, {}, {"gatewayRefs": []}])
def test_a_gateway_must_be_named(provider: str, service: Said | None) -> None:
    assert problems(service, provider=provider) == (NO_GATEWAY,)
    assert "GatewayRefs must be specified when using Gateway API as a provider" in NO_GATEWAY


def test_other_providers_need_none() -> None:
    assert problems({"hosts": ["*"]}, provider="envoy") == ()


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ({"hosts": ["a.b", "*"]}, 'hosts[1]: "*" is no hostname of the Gateway API'),
        ({"hosts": ["Shop.example.com"]}, "hosts[0]"),
        ({"match": [{"scheme": {"exact": "http"}}]}, "match[0].scheme: the Gateway API has no"),
        ({"match": [{}, {"withoutHeaders": {"a": {}}}]}, "match[1].withoutHeaders"),
        ({"match": [{"ignoreUriCase": True}]}, "match[0].ignoreUriCase"),
        ({"match": [{"method": {"regex": "G.*"}}]}, "match[0].method"),
        ({"match": [{"method": {"exact": "get"}}]}, "use exact with one of GET"),
        ({"match": [{"uri": {"exact": "a"}}]}, 'match[0].uri.exact: "a" is no path'),
        (
            {"rewrite": {"uri": "/", "type": "ReplacePrefixMatch"}, "match": [{"uri": {}}, {}]},
            "match[0]",
        ),
        (
            {
                "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"},
                "match": [{"uri": {"prefix": "/"}}, {"uri": {"regex": "/a"}}],
            },
            "begins with / in match[1] too",
        ),
        ({"corsPolicy": {"allowOrigins": [{"prefix": "a"}]}}, "corsPolicy.allowOrigins[0]"),
        ({"corsPolicy": {"maxAge": "1d"}}, 'corsPolicy.maxAge: "1d" is not a duration'),
        ({"timeout": "soon"}, 'timeout: "soon" is not a duration'),
        ({"backendTimeout": "2s", "timeout": "1s"}, "backendTimeout: 2s is longer than timeout"),
        ({"mirror": [{"backendRef": {"name": "a"}}]}, "mirror[0].backendRef.port: is missing"),
    ],
)
def test_what_has_no_word_is_said(service: Said, text: str) -> None:
    (found,) = problems({"gatewayRefs": REFS, **service})
    assert found.startswith("spec.service.")
    assert text in found


@pytest.mark.parametrize(
    "service",
    [
        {"hosts": ["*.example.com", "a"]},
        {"match": [{"uri": {"suffix": ".html"}, "headers": {"a": {"prefix": "b"}}}]},
        {"match": [{"method": {"exact": "GET"}, "queryParams": {"a": {"regex": "b"}}}]},
        {"rewrite": {"uri": "/new"}, "match": [{"uri": {"exact": "/a"}}]},
        {"rewrite": {"uri": "/", "type": "ReplacePrefixMatch"}},
        {"corsPolicy": {"allowOrigins": [{"exact": "https://a"}], "maxAge": "24h"}},
        {"backendTimeout": "2s", "timeout": "0s"},
        {"backendTimeout": "1s", "timeout": "1s"},
        {"timeout": "1s"},
        {"mirror": [{"backendRef": {"name": "a", "port": 1}}]},
    ],
)
def test_what_can_be_said_is_no_problem(service: Said) -> None:
    assert problems({"gatewayRefs": REFS, **service}) == ()


@pytest.mark.parametrize(
    ("service", "field"),
    [
        ({"rewrite": {"uri": "/"}}, "rewrite"),
        ({"corsPolicy": {"allowOrigin": ["*"]}}, "corsPolicy"),
        ({"timeout": "1s"}, "timeout"),
        ({"backendTimeout": "1s"}, "backendTimeout"),
        ({"match": [{"uri": {"suffix": "a"}}]}, "match[0]"),
        ({"match": [{"queryParams": {"a": {"exact": "b"}}}]}, "match[0]"),
        ({"match": [{"method": {"exact": "POST"}}]}, "match[0]"),
    ],
)
def test_calls_know_less(service: Said, field: str) -> None:
    (found,) = problems({"gatewayRefs": REFS, "appProtocol": "grpc", **service})
    assert found.startswith(f"spec.service.{field}: ")


def test_calls_have_no_query() -> None:
    analysis = {"iterations": 2, "match": [{"queryParams": {"a": {"exact": "b"}}}]}
    service = {"gatewayRefs": REFS, "appProtocol": "grpc"}
    assert problems(service, analysis) == (
        "spec.analysis.match[0].queryParams: gRPC calls have none; use headers",
    )
    calls = {"iterations": 2, "match": [{"headers": {"a": {"exact": "b"}}}]}
    assert problems(service, calls) == ()
    assert problems({**service, "match": [{"uri": {"prefix": "/a.B/"}}]}) == ()


def warned(service: Said, **analysis: Any) -> tuple[str, ...]:
    spec = {
        "provider": "gatewayapi:v1",
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "analysis": {"interval": "10s", "threshold": 2, "stepWeight": 10, **analysis},
        "service": {"port": 80, "gatewayRefs": REFS, **service},
    }
    return cautions({"metadata": {"name": "shop"}, "spec": spec})


def test_retries_do_nothing_and_a_warning_says_so() -> None:
    assert warned({"retries": {"attempts": 3}}) == (
        "spec.service.retries: the Gateway API knows none, nothing is tried again; remove it",
    )
    assert warned({}) == ()


def test_a_check_that_nobody_counts_is_warned_of() -> None:
    metrics = [{"name": "request-success-rate", "thresholdRange": {"min": 99}}]
    (said,) = warned({}, metrics=metrics, guard={"mode": "off"})
    assert "is counted by our routers, and the gatewayapi:v1 provider has none" in said
    source = {"dialect": "envoy-gateway", "service": "envoy"}
    assert warned({}, metrics=metrics, source=source, guard={"mode": "off"}) == ()
