"""The words of the API: durations, times, ports, field names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from delivery.api.alert_provider import AlertProvider
from delivery.api.canary import Canary
from delivery.api.duration import duration, seconds
from delivery.api.instant import epoch, rfc3339
from delivery.api.metric_template import MetricTemplate
from delivery.api.model import camel, port_number_or_name
from delivery.api.shape import dotted, read, shown

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1s", 1),
        ("90s", 90),
        ("1m", 60),
        ("1m30s", 90),
        ("1h", 3600),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        (".5s", 0.5),
        ("2us", 2e-6),
        ("2µs", 2e-6),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, length: float) -> None:
    assert seconds(text) == pytest.approx(length)


@pytest.mark.parametrize("text", ["", "5", "s", "1 s", "1sec", "-1s", "1d", "x", "1s\n"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example 30s"):
        seconds(text)


def test_a_duration_that_go_could_not_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than any release"):
        seconds("9" * 400 + "h")


@pytest.mark.parametrize(
    ("length", "text"), [(5.0, "5s"), (90.0, "90s"), (1.1, "1s100ms"), (2e6, "2000000s")]
)
def test_a_duration_begins_with_whole_seconds(length: float, text: str) -> None:
    assert duration(length) == text
    assert seconds(text) == pytest.approx(length)


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_time_survives_being_written_to_the_microsecond(microseconds: int) -> None:
    moment = microseconds / 1_000_000
    assert epoch(rfc3339(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", 1767225600.0),
        ("2026-01-01T01:00:00+01:00", 1767225600.0),
        ("2026-01-01T00:00:00.25Z", 1767225600.25),
        ("2026-01-01T00:00:00.123456789Z", 1767225600.123456),
    ],
)
def test_times_of_others_are_read(text: str, moment: float) -> None:
    assert epoch(text) == moment


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "yesterday", None, True])
def test_what_is_no_point_in_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"time zone|isoformat"):
        epoch(value)


@pytest.mark.parametrize("value", [80, "http"])
def test_a_port_is_a_number_or_a_name(value: int | str) -> None:
    assert port_number_or_name(value) == value


@pytest.mark.parametrize("value", [True, None, 1.5, []])
def test_nothing_else_is_a_port(value: object) -> None:
    with pytest.raises(ValueError, match="port number or the name of a port"):
        port_number_or_name(value)


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("interval", "interval"),
        ("step_weight_promotion", "stepWeightPromotion"),
        ("consecutive_5xx_errors", "consecutive5xxErrors"),
        ("http1_max_pending_requests", "http1MaxPendingRequests"),
        ("h2_upgrade_policy", "h2UpgradePolicy"),
    ],
)
def test_names_on_the_wire_are_camel_case(name: str, alias: str) -> None:
    assert camel(name) == alias


def test_models_do_not_change() -> None:
    canary = read(Canary, {"spec": {"targetRef": TARGET}})
    with pytest.raises(ValidationError, match="frozen"):
        canary.spec.suspend = True  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize("value", ["10", 10.0, True])
def test_numbers_are_not_guessed_from_other_types(value: object) -> None:
    with pytest.raises(ValidationError):
        read(Canary, {"spec": {"targetRef": TARGET, "progressDeadlineSeconds": value}})


def test_paths_are_written_as_kubectl_writes_them() -> None:
    assert dotted(("spec", "metrics", 0, "name")) == "spec.metrics[0].name"
    assert dotted(()) == "the manifest"


def test_long_values_are_shortened() -> None:
    assert len(shown("x" * 1000)) == 80


@pytest.mark.parametrize(
    ("model", "spec"),
    [
        (MetricTemplate, {"provider": {"type": "prometheus"}, "query": "up"}),
        (MetricTemplate, {"provider": {"type": "datadog", "headers": {"a": ["b"]}}, "query": "q"}),
        (AlertProvider, {"type": "slack", "secretRef": {"name": "hook"}}),
        (AlertProvider, {"type": "gchat", "address": "https://chat.example.com"}),
    ],
)
def test_templates_and_providers_are_read(model: type[BaseModel], spec: dict[str, object]) -> None:
    said = read(model, {"spec": spec}).model_dump(
        mode="json", by_alias=True, exclude_none=True, include={"spec"}
    )
    assert said == {"spec": spec}


@pytest.mark.parametrize(
    ("model", "spec"),
    [
        (MetricTemplate, {"provider": {"type": "nagios"}, "query": "up"}),
        (MetricTemplate, {"provider": {"type": "prometheus"}}),
        (AlertProvider, {"type": "pager"}),
    ],
)
def test_unknown_providers_are_refused(model: type[BaseModel], spec: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(model, {"spec": spec})


@pytest.mark.parametrize("model", [Canary, MetricTemplate, AlertProvider])
def test_each_resource_has_a_json_schema(model: type[BaseModel]) -> None:
    assert "spec" in model.model_json_schema()["required"]
