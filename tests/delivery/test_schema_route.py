"""What a Canary says of its route: how it is understood, and what admission has against it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.api.cautions import cautions
from delivery.api.route import DEFAULT_WORDS, route_of
from delivery.canary import Analysis
from delivery.matching import Comparison, Match, Way
from delivery.route import Changes, Cors, Retries, Rewrite, Route
from delivery.schema import parse, problems, unbuilt

README = Path(__file__).parents[2] / "README.md"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
ANALYSIS = {"interval": "5s", "threshold": 2, "stepWeight": 10}


def resource(provider: str = "envoy", **service: Any) -> dict[str, Any]:
    said = {"port": 80, **service}
    spec = {"provider": provider, "targetRef": TARGET, "service": said, "analysis": ANALYSIS}
    return {"metadata": {"name": "shop"}, "spec": spec}


def route(**service: Any) -> Route:
    return route_of(parse(resource(**service), Analysis()).words)


def path(way: Way, text: str) -> Comparison:
    return Comparison(":path", way, text)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, Route()),
        ({"timeout": "0s", "match": [], "headers": {}, "rewrite": {}, "retries": {}}, Route()),
        ({"timeout": "1m30s", "backendTimeout": "500ms"}, Route(timeout=90, try_timeout=0.5)),
        (
            {"backendTimeout": "5s", "retries": {"perTryTimeout": "2s"}},
            Route(try_timeout=2),
        ),
        (
            {"retries": {"attempts": 3, "retryOn": "gateway-error, 503,5xx,503"}},
            Route(
                retries=Retries(3, ("gateway-error", "5xx", "retriable-status-codes"), (503, 503))
            ),
        ),
        (
            {"retries": {"attempts": 1}},
            Route(
                retries=Retries(
                    1, (*DEFAULT_WORDS.split(",")[:4], "retriable-status-codes"), (503,)
                )
            ),
        ),
        (
            {
                "headers": {
                    "request": {"add": {"b": "1", "a": "2"}, "remove": ["c"]},
                    "response": {"set": {"d": "3"}},
                }
            },
            Route(
                request=Changes(add=(("a", "2"), ("b", "1")), remove=("c",)),
                response=Changes(set=(("d", "3"),)),
            ),
        ),
        (
            {"headers": {"request": {"set": {":authority": "a.example", "x": "y"}}}},
            Route(request=Changes(set=(("x", "y"),)), rewrite=Rewrite(host="a.example")),
        ),
        (
            {"rewrite": {"uri": "/", "authority": "b", "type": "ReplaceFullPath"}},
            Route(rewrite=Rewrite("/", "b", whole=True)),
        ),
        (
            {"match": [{"name": "a", "uri": {"prefix": "/a"}, "method": {}, "port": 80}]},
            Route(matches=(Match(path=path(Way.PREFIX, "/a"), port=80),)),
        ),
        (
            {
                "match": [
                    {
                        "uri": {},
                        "method": {"exact": "GET"},
                        "scheme": {"exact": "https"},
                        "authority": {"suffix": ".test"},
                        "headers": {"x": {"regex": "a+"}, "b": {}},
                        "withoutHeaders": {"y": {}},
                        "queryParams": {"q": {"exact": "1"}},
                        "ignoreUriCase": True,
                    }
                ]
            },
            Route(
                matches=(
                    Match(
                        headers=(
                            Comparison(":authority", Way.SUFFIX, ".test"),
                            Comparison(":method", Way.EXACT, "GET"),
                            Comparison(":scheme", Way.EXACT, "https"),
                            Comparison("b", Way.PRESENT),
                            Comparison("x", Way.REGEX, "a+"),
                        ),
                        without=(Comparison("y", Way.PRESENT),),
                        parameters=(Comparison("q", Way.EXACT, "1"),),
                        any_case=True,
                    ),
                )
            ),
        ),
        (
            {
                "corsPolicy": {
                    "allowOrigin": ["*", "https://a"],
                    "allowOrigins": [{"regex": ".*"}, {}],
                    "allowMethods": ["GET"],
                    "maxAge": "10m",
                    "allowCredentials": False,
                }
            },
            Route(
                cors=Cors(
                    origins=(
                        Comparison("origin", Way.REGEX, ".*"),
                        Comparison("origin", Way.EXACT, "https://a"),
                        Comparison("origin", Way.REGEX, ".*"),
                        Comparison("origin", Way.REGEX, ".*"),
                    ),
                    methods=("GET",),
                    max_age=600,
                    credentials=False,
                )
            ),
        ),
        (
            {"corsPolicy": {"allowHeaders": ["x", "*"], "maxAge": ""}},
            Route(cors=Cors(headers=("x", "*"))),
        ),
    ],
)
def test_the_route_is_what_was_said_of_it(service: dict[str, Any], expected: Route) -> None:
    assert problems(resource(**service)) == ()
    assert route(**service) == expected


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ({"timeout": "soon"}, 'timeout: "soon" is not a duration; write for example 30s or 1m30s'),
        ({"timeout": "10us"}, 'timeout: "10us" is too short; use 1ms or more, or 0s for no limit'),
        ({"backendTimeout": "1"}, 'backendTimeout: "1" is not a duration'),
        ({"retries": {"perTryTimeout": "1d"}}, 'retries.perTryTimeout: "1d" is not a duration'),
        ({"corsPolicy": {"maxAge": "1d"}}, 'corsPolicy.maxAge: "1d" is not a duration'),
        ({"retries": {"attempts": -1}}, "retries.attempts: -1 is out of range; use 0 to 100"),
        (
            {"retries": {"attempts": 1, "retryOn": "5xx, sometimes"}},
            'retries.retryOn: "sometimes" is not known; use 5xx, gateway-error, reset,',
        ),
        ({"retries": {"retryOn": "77"}}, 'retries.retryOn: "77" is not known; use 5xx,'),
        (
            {"match": [{}, {"uri": {"regex": "("}}]},
            'match[1].uri.regex: "(" has a ( that is not closed; write it in RE2\'s syntax',
        ),
        ({"match": [{"uri": {"prefix": ""}}]}, "match[0].uri.prefix: is empty, which says nothing"),
        (
            {"match": [{"headers": {"x y": {}}}]},
            'match[0].headers: "x y" is no header; use a name such as x-beta',
        ),
        (
            {"match": [{"withoutHeaders": {"x": {"regex": "\\1"}}}]},
            'match[0].withoutHeaders.x.regex: "\\1" has a back-reference, which RE2 does not know',
        ),
        ({"match": [{"queryParams": {"q": {"prefix": ""}}}]}, "match[0].queryParams.q.prefix: is"),
        (
            {"rewrite": {"uri": "v1"}},
            'rewrite.uri: "v1" is no path; begin with /, without a query',
        ),
        ({"rewrite": {"uri": "/a?b"}}, 'rewrite.uri: "/a?b" is no path'),
        (
            {"rewrite": {"authority": "http://a/"}},
            'rewrite.authority: "http://a/" is no host; write shop.example.com',
        ),
        ({"rewrite": {"uri": "/\x00"}}, "rewrite.uri: "),
        ({"rewrite": {"authority": "\x00"}}, "rewrite.authority: "),
        (
            {"match": [{"queryParams": {"": {}}}]},
            'match[0].queryParams: "" is no parameter; name it, in up to 1024 bytes',
        ),
        (
            {"corsPolicy": {"allowMethods": ["GET", "PUT, GE T"]}},
            'corsPolicy.allowMethods: "PUT, GE T" is no word of HTTP; use a name such as GET,',
        ),
        (
            {"rewrite": {"type": "Replace"}},
            'rewrite.type: "Replace" is not known; use ReplaceFullPath or ReplacePrefixMatch',
        ),
        (
            {"corsPolicy": {"allowOrigins": [{"regex": "(?=a)"}]}},
            'corsPolicy.allowOrigins[0].regex: "(?=a)" has a look-around',
        ),
        (
            {"headers": {"request": {"set": {"a b": "c"}}}},
            'headers.request.set: "a b" is no header; use a name such as x-beta',
        ),
        (
            {"headers": {"response": {"set": {"Host": "c"}}}},
            'headers.response.set: "Host" cannot be changed there; use spec.service.rewrite',
        ),
        (
            {"headers": {"request": {"remove": [":path"]}}},
            'headers.request.remove: ":path" cannot be changed there',
        ),
        (
            {"headers": {"request": {"add": {"x": "a\nb"}}}},
            "headers.request.add.x: has a character that no header may have; leave line breaks",
        ),
        (
            {"headers": {"request": {"add": {"x": "%REQ(a)%"}}}},
            "headers.request.add.x: %REQ(a)% would be sent as it is written; write a text",
        ),
        (
            {"primary": {"labels": {"example.com/a b": "c"}}},
            'primary.labels: "example.com/a b" is no key; write it such as example.com/team',
        ),
        (
            {"canary": {"labels": {"a": "b c"}, "annotations": {"a": "b c"}}},
            'canary.labels.a: "b c" is no value of a label; use up to 63 letters, digits,',
        ),
    ],
)
def test_what_no_router_could_do_is_refused(service: dict[str, Any], problem: str) -> None:
    (only,) = problems(resource(**service))
    assert only.startswith(f"spec.service.{problem}")


def test_labels_and_annotations_are_kubernetes_own() -> None:
    said = {"labels": {"example.com/team": "", "a_b.c": "d"}, "annotations": {"a/b": "c\nd"}}
    assert problems(resource(apex=said, primary=said)) == ()


def test_without_a_service_there_is_nothing_to_refuse() -> None:
    assert problems({"spec": {"targetRef": TARGET, "analysis": ANALYSIS}}) == ()


def test_the_words_of_other_routers_are_theirs() -> None:
    said = {"headers": {"request": {"add": {"x": "%REQ(a)%"}}}}
    assert problems(resource("istio", **said)) == ()


def test_what_no_router_is_there_for_is_told() -> None:
    said: dict[str, Any] = {"timeout": "1s", "retries": {"attempts": 1}, "gateways": ["public"]}
    assert unbuilt(resource("kubernetes", **said)) == ()
    found = cautions(resource("kubernetes", **said))
    assert sorted(one for one in found if one.startswith("spec.service")) == [
        f"spec.service.{field}: does nothing with the kubernetes provider, which has no router; "
        "remove it, or the provider"
        for field in ("gateways", "retries", "timeout")
    ]
    assert cautions(resource(timeout="1s")) == ()


def test_what_the_readme_writes_of_a_route_is_built() -> None:
    (block,) = re.findall(r"^```yaml\n(service:\n  port.*?)^```", README.read_text(), re.M | re.S)
    said = resource(**yaml.safe_load(block)["service"])
    assert problems(said) == unbuilt(said) == cautions(said) == ()
