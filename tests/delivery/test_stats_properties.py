"""Whatever is restarted and however many looks are missed: what is counted is what was sent."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as some

from delivery.stats import Counters, Sample, delta, total

SERIES = "shop/80/canary"
PODS = range(3)


@dataclass(frozen=True)
class Pod:
    """One address: what its Envoy counted in this life, and what was read of it last.

    `unread` are the requests since, `lost` those that a life ended with and nobody had read.
    """

    counted: Counters = Counters()
    read: Counters | None = None
    unread: Sample = Sample()


def served(pod: Pod, bad: bool) -> Pod:
    counted = replace(
        pod.counted,
        completed=pod.counted.completed + 1,
        server_errors=pod.counted.server_errors + bad,
        buckets=((0.0, 10.0, pod.counted.completed + 1),),
    )
    return replace(pod, counted=counted, unread=pod.unread + Sample(1, int(bad)))


def restarted(pod: Pod) -> Pod:
    """What it had not told goes with it."""
    return replace(pod, counted=Counters(), unread=Sample())


def is_hidden(pod: Pod, lives: int) -> bool:
    """A new life that has come as far as the one before was: no counter tells them apart."""
    return lives > 0 and pod.read is not None and pod.counted.completed >= pod.read.completed


events = some.lists(
    some.tuples(some.just("request"), some.sampled_from(PODS), some.booleans())
    | some.tuples(some.just("restart"), some.sampled_from(PODS), some.just(False))
    | some.tuples(some.just("gone"), some.sampled_from(PODS), some.just(False))
    | some.tuples(some.just("look"), some.sampled_from(PODS), some.just(False)),
    max_size=60,
)
"""A look reads one pod: the others of that second were missed."""


@given(events)
def test_the_sum_of_deltas_is_what_was_sent(history: list[tuple[str, int, bool]]) -> None:
    pods = {number: Pod() for number in PODS}
    lives = dict.fromkeys(PODS, 0)
    sent, summed = Sample(), Sample()
    for what, number, bad in history:
        pod = pods[number]
        match what:
            case "request":
                pods[number] = served(pod, bad)
            case "restart":
                pods[number], lives[number] = restarted(pod), lives[number] + 1
            case "gone":
                pods[number] = Pod()
            case "look" if not is_hidden(pod, lives[number]):
                before = None if pod.read is None else {SERIES: pod.read}
                new = delta(before, {SERIES: pod.counted}).get(SERIES, Sample())
                summed = total([{SERIES: summed}, {SERIES: new}])[SERIES]
                sent = sent if pod.read is None else sent + pod.unread
                pods[number] = replace(pod, read=pod.counted, unread=Sample())
                lives[number] = 0
    assert (summed.requests, summed.failures) == (sent.requests, sent.failures)
    assert 0 <= summed.bad <= summed.requests == summed.timed


@given(some.integers(0, 50), some.integers(0, 50))
def test_a_restart_that_no_counter_shows_never_brings_more_than_was_sent(
    before: int, after: int
) -> None:
    old, new = Counters(completed=before), Counters(completed=after)
    assert delta({SERIES: old}, {SERIES: new})[SERIES].requests <= after
