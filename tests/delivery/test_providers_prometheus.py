"""Prometheus as a metric provider: the request, the reading of answers, and what is kept secret."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.providers import (
    PROVIDERS,
    BadAnswer,
    BadSettings,
    MultipleValues,
    NoValues,
    QueryError,
    Request,
    Settings,
    provider_of,
)
from delivery.providers.prometheus import parse, request

ADDRESS = "http://prometheus.monitoring:9090"
LOGIN = {"username": "jane", "password": "s3cret:word"}
BASIC = "Basic " + b64encode(b"jane:s3cret:word").decode()


def asked(address: str = ADDRESS, **settings: Any) -> Request:
    return request('up{a="b"}', Settings(address, **settings))


def answer(result: Any, kind: str = "vector") -> bytes:
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def series(*values: str) -> bytes:
    return answer([{"metric": {}, "value": [1, value]} for value in values])


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (ADDRESS, f"{ADDRESS}/api/v1/query"),
        (f"{ADDRESS}/", f"{ADDRESS}/api/v1/query"),
        ("https://thanos.example/tenant/", "https://thanos.example/tenant/api/v1/query"),
        ("http://[fd00::1]:9090", "http://[fd00::1]:9090/api/v1/query"),
        ("http://jane:word@prometheus:9090", "http://prometheus:9090/api/v1/query"),
    ],
)
def test_an_instant_query_is_sent_below_the_address(address: str, url: str) -> None:
    made = asked(address)
    assert (made.method, made.url) == ("GET", f"{url}?query=up%7Ba%3D%22b%22%7D")
    assert (made.timeout, made.verify, made.body) == (5.0, True, b"")


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({}, []),
        ({"secret": {"token": "abc\n"}}, [("Authorization", "Bearer abc")]),
        ({"secret": LOGIN}, [("Authorization", BASIC)]),
        ({"secret": {**LOGIN, "token": "abc"}}, [("Authorization", "Bearer abc")]),
        (
            {"headers": {"X-Scope-OrgID": ("a", "b")}},
            [("X-Scope-OrgID", "a"), ("X-Scope-OrgID", "b")],
        ),
        (
            {"headers": {"authorization": ("own",), "X": ("1",)}, "secret": {"token": "abc"}},
            [("X", "1"), ("Authorization", "Bearer abc")],
        ),
        ({"headers": {"authorization": ("own",)}}, [("authorization", "own")]),
    ],
)
def test_credentials_and_headers_are_sent(
    settings: dict[str, Any], headers: list[tuple[str, str]]
) -> None:
    assert list(asked(**settings).headers) == headers


def test_a_question_that_is_asked_again_is_the_same() -> None:
    settings = Settings(ADDRESS, headers={"X": ("1",)}, secret={"token": "abc"})
    first, second = (request("up", settings) for _ in range(2))
    assert first == second
    assert [name for name, _ in second.headers] == ["X", "Authorization"]


def test_a_login_may_stand_in_the_address_and_goes_no_further_than_its_header() -> None:
    made = asked("http://jane:s3cret%3Aword@prometheus:9090")
    assert dict(made.headers) == {"Authorization": BASIC}
    assert "jane" not in made.url


def test_the_secrets_login_counts_before_the_addresss() -> None:
    made = asked("http://jane:word@prometheus:9090", secret={"token": "abc"})
    assert dict(made.headers) == {"Authorization": "Bearer abc"}


def test_a_certificate_may_go_unchecked_where_that_is_said() -> None:
    assert not asked(insecure=True).verify


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"address": ""}, 'address: "" is no URL; write for example http://prom'),
        ({"address": "prometheus:9090"}, 'address: "prometheus:9090" is no URL'),
        ({"address": "ftp://prometheus"}, "is no URL"),
        ({"address": "http://"}, "is no URL"),
        ({"address": "http://a:b"}, "is no URL"),
        ({"address": "http://[a"}, "is no URL"),
        ({"address": "http://a b/"}, "is no URL"),
        ({"secret": {}}, 'credentials have neither "token" nor "username" and "password"'),
        ({"secret": {"username": "jane"}}, "credentials have neither"),
        ({"secret": {"token": "a\nb"}}, 'header "Authorization" holds a line break'),
        ({"headers": {"X": ("a\r\nY: b",)}}, 'header "X" holds a line break'),
        ({"headers": {"": ("a",)}}, 'header "" holds a line break or is empty'),
    ],
)
def test_what_cannot_be_sent_is_refused(settings: dict[str, Any], error: str) -> None:
    with pytest.raises(BadSettings) as raised:
        asked(**settings)
    assert error in str(raised.value)


def test_an_address_is_shown_without_its_password() -> None:
    with pytest.raises(BadSettings) as raised:
        asked("ftp://jane:s3cret@prometheus")
    assert "s3cret" not in str(raised.value)
    assert "ftp://***@prometheus" in str(raised.value)


def test_nothing_secret_is_shown() -> None:
    settings = Settings(ADDRESS, headers={"X-Api-Key": ("key-of-mine",)}, secret=LOGIN)
    made = request("up", settings)
    assert made.redacted(f"no key-of-mine, s3cret:word, {BASIC} here") == "no ***, ***, *** here"
    for shown in (repr(settings), repr(made)):
        assert not any(text in shown for text in ("key-of-mine", "s3cret", BASIC))


def test_a_text_is_not_torn_to_pieces_by_a_short_secret() -> None:
    assert asked(secret={"token": "a"}).redacted("a banana") == "a banana"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (series("1.5"), 1.5),
        (series("1", "2"), 2.0),
        (series("NaN", "2"), 2.0),
        (series("+Inf"), float("inf")),
        (answer([1, "7"], "scalar"), 7.0),
    ],
)
def test_the_last_series_value_counts(body: bytes, value: float) -> None:
    assert parse(200, body) == value


@pytest.mark.parametrize("body", [series(), series("NaN"), series("1", "NaN")])
def test_nothing_and_what_is_no_number_are_no_values(body: bytes) -> None:
    with pytest.raises(NoValues, match="^no values found$"):
        parse(200, body)


def test_a_range_is_more_than_one_value() -> None:
    with pytest.raises(MultipleValues, match="^query returned multiple values$"):
        parse(200, answer([{"metric": {}, "values": [[1, "2"]]}], "matrix"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>welcome</html>",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": {"result": {}}}',
        b'{"status": "error", "error": "no"}',
        b"\xff\xfe",
        b"[" * 100_000,
        answer(["a"]),
        answer([{"value": [1]}]),
        answer([{"value": [1, 2]}]),
        answer([{"value": [1, "fast"]}]),
    ],
)
def test_garbage_is_a_bad_answer_with_its_beginning(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="^error unmarshaling result: "):
        parse(200, body)


@pytest.mark.parametrize("status", [302, 400, 401, 422, 503])
def test_a_refusal_is_told_in_flaggers_words(status: int) -> None:
    with pytest.raises(BadAnswer, match=f"^error response: Status {status} text: bad query$"):
        parse(status, b"bad query")


def test_a_long_answer_is_told_in_short() -> None:
    with pytest.raises(BadAnswer) as raised:
        parse(500, b"x" * 10_000)
    assert len(str(raised.value)) < 400


@given(st.integers(100, 599), st.binary())
def test_any_answer_is_a_number_or_an_error_of_ours(status: int, body: bytes) -> None:
    with pytest.raises(QueryError):
        parse(status, body)


def test_an_unknown_provider_is_an_error_that_lists_the_known_ones() -> None:
    assert provider_of("prometheus") is PROVIDERS["prometheus"]
    with pytest.raises(BadSettings, match='^type "graphit" is not built; use one of: prometheus'):
        provider_of("graphit")
