"""What can be done as it is asked for, and is hardly what was meant: told at admission."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from delivery.api.affinity import affinity_cautions
from delivery.api.analysis import Analysis
from delivery.api.canary import Canary, Provider
from delivery.api.checks import metric_of
from delivery.api.gateway_api import PROVIDERS as GATEWAYS
from delivery.api.guard import policy_of
from delivery.api.guard_problems import nobody_counts
from delivery.api.hooks import mistaken_rollbacks
from delivery.api.istio import istio_cautions
from delivery.api.mirroring import mirror_cautions
from delivery.api.references import Offers, not_offered_yet
from delivery.api.shape import read
from delivery.checks import is_by_name
from delivery.evidence import bounded
from delivery.guard import OFF, RANGE, needed
from delivery.hypotheses import hypothesis
from delivery.power import REGRESSION, requests_to_show
from delivery.references import RESERVED

MANY_REQUESTS = 10_000
ROUTED = {
    *("match", "rewrite", "headers", "timeout", "backend_timeout", "retries", "cors_policy"),
    *("mirror", "traffic_policy", "hosts", "gateways", "gateway_refs", "delegation"),
    *("mesh_name", "backends"),
}
"""What `spec.service` says of requests on their way."""


def nobody(namespace: str, to: str) -> bool:
    """Where it is not known what namespaces offer to each other."""
    return False


def cautions(
    obj: Mapping[str, Any], offers: Offers = nobody, reserved: Collection[str] = RESERVED
) -> tuple[str, ...]:
    """Of a Canary that has no problems; `reserved` namespaces can offer nothing.

    What halts its releases comes first: of very many warnings the API server drops the last.
    """
    found = read(Canary, {"metadata": obj.get("metadata") or {}, "spec": obj["spec"]})
    own = (said for rule in RULES for said in rule(found))
    return (*not_offered_yet(found, offers, reserved), *own)


def ranges_alone(canary: Canary) -> Iterator[str]:
    """A guard that compares has nothing to compare with."""
    analysis = canary.spec.analysis
    strict = policy_of(analysis.guard) if analysis else None
    if analysis is None or strict is None or strict.mode in (OFF, RANGE):
        return
    if analysis.match or analysis.session_affinity:
        yield (
            "spec.analysis.guard: canary and primary have different users in an A/B test, and with "
            "sessionAffinity; they are not compared, the range alone rolls back"
        )


def copies(canary: Canary) -> Iterator[str]:
    yield from mirror_cautions(canary.spec.analysis or Analysis())


def cookies(canary: Canary) -> Iterator[str]:
    yield from affinity_cautions(canary.spec.analysis or Analysis())


def what_needs_a_router(canary: Canary) -> Iterator[str]:
    """In Flagger's words, which it says at each look."""
    said = canary.spec.analysis
    if canary.spec.provider is not Provider.KUBERNETES or said is None:
        return
    for field, wish in (
        ("match", said.match),
        ("stepWeight", said.step_weight),
        ("stepWeights", said.step_weights),
        ("mirror", said.mirror),
        ("sessionAffinity", said.session_affinity),
    ):
        if wish:
            what = "A/B testing" if field == "match" else "Progressive traffic"
            yield (
                f"spec.analysis.{field}: {what} is not supported when using the kubernetes "
                "provider, which has no router; remove it, or the provider"
            )


def what_no_gateway_does(canary: Canary) -> Iterator[str]:
    """Nor does Flagger, which says nothing of it."""
    service = canary.spec.service
    if canary.spec.provider in GATEWAYS and service is not None and service.retries:
        yield "spec.service.retries: the Gateway API knows none, nothing is tried again; remove it"


def what_no_route_does(canary: Canary) -> Iterator[str]:
    """Flagger passes it over."""
    if canary.spec.provider is not Provider.KUBERNETES or canary.spec.service is None:
        return
    said = canary.spec.service.model_dump(by_alias=True, include=ROUTED)
    for field in (name for name, value in said.items() if value):
        yield (
            f"spec.service.{field}: does nothing with the kubernetes provider, which has no "
            "router; remove it, or the provider"
        )


def what_nobody_counts(canary: Canary) -> Iterator[str]:
    """It would be waited for in vain."""
    spec, said = canary.spec, canary.spec.analysis
    if said is None or not nobody_counts(spec):
        return
    for index, metric in enumerate(said.metrics or ()):
        asks = bool(metric.query or metric.template_ref)
        if is_by_name(metric.name, asks=asks) and not spec.metrics_server:
            yield (
                f'spec.analysis.metrics[{index}]: "{metric.name}" is counted by our routers, and '
                f"the {spec.provider} provider has none; set spec.metricsServer, "
                "spec.analysis.source or a templateRef"
            )


def whole_cookies(canary: Canary) -> Iterator[str]:
    """Browsers send all cookies in one header."""
    for index, match in enumerate((canary.spec.analysis or Analysis()).match or ()):
        for name, compared in (match.headers or {}).items():
            if name.lower() == "cookie" and compared.exact is not None:
                yield (
                    f"spec.analysis.match[{index}].headers.{name}.exact: is compared with all of a "
                    f"browser's cookies; use regex: ^(.*; *)?{compared.exact}(;.*)?$"
                )


def strict_ranges(canary: Canary) -> Iterator[str]:
    """A range that nearly nothing may leave takes very long to be believed."""
    analysis = canary.spec.analysis
    strict = policy_of(analysis.guard) if analysis else None
    if analysis is None or strict is None or strict.mode == OFF:
        return
    metrics = [(index, metric_of(one)) for index, one in enumerate(analysis.metrics or ())]
    bounds = [(index, one) for index, metric in metrics for one in hypothesis(metric)]
    limit = needed(strict, len(bounds))
    for index, one in bounds:
        allowed = bounded(one.allowed)
        requests = requests_to_show(REGRESSION, allowed, limit)
        path = f"spec.analysis.metrics[{index}].thresholdRange"
        if one.allowed < allowed:
            yield f"{path}: allows no failure at all; the guard takes it for {allowed:.2%}"
        if requests > MANY_REQUESTS and strict.requests is None:
            yield (
                f"{path}: promotion waits for {requests} canary requests, to tell a regression "
                "from chance; widen it, or set spec.analysis.guard.minRequests"
            )


RULES: tuple[Callable[[Canary], Iterator[str]], ...] = (
    strict_ranges,
    mistaken_rollbacks,
    ranges_alone,
    whole_cookies,
    what_needs_a_router,
    what_no_gateway_does,
    what_no_route_does,
    what_nobody_counts,
    istio_cautions,
    copies,
    cookies,
)
