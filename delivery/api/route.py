"""The words of a Canary's routing, as the embedded router understands them (reference, 1.3)."""

from collections.abc import Mapping
from typing import Any

from delivery.api.checks import interval_of
from delivery.api.matching import HTTPMatchRequest, StringMatch, compared, comparison
from delivery.api.service import (
    CorsPolicy,
    HeaderOperations,
    Headers,
    HTTPRetry,
    HTTPRewrite,
    RequestMirror,
)
from delivery.api.shape import M, read
from delivery.api.traffic_policy import (
    ConnectionPool,
    HTTPSettings,
    TCPKeepalive,
    TCPSettings,
    TrafficPolicy,
)
from delivery.matching import Comparison, Match, Way
from delivery.route import (
    Backend,
    Changes,
    Cors,
    Keepalive,
    Limits,
    Retries,
    Rewrite,
    Route,
)
from delivery.service_words import ServiceWords

FIELDS = (
    *("match", "timeout", "backend_timeout", "retries", "headers", "rewrite", "cors_policy"),
    *("mirror", "traffic_policy"),
)
WHOLE = "ReplaceFullPath"
HOST = ("host", ":authority")
"""Names of the one header that says which host is meant; to set it is to rewrite that."""
DEFAULT_WORDS = "connect-failure,refused-stream,unavailable,cancelled,503"
"""What Istio tries again where retries say nothing of it."""


def route_of(said: ServiceWords) -> Route:
    """Most say nothing of it, and it is asked for at each look."""
    if not any(getattr(said, field) for field in FIELDS):
        return Route()
    headers, retries = words(Headers, said.headers), words(HTTPRetry, said.retries)
    request = headers.request or HeaderOperations()
    cors = words(CorsPolicy, said.cors_policy) if said.cors_policy else None
    return Route(
        matches=tuple(match_of(words(HTTPMatchRequest, one)) for one in said.match),
        timeout=length(said.timeout),
        try_timeout=shortest(said.backend_timeout, retries.per_try_timeout),
        retries=retries_of(retries),
        request=changes_of(request),
        response=changes_of(headers.response or HeaderOperations()),
        rewrite=rewrite_of(words(HTTPRewrite, said.rewrite), request),
        cors=cors_of(cors) if cors else None,
        mirrors=tuple(mirror_of(words(RequestMirror, one)) for one in said.mirror),
        limits=limits_of(words(TrafficPolicy, said.traffic_policy)),
    )


def words(model: type[M], said: Mapping[str, Any]) -> M:
    return read(model, dict(said))


def length(text: str | None) -> float:
    return interval_of(text or "0s")


def shortest(*texts: str | None) -> float:
    """Of both ways to say it, 0 where neither does."""
    return min((found for text in texts if (found := length(text))), default=0.0)


def match_of(said: HTTPMatchRequest) -> Match:
    """As far as it can be told from a request; what cannot halts the release."""
    pseudo = {":authority": said.authority, ":method": said.method, ":scheme": said.scheme}
    headers = {**{name: one for name, one in pseudo.items() if one}, **(said.headers or {})}
    return Match(
        headers=tuple(one for one in compared(headers) if asks(one)),
        parameters=compared(said.query_params or {}),
        without=compared(said.without_headers or {}),
        path=path_of(said.uri),
        any_case=bool(said.ignore_uri_case),
        port=said.port,
    )


def asks(one: Comparison) -> bool:
    """Every request has a method, a host and a scheme."""
    return one.way is not Way.PRESENT or not one.name.startswith(":")


def path_of(said: StringMatch | None) -> Comparison | None:
    found = comparison(":path", said) if said else None
    return None if found is None or found.way is Way.PRESENT else found


def retries_of(said: HTTPRetry) -> Retries | None:
    """Without attempts only what no app can notice is tried again, as ever."""
    if not said.attempts:
        return None
    asked = [word.strip() for word in (said.retry_on or DEFAULT_WORDS).split(",") if word.strip()]
    statuses = tuple(int(word) for word in asked if word.isdecimal())
    words = [word for word in asked if not word.isdecimal()]
    by_status = ["retriable-status-codes"] if statuses else []
    return Retries(said.attempts, tuple(dict.fromkeys([*words, *by_status])), statuses)


def changes_of(said: HeaderOperations) -> Changes:
    return Changes(
        add=tuple(sorted((said.add or {}).items())),
        set=tuple(sorted(of_headers(said.set or {}).items())),
        remove=said.remove or (),
    )


def of_headers(said: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if name.lower() not in HOST}


def rewrite_of(said: HTTPRewrite, request: HeaderOperations) -> Rewrite:
    """Istio takes a Host that is set for another way to say the authority."""
    hosts = (value for name, value in (request.set or {}).items() if name.lower() in HOST)
    return Rewrite(
        path=said.uri or "", host=said.authority or next(hosts, ""), whole=said.type == WHOLE
    )


def cors_of(said: CorsPolicy) -> Cors:
    """`allowOrigin` is the older way: whole origins, or * for all of them."""
    every = Comparison("origin", Way.REGEX, ".*")
    older = (
        every if text == "*" else Comparison("origin", Way.EXACT, text)
        for text in said.allow_origin or ()
    )
    newer = (comparison("origin", one) for one in said.allow_origins or ())
    return Cors(
        origins=(*older, *(every if one.way is Way.PRESENT else one for one in newer)),
        methods=said.allow_methods or (),
        headers=said.allow_headers or (),
        exposed=said.expose_headers or (),
        max_age=interval_of(said.max_age) if said.max_age else None,
        credentials=said.allow_credentials,
    )


def mirror_of(said: RequestMirror) -> Backend:
    return Backend(said.backend_ref.name, said.backend_ref.port or 0)


def limits_of(said: TrafficPolicy) -> Limits:
    pool = said.connection_pool or ConnectionPool()
    tcp, http = pool.tcp or TCPSettings(), pool.http or HTTPSettings()
    return Limits(
        connections=tcp.max_connections or 0,
        pending=http.http1_max_pending_requests or 0,
        requests=http.http2_max_requests or 0,
        retries=http.max_retries or 0,
        on_connection=http.max_requests_per_connection or 0,
        connect_timeout=length(tcp.connect_timeout),
        keepalive=keepalive_of(tcp.tcp_keepalive) if tcp.tcp_keepalive else None,
        balance=(said.load_balancer and said.load_balancer.simple) or "",
    )


def keepalive_of(said: TCPKeepalive) -> Keepalive:
    return Keepalive(length(said.time), length(said.interval), said.probes or 0)
