"""Istio's telemetry: requests by workload, counted by the sidecars or by who calls them.

Each series has the outcome of its requests as labels, so each of them is judged once: it is bad by
its code, by its grpc-status, or by a flag that says that the answer failed on the app's side. One
that got no answer at all because its caller went away is no request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from delivery import histogram, names
from delivery.dialects import text as prometheus
from delivery.dialects.cluster import GRPC_ERRORS
from delivery.dialects.text import Labels
from delivery.stats import Counters

REQUESTS = "istio_requests_total"
TIMES = "istio_request_duration_milliseconds_bucket"
_MATTERS = {REQUESTS, TIMES}
FILTER = r"istio_requests_total|istio_request_duration_milliseconds"
NO_ANSWER = "0"
FAILED = {"UF", "UC", "UH", "UO", "UR", "UPE", "UMSDR", "UT", "URX", "LR", "NC"}
"""Envoy's response flags (documented with its access logs) of what failed behind it."""


@dataclass(frozen=True)
class Istio:
    """`reporter` is who counts: `destination` are the app's own sidecars, `source` is a gateway or
    the callers' sidecars, `waypoint` a waypoint. One must be chosen: both count each request.
    """

    reporter: str

    def parse(self, text: str) -> Mapping[str, Counters]:
        """By `namespace/workload`."""
        requests: dict[str, int] = {}
        failures: dict[str, int] = {}
        times: dict[str, dict[float, int]] = {}
        for name, labels, value, line in prometheus.samples(text, _MATTERS.__contains__):
            if labels.get("reporter") != self.reporter or is_abandoned(labels):
                continue
            workload = workload_of(labels, line)
            if name == TIMES:
                counted, edge = times.setdefault(workload, {}), prometheus.edge(labels, line)
                counted[edge] = counted.get(edge, 0) + value
                continue
            requests[workload] = requests.get(workload, 0) + value
            if is_bad(labels):
                failures[workload] = failures.get(workload, 0) + value
        return {
            workload: Counters(
                completed=requests.get(workload, 0),
                server_errors=failures.get(workload, 0),
                buckets=histogram.of_cumulative(times.get(workload, {})),
            )
            for workload in requests.keys() | times.keys()
        }

    def series(self, namespace: str, target: str, service: str, role: str) -> tuple[str, ...]:
        """The canary is the target itself."""
        workload = names.primary_name(target) if role == names.PRIMARY else target
        return (f"{namespace}/{workload}",)


def workload_of(labels: Labels, line: str) -> str:
    namespace = prometheus.label(labels, "destination_workload_namespace", line)
    return f"{namespace}/{prometheus.label(labels, 'destination_workload', line)}"


def flags(labels: Labels) -> set[str]:
    return set(labels.get("response_flags", "").split(","))


def is_abandoned(labels: Labels) -> bool:
    return labels.get("response_code") == NO_ANSWER and not flags(labels) & FAILED


def is_bad(labels: Labels) -> bool:
    code, status = labels.get("response_code", ""), labels.get("grpc_response_status", "")
    return code.startswith("5") or status in GRPC_ERRORS or bool(flags(labels) & FAILED)
