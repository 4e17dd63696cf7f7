"""The literals that Outrider writes on objects, and the names of what it makes."""

import hashlib

GROUP = "flagger.app"
API_VERSION = "flagger.app/v1beta1"

PREFIX = "outrider.dev/"
ENABLED = "outrider.dev/enabled"
OPEN_STATISTICS = "outrider.dev/open-statistics"
"""On a namespace, `true`: its routers show /stats/prometheus in plain HTTP."""
OFFERS_TO = "outrider.dev/offers-to"
"""On a namespace: whose Canaries may name its MetricTemplates and AlertProviders, with commas
between them; `*` stands for all that are opted in."""
SCALE = "outrider.dev/scale"
HOLD = "outrider.dev/hold"
ROUTE = "outrider.dev/route"
REPLICAS = "outrider.dev/replicas"
"""On a target: the user's wish of replicas as admission last saw it; read by the agent."""
LEAVING = "outrider.dev/leaving"
"""On a target: it is given back to its user; its pods no longer carry the role."""
ROUTED_BY = "outrider.dev/router"
"""On the primary's Service: the external router whose objects lead to it, or did until lately."""
HELD_AT = "outrider.dev/held-at"
"""On a target: its generation when SCALE was last written: a number that differs from SCALE in a
later generation was asked for by somebody (`kubectl scale` goes past admission)."""
ORIGIN = "outrider.dev/origin"
"""On a routed Service: the selector and targetPorts that its user asked for, for the way back."""
CANARY_OF = "outrider.dev/canary"
"""On a target: the name of its Canary, where that is not the target's own."""
WISHED = "outrider.dev/wished-at"
"""The resourceVersion at which admission took over a wish: tells its second look from a copy."""
CANARY_TEMPLATE = "outrider.dev/canary-template"
"""On a target: on which nodes its pods shall run, beside what its user says. On its pod template:
what of that was put there."""
ADMITTED = "outrider.dev/admitted"
"""On a target: the hash of the template that came by admission last; another one slipped past."""
PROMOTED = "outrider.dev/promoted"
"""On the template that is kept of an app: the hash under which it was promoted."""
RELEASE = "outrider.dev/release"
"""On a target: how many templates came by admission since it is ours: the number of a release."""
FLAGGER = "outrider.dev/flagger"
"""On the agents' Deployment: the Flagger that watches their namespace, as the webhook found it."""
LISTENER_CLAIMS = "outrider.dev/listeners"
"""On the agents' Service: whose each listener port of the routers is, or was until lately."""
ROLE = "outrider.dev/role"
APP = "outrider.dev/app"
GENERATED = "outrider.dev/generated"
"""On a Canary: made by the agent for an ordinary Deployment, not written by a user."""

STOP = "outrider.dev/stop"
"""On a Canary, said by its user: "true" takes every pod of the app away until it is gone."""
PAUSE = "outrider.dev/pause"
"""On a Canary, said by its user: "true" holds the canary's weight until it is gone."""
PROMOTE = "outrider.dev/promote"
ABORT = "outrider.dev/abort"
RETRY = "outrider.dev/retry"
APPROVE = "outrider.dev/approve"
"""On a Canary, said by its user: each is done once, and the agent takes it off."""
ASKED_BY = "outrider.dev/asked-by"
"""On a Canary: who asked by one of its annotations, as admission saw it."""
BY_HAND = (ABORT, PAUSE, RETRY, APPROVE, PROMOTE)
"""In the order in which they are answered, the safest first."""
SAID_ON_CANARY = frozenset({STOP, *BY_HAND})
FOUND_ON_CANARY = SAID_ON_CANARY | {ASKED_BY, GENERATED}
"""With what we write there ourselves; every other word of ours is a slip."""

PRIMARY = "primary"
CANARY = "canary"
MIRROR = "mirror"
"""The canary once more, for copies of requests: unlike the canary it has nobody to fall back on."""
UNMATCHED = "unmatched"
"""The primary once more, for requests that the route is not about: no release is judged by them."""

MANAGED_BY = "app.kubernetes.io/managed-by"
OUTRIDER = "outrider"

WEBHOOK = "outrider-webhook"
AGENT = "outrider-agent"
ROUTER = "outrider-router"
OFFERS = "outrider-offers"
"""The ClusterRole of what a namespace offers to others, and its binding there."""
OFFERED_SECRETS = "outrider-offers-secrets"
"""A Role that the owner of such a namespace writes: which Secrets go along; and its binding."""
AGENT_MANAGER = "outrider-agent"
WEBHOOK_MANAGER = "outrider-webhook"
DEFAULTS = "outrider-defaults"

XDS_PORT = 18000
"""Where an agent serves ADS, to routers of its namespace only."""
AGENT_HTTP_PORT = 8080
"""Where an agent serves its metrics and probes."""
ROUTER_STATS_PORT = 19090
"""Where a router serves /stats and /stats/prometheus to agents, nothing else of its admin API."""
ROUTER_OPEN_PORT = 19091
"""Where it serves /ready to the kubelet in plain HTTP, and, where the namespace is annotated with
OPEN_STATISTICS, /stats/prometheus to a Prometheus."""
ROUTER_ADMIN_PORT = 19000
"""Envoy's admin API, on loopback only."""
AGENT_TLS, ROUTER_TLS = "outrider-agent-tls", "outrider-router-tls"
"""Secrets of a namespace: the authority and the certificate of its agents, and of its routers."""
AUTHORITIES, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
"""In such a Secret, and as files in a router; what signs lies beside them, and in no pod."""
LISTENERS = range(20000, 30000)
"""The router's ports, one for each port of each managed app."""

NAME_LIMIT = 63


def suffixed(name: str, suffix: str) -> str:
    """`name-suffix`, shortened with a hash of the whole name when it would exceed 63 characters."""
    whole = f"{name}-{suffix}"
    if len(whole) <= NAME_LIMIT:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    kept = name[: NAME_LIMIT - len(suffix) - len(digest) - 2].rstrip("-.")
    return f"{kept}-{digest}-{suffix}"


def digest(text: str) -> int:
    """A number that is the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def primary_name(name: str) -> str:
    return suffixed(name, PRIMARY)


def canary_name(name: str) -> str:
    return suffixed(name, CANARY)
