"""How hooks answer, as a scrape of the agent sees it."""

from prometheus_client import CollectorRegistry

from agent.calls import HookCalls


def test_calls_failures_and_lost_events_are_counted() -> None:
    registry = CollectorRegistry()
    calls = HookCalls(registry)
    calls.called("rollout", 0.2, False)
    calls.called("rollout", 3.0, True)
    calls.lost()
    of_rollout = {"type": "rollout"}
    value = registry.get_sample_value
    assert value("outrider_hook_duration_seconds_count", of_rollout) == 2
    assert value("outrider_hook_duration_seconds_sum", of_rollout) == 3.2
    assert value("outrider_hook_failures_total", of_rollout) == 1
    assert value("outrider_hook_events_lost_total") == 1
