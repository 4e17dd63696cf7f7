"""The counters that Envoy keeps of each cluster, by its own names."""

from collections.abc import Mapping

GRPC_ERRORS = ("2", "4", "12", "13", "14", "15")
"""The statuses that stand for a 5xx: UNKNOWN, INTERNAL and DATA_LOSS (500), UNIMPLEMENTED (501),
UNAVAILABLE (503), DEADLINE_EXCEEDED (504). The others are the caller's doing, as 4xx are. (So Envoy
maps them, and so OpenTelemetry tells a server's errors from a caller's.)
"""
UNAVAILABLE = "14"

FIELDS: Mapping[str, str] = {
    "upstream_rq_completed": "completed",
    "upstream_rq_5xx": "server_errors",
    "upstream_rq_502": "unavailable",
    "upstream_rq_503": "unavailable",
    "upstream_rq_retry": "retries",
    "upstream_rq_retry_limit_exceeded": "retries_exhausted",
    "upstream_rq_retry_success": "rescued",
    "upstream_rq_rx_reset": "resets",
    "upstream_cx_destroy_remote_with_active_rq": "broken_connections",
    "upstream_rq_pending_failure_eject": "ejected",
    "upstream_rq_active": "active",
    **{
        f"grpc.{status}": "grpc_unavailable" if status == UNAVAILABLE else "grpc_errors"
        for status in GRPC_ERRORS
    },
}
"""To the fields of `stats.Counters`."""

TIMES = "upstream_rq_time"

POD, POD_ERRORS = "endpoint.", ".rq_error"
"""What stands before and after a pod's address in the name of its own statistic."""

_ALL = "|".join((*FIELDS, TIMES)).replace(".", r"\.")
FILTER = rf"^cluster\.[^.]+\.({_ALL}|endpoint\..+\.rq_error)$"
"""For Envoy's `filter=`: the stats that are read."""
