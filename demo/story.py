"""What the demo says while it runs: a line for each thing that happened, and a table at the end."""

import sys
import time
from collections.abc import Iterable, Sequence

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.traffic import Answer, Traffic, by_version

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}
PHASES = {"Succeeded": "green", "Failed": "red", "Promoting": "green", "Progressing": "yellow"}
BEGAN = time.monotonic()


def painted(text: str, colour: str) -> str:
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text: str, colour: str = "") -> None:
    """One line, with the seconds since the demo began."""
    clock = painted(f"{time.monotonic() - BEGAN:7.1f} s  ", "dim")
    sys.stdout.write(f"{clock}{painted(text, colour) if colour else text}\n")
    sys.stdout.flush()


def chapter(text: str) -> None:
    sys.stdout.write("\n")
    say(text, "bold")


def typed(command: str) -> None:
    """A command as the user would type it."""
    say(f"$ {command}", "blue")


class Narrator:
    """Tells what changes in a Canary's status, the events about it, and the traffic."""

    def __init__(self, namespace: Namespace, traffic: Traffic) -> None:
        self.namespace = namespace
        self.traffic = traffic
        self.told: tuple[object, ...] = ()
        self.evidence = 0.0
        self.since = time.time()
        self.events = {uid(event): times(event) for event in namespace.list("Event")}

    def __call__(self, status: JSON) -> None:
        self.tell_events()
        self.tell_evidence(status)
        phase, weight = status.get("phase", ""), status.get("canaryWeight", 0)
        failed = status.get("failedChecks", 0)
        if (phase, weight, failed) == self.told:
            return
        self.told = (phase, weight, failed)
        checks = f", {failed} failed checks" if failed else ""
        say(f"{phase}: canary weight {weight} %{checks}", PHASES.get(phase, ""))
        for verdict in status.get("verdicts") or ():
            say(f"  check: {judgement(verdict)}", "dim")
        self.tell_traffic()

    def tell_evidence(self, status: JSON) -> None:
        """Of the metric that is nearest to a rollback, whenever it has doubled or halved."""
        found = nearest(status)
        if found is None or not found["canary"]["requests"]:
            return
        strength = weaker(found)
        if not 0.5 < strength / (self.evidence or strength * 4) < 2.0:
            self.evidence = strength
            say(f"  guard: {seen_by_guard(found)}", "yellow" if strength > 2.0 else "dim")

    def tell_events(self) -> None:
        """Events that are new, or were repeated; oldest first."""
        found = [event for event in self.namespace.list("Event") if about_us(event)]
        for event in sorted(found, key=last_seen):
            if times(event) > self.events.get(uid(event), 0):
                colour = "yellow" if event["type"] == "Warning" else "dim"
                say(f"  event: {event['message']}", colour)
            self.events[uid(event)] = times(event)

    def tell_traffic(self) -> None:
        """What the clients got since this was last told."""
        now = time.time()
        answers = self.traffic.between(self.since, now)
        if now - self.since > 1 and answers:
            say(f"  clients: {shares(answers)}", "dim")
            self.since = now


def nearest(status: JSON) -> JSON | None:
    """The metric whose evidence would be enough first."""
    metrics = (status.get("lastDecision") or {}).get("metrics") or ()
    return max((one for one in metrics if "evidence" in one), key=weaker, default=None)


def weaker(metric: JSON) -> float:
    """Both must have reached what is needed: the smaller of the two."""
    evidence = metric["evidence"]
    return float(min(evidence["worseThanPrimary"], evidence["outOfRange"]))


def seen_by_guard(metric: JSON) -> str:
    """For instance: request-success-rate 5 of 21 bad; worse than primary 17, out of range 900."""
    canary, evidence = metric["canary"], metric["evidence"]
    worse, outside = evidence["worseThanPrimary"], evidence["outOfRange"]
    return (
        f"{metric['name']} {canary['bad']} of {canary['requests']} bad; evidence: worse than "
        f"primary {worse:.3g}, out of range {outside:.3g}; {evidence['needed']:g} is needed"
    )


def about_us(event: JSON) -> bool:
    return bool(event["involvedObject"]["kind"] == "Canary")


def uid(event: JSON) -> str:
    return str(event["metadata"]["uid"])


def times(event: JSON) -> int:
    """How often it was seen."""
    return event.get("count") or 1


def last_seen(event: JSON) -> int:
    """The order of the last writes: the events' own times are whole seconds."""
    return int(event["metadata"]["resourceVersion"])


def judgement(verdict: JSON) -> str:
    """For instance: request-success-rate 97.50 of 40 requests: failed."""
    if verdict.get("value") is None:
        return f"{verdict['metric']}: {verdict['outcome']}"
    measured = f"{verdict['value']:.2f} of {verdict.get('samples', 0)} requests"
    return f"{verdict['metric']} {measured}: {verdict['outcome']}"


def shares(answers: Sequence[Answer]) -> str:
    """For instance: v1 180, v2 20 (9 failed)."""
    failed = by_version(answers, failures=True)
    return ", ".join(
        f"{version} {count}" + (f" ({failed[version]} failed)" if version in failed else "")
        for version, count in by_version(answers).items()
    )


def table(rows: Sequence[Iterable[object]]) -> str:
    """Columns as wide as their widest cell; the first row is the head."""
    cells = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
