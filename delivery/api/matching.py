"""Which requests are meant: Istio's string and request matches (reference, 1.3 and 1.4)."""

from typing import Any, Self

from pydantic import Field, model_validator

from delivery.api.model import Model


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
