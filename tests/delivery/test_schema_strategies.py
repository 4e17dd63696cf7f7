"""How a Canary says that its traffic is to move, and what admission has against it."""

from typing import Any

import pytest

from delivery.api.cautions import cautions
from delivery.canary import Affinity, Analysis, Mirror
from delivery.matching import Comparison, Match, Way
from delivery.schema import effective, parse, problems, unbuilt

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
CHECK = {"name": "request-success-rate", "interval": "5s", "thresholdRange": {"min": 99}}
BETA = {"headers": {"x-beta": {"exact": "yes"}}}
AB = {"interval": "5s", "threshold": 2, "iterations": 3, "match": [BETA]}


def resource(**analysis: Any) -> dict[str, Any]:
    said = {key: value for key, value in {**AB, **analysis}.items() if value is not None}
    return {"metadata": {"name": "shop"}, "spec": {"targetRef": TARGET, "analysis": said}}


def analysed(**analysis: Any) -> Analysis:
    return parse(resource(**analysis), Analysis()).analysis


def matching(*match: dict[str, Any]) -> tuple[Match, ...]:
    return analysed(match=list(match)).match


def test_all_conditions_of_an_entry_and_any_of_the_entries() -> None:
    both = {"headers": {"x-b": {"suffix": "!"}, "cookie": {"regex": "a"}}, "queryParams": {"q": {}}}
    assert matching(BETA, both) == (
        Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),)),
        Match(
            (Comparison("cookie", Way.REGEX, "a"), Comparison("x-b", Way.SUFFIX, "!")),
            (Comparison("q", Way.PRESENT),),
        ),
    )


def test_what_cannot_be_told_from_a_request_matches_nothing_and_halts() -> None:
    labelled = {**BETA, "sourceLabels": {"app": "a"}}
    assert matching(labelled, {"sourceLabels": {"app": "a"}}) == ()
    found = unbuilt(resource(match=[labelled]))
    assert found == ("spec.analysis.match[0].sourceLabels",)
    assert unbuilt(resource()) == ()


def test_the_analysis_in_force_shows_what_matches() -> None:
    said = [{"headers": {"x": {"prefix": "a"}}}, {"queryParams": {"q": {}, "r": {"exact": ""}}}]
    assert effective(analysed(match=said))["match"] == said
    assert effective(analysed())["iterations"] == 3


@pytest.mark.parametrize(
    ("analysis", "problem"),
    [
        ({"iterations": None}, "spec.analysis: sets none of iterations, stepWeight, stepWeights"),
        ({"iterations": 0}, "spec.analysis.iterations: 0 is out of range; use 1 or more"),
        (
            {"iterations": None, "stepWeight": 5},
            "spec.analysis.match: is set beside stepWeight, but whoever matches goes to the canary",
        ),
        ({"iterations": None}, "spec.analysis.match: is set without iterations; add spec.analysis"),
        (
            {"mirror": True},
            "spec.analysis.mirror: is set beside match, but whoever matches is answered by the",
        ),
        (
            {"match": None, "mirror": True, "mirrorWeight": 50, "maxMirrorWeight": 20},
            "spec.analysis.maxMirrorWeight: 20 is below mirrorWeight 50, where it begins",
        ),
        (
            {"match": [BETA, {}]},
            "spec.analysis.match[1]: matches every request; name a header or a query parameter",
        ),
        (
            {"match": [{"headers": {"x beta": {"exact": "yes"}}}]},
            'spec.analysis.match[0].headers: "x beta" is no header; use a name such as x-beta',
        ),
        (
            {"match": [{"headers": {"x": {"prefix": ""}}}]},
            "spec.analysis.match[0].headers.x.prefix: is empty, which says nothing; write a text",
        ),
        (
            {"match": [{"queryParams": {"": {"exact": "a"}}}]},
            'spec.analysis.match[0].queryParams: "" is no parameter; name it, in up to 1024 bytes',
        ),
        (
            {"match": [{"queryParams": {"q": {"regex": "(?=a)"}}}]},
            'spec.analysis.match[0].queryParams.q.regex: "(?=a)" has a look-around or another group'
            " that RE2 does not know: (?; write it in RE2's syntax",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_field_value_and_fix(
    analysis: dict[str, Any], problem: str
) -> None:
    assert any(one.startswith(problem) for one in problems(resource(**analysis)))


COPIED = {"match": None, "iterations": None, "stepWeight": 5, "mirror": True}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Mirror(100, 0, 100)),
        ({"mirrorWeight": 0}, Mirror(100, 0, 100)),
        ({"mirrorWeight": 30}, Mirror(30, 0, 30)),
        ({"mirrorStepWeight": 20}, Mirror(20, 20, 100)),
        ({"mirrorWeight": 5, "mirrorStepWeight": 20, "maxMirrorWeight": 60}, Mirror(5, 20, 60)),
        (
            {"canaryAnalysis": {"stepWeightPromotion": 20, "maxMirrorWeight": 60}},
            Mirror(20, 20, 60),
        ),
        ({"mirror": False, "mirrorWeight": 30}, None),
    ],
)
def test_a_mirror_has_a_beginning_steps_and_an_end(
    said: dict[str, Any], expected: Mirror | None
) -> None:
    written = resource(**COPIED | said)
    assert problems(written) == unbuilt(written) == ()
    assert analysed(**COPIED | said).mirror == expected


def test_the_analysis_in_force_shows_what_is_copied() -> None:
    assert effective(analysed(**COPIED))["mirrorWeight"] == 100
    grown = effective(analysed(**COPIED, mirrorWeight=10, mirrorStepWeight=20, maxMirrorWeight=50))
    assert {key: value for key, value in grown.items() if "irror" in key} == {
        "mirror": True,
        "mirrorWeight": 10,
        "mirrorStepWeight": 20,
        "maxMirrorWeight": 50,
    }


def test_that_requests_are_carried_out_twice_is_said() -> None:
    (said,) = cautions(resource(**COPIED))
    assert said.startswith("spec.analysis.mirror: copied requests are carried out twice; use it")
    (unused,) = cautions(resource(**{**COPIED, "mirror": None, "mirrorWeight": 5}))
    assert unused.startswith("spec.analysis.mirror: is not true, so no request is copied; set it")


STICKY: dict[str, Any] = {"match": None, "iterations": None, "stepWeight": 5}


def affinity(**said: Any) -> dict[str, Any]:
    return {**STICKY, "sessionAffinity": {"cookieName": "sticky", **said}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Affinity("sticky", primary_age=5)),
        ({"primaryCookieName": "stable", "maxAge": 9}, Affinity("sticky", "stable", 9, 5)),
        (
            {
                **{"domain": "a.example", "httpOnly": True, "partitioned": True, "path": "/shop"},
                **{"sameSite": "Lax", "secure": True},
            },
            Affinity(
                "sticky",
                primary_age=5,
                attributes="; Domain=a.example; HttpOnly; Partitioned; Path=/shop; SameSite=Lax"
                "; Secure",
            ),
        ),
    ],
)
def test_a_cookie_has_its_users_attributes(said: dict[str, Any], expected: Affinity) -> None:
    written = resource(**affinity(**said))
    assert problems(written) == unbuilt(written) == cautions(written) == ()
    found = analysed(**affinity(**said))
    assert found.affinity == expected
    assert effective(found)["sessionAffinity"]["maxAge"] == expected.max_age
    shown = effective(found)["sessionAffinity"].get("primaryCookieName", "")
    assert shown == expected.primary_cookie


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"cookieName": "a b"}, 'cookieName: "a b" is no name of a cookie; use letters, digits'),
        ({"primaryCookieName": ""}, 'primaryCookieName: "" is no name of a cookie; use letters'),
        (
            {"primaryCookieName": "sticky"},
            'primaryCookieName: "sticky" is the canary\'s cookie too',
        ),
        ({"maxAge": 0}, "maxAge: 0 is out of range; use 1 or more, in seconds"),
        ({"domain": "a; b"}, 'domain: "a; b" cannot stand in a cookie; leave ; and blanks out'),
        ({"path": "/ä"}, 'path: "/ä" cannot stand in a cookie; leave ; and blanks out'),
    ],
)
def test_a_cookie_that_cannot_be_set_is_refused(said: dict[str, Any], problem: str) -> None:
    (only,) = problems(resource(**affinity(**said)))
    assert only.startswith(f"spec.analysis.sessionAffinity.{problem}")


@pytest.mark.parametrize("said", [{"sameSite": "None"}, {"partitioned": True}])
def test_a_cookie_that_browsers_refuse_is_told(said: dict[str, Any]) -> None:
    (only,) = cautions(resource(**affinity(**said)))
    assert only.startswith("spec.analysis.sessionAffinity.secure: is not set, and browsers refuse")


@pytest.mark.parametrize("mode", ["both", "primary"])
def test_that_the_halves_are_not_compared_is_said(mode: str) -> None:
    (said,) = cautions(resource(metrics=[CHECK], guard={"mode": mode}))
    assert said.endswith("they are not compared, the range alone rolls back")
    assert cautions(resource(metrics=[CHECK], guard={"mode": "range"})) == ()
    (said,) = cautions(resource(**affinity(), metrics=[CHECK], guard={"mode": mode}))
    assert said.endswith("they are not compared, the range alone rolls back")
    weights = resource(match=None, stepWeight=5, metrics=[CHECK], guard={"mode": mode})
    assert cautions(weights) == ()


def test_a_whole_cookie_header_is_hardly_meant() -> None:
    (said,) = cautions(resource(match=[{"headers": {"Cookie": {"exact": "beta=1"}}}]))
    assert said.startswith("spec.analysis.match[0].headers.Cookie.exact: is compared with all of a")
    assert said.endswith("use regex: ^(.*; *)?beta=1(;.*)?$")
    assert cautions(resource(match=[{"headers": {"cookie": {"prefix": "beta=1"}}}])) == ()
