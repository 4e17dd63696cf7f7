"""How the router meets pods that fail: retries, priorities, ejection, and no limits of its own."""

from envoy.config.cluster.v3 import circuit_breaker_pb2 as breaker_pb2
from envoy.config.cluster.v3.cluster_pb2 import Cluster, TrackClusterStats
from envoy.config.cluster.v3.outlier_detection_pb2 import OutlierDetection
from envoy.config.core.v3.base_pb2 import RoutingPriority
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import (
    PreviousHostsPredicate,
)
from envoy.extensions.retry.priority.previous_priorities.v3 import (
    previous_priorities_config_pb2 as priorities_pb2,
)
from envoy.type.v3.percent_pb2 import Percent
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from delivery.names import MIRROR, PRIMARY, UNMATCHED
from delivery.route import Limits, Retries, Route
from delivery.routers import copies, limits
from delivery.routers.transparent import (
    UNLIMITED,
    aggregated,
    packed,
    span,
    upstream_options,
)

RETRY_ON = "connect-failure,refused-stream,reset-before-request"
"""Only what no app can have seen: a request that reached one is never sent twice."""
RETRIES = 3
AS_MANY_AS_COME = Limits()


def cluster(
    name: str, role: str, *, sticky: bool = False, limited: Limits = AS_MANY_AS_COME
) -> Cluster:
    """A sticky one sends callers of one hash to one pod, the same one from every router."""
    options = copies.upstream_options() if role == MIRROR else upstream_options()
    limits.on_connection(limited, options.common_http_protocol_options)
    made = Cluster(
        name=name,
        type=Cluster.EDS,
        eds_cluster_config=Cluster.EdsClusterConfig(eds_config=aggregated()),
        connect_timeout=Duration(seconds=1),
        lb_policy=Cluster.RING_HASH if sticky else Cluster.ROUND_ROBIN,
        circuit_breakers=_unbroken(),
        typed_extension_protocol_options={
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packed(options)
        },
    )
    # 1 %, not 0: while anything is healthy it alone is used; when all are ejected (an app that
    # restarted) Envoy tries them all the same instead of refusing until the ejection is over.
    made.common_lb_config.healthy_panic_threshold.CopyFrom(Percent(value=1))
    # By default the second ejection within a second is only felt at the end of it.
    made.common_lb_config.update_merge_window.CopyFrom(Duration())
    if role in (PRIMARY, UNMATCHED):
        made.outlier_detection.CopyFrom(_dead_pods_only())
    else:
        # Which pod of a canary failed is told to its people; for the primary it would only cost.
        made.track_cluster_stats.CopyFrom(TrackClusterStats(per_endpoint_stats=True))
    limits.apply(limited, made)
    return made


def route_action(
    split: routes_pb2.WeightedCluster, route: Route, *, sticky: bool = False
) -> routes_pb2.RouteAction:
    """`timeout: 0` is no time-out at all; a first try at a pod, the next at the ClusterIP."""
    return routes_pb2.RouteAction(
        hash_policy=[_by_source()] if sticky else [],
        weighted_clusters=split,
        timeout=span(route.timeout),
        retry_policy=_retries(route.retries, route.try_timeout),
    )


def _retries(said: Retries | None, try_timeout: float) -> routes_pb2.RetryPolicy:
    """Those that are asked for, beside those that no app can notice."""
    words = [RETRY_ON, *(said.words if said else ())]
    return routes_pb2.RetryPolicy(
        retry_on=",".join(words),
        num_retries=UInt32Value(value=said.attempts if said else RETRIES),
        per_try_timeout=span(try_timeout) if try_timeout else None,
        retriable_status_codes=said.statuses if said else (),
        retry_priority=_other_priorities(),
        retry_host_predicate=[_other_hosts()],
        host_selection_retry_max_attempts=3,
    )


def _by_source() -> routes_pb2.RouteAction.HashPolicy:
    kind = routes_pb2.RouteAction.HashPolicy
    return kind(connection_properties=kind.ConnectionProperties(source_ip=True))


def _other_priorities() -> routes_pb2.RetryPolicy.RetryPriority:
    return routes_pb2.RetryPolicy.RetryPriority(
        name="envoy.retry_priorities.previous_priorities",
        typed_config=packed(priorities_pb2.PreviousPrioritiesConfig(update_frequency=1)),
    )


def _other_hosts() -> routes_pb2.RetryPolicy.RetryHostPredicate:
    return routes_pb2.RetryPolicy.RetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts",
        typed_config=packed(PreviousHostsPredicate()),
    )


def _unbroken() -> breaker_pb2.CircuitBreakers:
    most = UInt32Value(value=UNLIMITED)
    return breaker_pb2.CircuitBreakers(
        thresholds=[
            breaker_pb2.CircuitBreakers.Thresholds(
                priority=priority,
                max_connections=most,
                max_pending_requests=most,
                max_requests=most,
                max_retries=most,
            )
            for priority in (RoutingPriority.DEFAULT, RoutingPriority.HIGH)
        ]
    )


def _dead_pods_only() -> OutlierDetection:
    """Leaves pods that cannot be connected to, at once and all of them if need be.

    For the hours without an agent, when the list of pods is stale. What an app answers is not
    looked at. The canary has none: its failures to connect must stay visible to the judge.
    """
    none, always = UInt32Value(value=0), UInt32Value(value=100)
    return OutlierDetection(
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=UInt32Value(value=3),
        enforcing_consecutive_local_origin_failure=always,
        enforcing_consecutive_5xx=none,
        enforcing_consecutive_gateway_failure=none,
        enforcing_success_rate=none,
        enforcing_local_origin_success_rate=none,
        enforcing_failure_percentage=none,
        enforcing_failure_percentage_local_origin=none,
        max_ejection_percent=always,
        always_eject_one_host=BoolValue(value=True),
        interval=Duration(seconds=1),
        base_ejection_time=Duration(seconds=5),
        max_ejection_time=Duration(seconds=30),
    )
