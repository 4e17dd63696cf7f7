"""Which requests are meant: Istio's string and request matches (reference, 1.3 and 1.4)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from delivery.api.model import Model
from delivery.matching import Comparison, Match, Way


class StringMatch(Model):
    """How a text is compared; at most one way."""

    model_config = {"json_schema_extra": {"maxProperties": 1}}

    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    regex: str | None = Field(None, description="RE2 syntax.")

    @model_validator(mode="after")
    def compares_one_way(self) -> Self:
        if len(self.model_dump(exclude_none=True)) > 1:
            raise ValueError("compares in more than one way; keep one")
        return self


def exactly_one(schema: dict[str, Any]) -> None:
    """The API server's form of "one key": each alternative requires another."""
    schema["oneOf"] = [{"required": [key]} for key in schema["properties"]]


class HeaderMatch(StringMatch):
    """How a text is compared; exactly one way."""

    model_config = {"json_schema_extra": exactly_one}

    @model_validator(mode="after")
    def compares_at_all(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("compares with nothing; set exact, prefix, suffix or regex")
        return self


class HTTPMatchRequest(Model):
    """One set of conditions; all of them must hold."""

    name: str | None = None
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] | None = None
    port: int | None = None
    source_labels: dict[str, str] | None = None
    gateways: tuple[str, ...] | None = None
    query_params: dict[str, StringMatch] | None = None
    ignore_uri_case: bool | None = None
    without_headers: dict[str, StringMatch] | None = None
    source_namespace: str | None = None


class AnalysisMatch(Model):
    """Who sees the canary in an A/B test; all conditions must hold."""

    headers: dict[str, HeaderMatch] | None = None
    query_params: dict[str, StringMatch] | None = None
    source_labels: dict[str, str] | None = None


def matches_of(said: Iterable[AnalysisMatch], *, labelled: bool = False) -> Iterator[Match]:
    """What is only in part to be told from a request is passed over, or too many would match.

    `labelled` where the router knows the caller's pod.
    """
    for one in said:
        found = Match(
            compared(one.headers or {}),
            compared(one.query_params or {}),
            tuple(sorted((one.source_labels or {}).items())),
        )
        if found != Match() and (labelled or not found.labels):
            yield found


def compared(wanted: Mapping[str, StringMatch]) -> tuple[Comparison, ...]:
    return tuple(comparison(name, wanted[name]) for name in sorted(wanted))


def comparison(name: str, said: StringMatch) -> Comparison:
    """One that says no text asks whether there is any."""
    for way, text in said.model_dump(exclude_none=True).items():
        return Comparison(name, Way(way), text)
    return Comparison(name, Way.PRESENT)


def effective_match(match: Match) -> dict[str, Any]:
    """In the words of the spec."""
    said = {
        "headers": texts(match.headers),
        "queryParams": texts(match.parameters),
        "sourceLabels": dict(match.labels),
    }
    return {key: value for key, value in said.items() if value}


def texts(wanted: tuple[Comparison, ...]) -> dict[str, dict[str, str]]:
    return {one.name: {} if one.way is Way.PRESENT else {one.way.value: one.text} for one in wanted}
