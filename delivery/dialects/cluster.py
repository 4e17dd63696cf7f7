"""The counters that Envoy keeps of each cluster, by its own names."""

from collections.abc import Mapping

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
    "grpc.2": "grpc_errors",
    "grpc.4": "grpc_errors",
    "grpc.12": "grpc_errors",
    "grpc.13": "grpc_errors",
    "grpc.14": "grpc_unavailable",
    "grpc.15": "grpc_errors",
}
"""To the fields of `stats.Counters`. The gRPC statuses are those that stand for a 5xx: UNKNOWN and
INTERNAL and DATA_LOSS (500), UNIMPLEMENTED (501), UNAVAILABLE (503), DEADLINE_EXCEEDED (504). The
others are the caller's doing, as 4xx are. (So Envoy maps them, and so OpenTelemetry tells a
server's errors from a caller's.)
"""

TIMES = "upstream_rq_time"

_ALL = "|".join((*FIELDS, TIMES)).replace(".", r"\.")
FILTER = rf"^cluster\.[^.]+\.({_ALL})$"
"""For Envoy's `filter=`: the stats that are read."""
