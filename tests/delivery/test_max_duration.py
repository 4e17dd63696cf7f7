"""A release has as much time as its user gives it, and without a word all there is."""

from dataclasses import replace

from delivery.canary import Phase
from delivery.rules import analysis
from delivery.schema import defaults_from, effective, problems, unbuilt
from tests.delivery.scenes import JUDGED, NOW, decided, releasing, silent, texts
from tests.delivery.test_schema import judged, manifest

STEPS = {"interval": "1m", "threshold": 1, "stepWeight": 10}


def test_a_release_that_takes_too_long_fails() -> None:
    limit = {"analysis": {"max_duration": 90.0}}
    late = replace(JUDGED, began=NOW - 91.0)
    found = decided(analysis.long_release_ends, late, releasing(), **limit)
    text = "Rolling back web.shop not promoted within maxDuration 1m30s"
    assert texts(found)[0] == ("Warning", text)
    assert (found.canary.status.phase, found.canary.status.failed) == (Phase.FAILED, "v2")
    for status in (replace(JUDGED, began=NOW - 90.0), JUDGED, replace(JUDGED, phase_since=None)):
        assert silent(analysis.long_release_ends, status, releasing(), **limit)
    assert silent(analysis.long_release_ends, late, releasing())


def test_it_is_said_in_the_analysis_or_in_the_defaults() -> None:
    assert judged(maxDuration="90s").max_duration == 90.0
    assert judged().max_duration is None
    said, none = defaults_from({"maxDuration": "2m"}, {})
    assert (said.max_duration, none) == (120.0, ())
    assert effective(said)["maxDuration"] == "120s"
    assert "maxDuration" not in effective(judged())


def test_none_is_shorter_than_a_second() -> None:
    found = problems(manifest(analysis=STEPS | {"maxDuration": "0s"}))
    assert unbuilt(manifest(analysis=STEPS | {"maxDuration": "10m"})) == ()
    assert found == ('spec.analysis.maxDuration: "0s" is too short; use 1s or more',)
