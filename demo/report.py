"""One release in figures, as they stand in .lab/demo.json and in the table at the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo.namespace import Namespace
from demo.release import Listener, Release, first_bad
from demo.shop import Shop
from demo.traffic import Traffic, by_version, foreign

EXPECTED = {"v2": "promoted", "v3": "rolled back", "v4": "rolled back"}
HEAD = ("version", "outcome", "seconds", "requests", "failures", "not the app's", "bad → off users")


@dataclass(frozen=True)
class Report:
    """What one release did to the app's users; the field names are those of the JSON file."""

    version: str
    outcome: str
    seconds: float
    requests: dict[str, int]
    failures: dict[str, int]
    failures_not_made_by_the_app: int
    seconds_from_first_bad_answer_to_weight_zero: float | None

    @staticmethod
    def of(place: Namespace, traffic: Traffic, version: Shop, listener: Listener) -> "Report":
        """Apply a version, wait for the end of its release, and count what clients saw of it."""
        release = Release(place, listener=listener)
        place.kubectl.apply(version.manifests())
        release.finished()
        traffic.caught_up(time.time())
        answers = traffic.between(release.began, release.ended)
        bad = first_bad(answers, version.version)
        zero = release.weight_zero_after(bad) if bad else None
        return Report(
            version.version,
            release.outcome,
            release.seconds,
            by_version(answers),
            by_version(answers, failures=True),
            len(foreign(answers)),
            round(zero - bad, 1) if bad and zero else None,
        )


def well_ended(report: Report) -> bool:
    right = report.outcome == EXPECTED[report.version]
    return right and not report.failures_not_made_by_the_app


def rows(reports: Sequence[Report]) -> list[tuple[object, ...]]:
    return [HEAD, *(row(report) for report in reports)]


def row(report: Report) -> tuple[object, ...]:
    off = report.seconds_from_first_bad_answer_to_weight_zero
    return (
        report.version,
        report.outcome,
        report.seconds,
        listed(report.requests),
        listed(report.failures) or 0,
        report.failures_not_made_by_the_app,
        None if off is None else f"{off} s",
    )


def listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{version}: {count}" for version, count in counts.items())
