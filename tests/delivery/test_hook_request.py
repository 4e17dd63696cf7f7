"""What is sent to a hook, to the letter, and what its answer means."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Analysis, Canary, Phase, Status
from delivery.decision import warning
from delivery.hook import Call, Hook, HookType
from delivery.hook_request import (
    Answer,
    event_request,
    failure,
    may_pass_later,
    passed,
    redacted,
    request_of,
    wait,
)
from delivery.providers import Request
from delivery.templating import TemplateError

HOOK = Hook("load", "http://hooks.test/run?token=s3cret&x=1", timeout=5.0)
STATUS = Status(Phase.PROGRESSING, canary_weight=20, observed="85d557f47b", apex="web")


def canary(hook: Hook = HOOK) -> Canary:
    analysis = Analysis(interval=30.0, hooks=(hook,))
    return Canary("web", "shop", "app", analysis, uid="u-1", status=STATUS)


def request(call_about: str = "now", **changes: Any) -> Request:
    hook = replace(HOOK, **changes)
    return request_of(canary(hook), Call(hook, "Progressing", "85d557f47b", call_about))


def headers(found: Request) -> dict[str, str]:
    return dict(found.headers)


def payload(**metadata: str) -> Any:
    return json.loads(request(metadata=metadata).body)


def test_a_call_is_flaggers_to_the_letter() -> None:
    found = request()
    assert (found.method, found.url) == ("POST", HOOK.url)
    assert headers(found)["Content-Type"] == "application/json"
    assert found.body == (
        b'{"name":"web","namespace":"shop","phase":"Progressing","checksum":"85d557f47b"}'
    )
    assert (found.timeout, found.verify) == (5.0, True)
    assert not request(insecure=True).verify


def test_metadata_is_sent_behind_the_rest_and_rendered() -> None:
    found = request(metadata={"cmd": "hey -z {{ interval }} http://{{ target }}-canary/", "a": "1"})
    assert found.body.endswith(b'"metadata":{"a":"1","cmd":"hey -z 30s http://app-canary/"}}')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ canaryWeight }}", "20"),
        ("{{ if ge canaryWeight 50 }}many{{ else }}few{{ end }}", "few"),
        (
            "{{ name }}.{{ namespace }} {{ service }} {{ ingress }} {{ route }}",
            "web.shop web app app",
        ),
        ("{{ phase }}", "Progressing"),
        ('{{ "{{" }} as it is', "{{ as it is"),
        ("größer <&>", "größer <&>"),
    ],
)
def test_metadata_may_say_how_it_stands(text: str, value: str) -> None:
    assert payload(text=text)["metadata"] == {"text": value}


def test_metadata_that_cannot_be_rendered_says_which() -> None:
    with pytest.raises(TemplateError, match=r"^metadata\.cmd: "):
        request(metadata={"cmd": "{{ .items }}"})


def test_every_attempt_at_a_call_carries_the_same_key_and_no_other_call_does() -> None:
    keys = [headers(request(about))["Idempotency-Key"] for about in ("now", "now", "later")]
    assert keys[0] == keys[1] != keys[2]
    other = headers(request("now", name="other"))["Idempotency-Key"]
    assert other != keys[0]


def test_a_poll_carries_no_key_or_its_answer_might_be_one_from_memory() -> None:
    assert "Idempotency-Key" not in headers(request(type=HookType.CONFIRM_PROMOTION))


def test_a_login_in_the_url_is_sent_as_a_header_and_shown_nowhere() -> None:
    found = request(url="https://ann:p%40ss@hooks.test:8443")
    assert found.url == "https://hooks.test:8443/"
    assert headers(found)["Authorization"] == "Basic YW5uOnBAc3M="
    said = found.redacted("ann:p%40ss YW5uOnBAc3M= p@ss")
    assert said == "*** *** ***"


def test_a_query_is_shown_nowhere() -> None:
    assert request().redacted("POST /run?token=s3cret&x=1: s3cret") == "POST /run?***: ***"
    assert "s3cret" not in repr(request())
    assert "s3cret" not in repr(HOOK)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://hooks.test/run", "http://hooks.test/run"),
        ("https://a:b@hooks.test:1/x?y=z#f", "https://***@hooks.test:1/x?***"),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_an_event_is_told_with_its_time_and_the_hooks_own_words_give_way() -> None:
    hook = replace(HOOK, type=HookType.EVENT, metadata={"env": "{{ namespace }}", "eventType": "x"})
    found = event_request(canary(hook), hook, warning("Canary failed!"), 1.2345)
    assert json.loads(found.body) == {
        "name": "web",
        "namespace": "shop",
        "phase": "Progressing",
        "checksum": "85d557f47b",
        "metadata": {
            "env": "shop",
            "eventMessage": "Canary failed!",
            "eventType": "Warning",
            "timestamp": "1234",
        },
    }


@pytest.mark.parametrize(
    ("status", "good", "later"),
    [
        (200, True, False),
        (202, True, False),
        (204, True, False),
        (299, True, False),
        (199, False, False),
        (302, False, False),
        (403, False, False),
        (429, False, True),
        (500, False, True),
        (501, False, False),
        (503, False, True),
    ],
)
def test_trap_any_2xx_is_success_and_faults_of_the_server_may_pass(
    status: int, good: bool, later: bool
) -> None:
    assert (passed(Answer(status)), may_pass_later(Answer(status))) == (good, later)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(403, body=b"Forbidden\n"), "status 403: Forbidden"),
        (Answer(500), "status 500"),
        (Answer(500, body=b"cmd failed"), "status 500: cmd failed"),
        (Answer(304), "status 304"),
        (
            Answer(302, {"location": "http://a:b@other.test/x?t=1"}),
            "status 302: redirects are not followed; set url to http://***@other.test/x?***",
        ),
    ],
)
def test_trap_a_failure_is_told_with_the_answers_own_words(answer: Answer, text: str) -> None:
    assert failure(answer) == text


@pytest.mark.parametrize(
    ("attempt", "answer", "seconds"),
    [
        (1, None, 1.0),
        (2, Answer(500), 2.0),
        (5, None, 16.0),
        (6, None, 30.0),
        (99, None, 30.0),
        (1, Answer(503, {"retry-after": "7"}), 7.0),
        (1, Answer(429, {"retry-after": "3600"}), 30.0),
        (1, Answer(500, {"retry-after": "7"}), 1.0),
        (1, Answer(503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}), 1.0),
    ],
)
def test_attempts_wait_longer_and_longer_unless_they_are_told(
    attempt: int, answer: Answer | None, seconds: float
) -> None:
    assert wait(attempt, answer) == seconds
