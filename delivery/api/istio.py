"""What only Istio can do, and what Istio cannot: told at admission (reference, 6.2)."""

from collections.abc import Iterator

from delivery.api.analysis import Analysis
from delivery.api.canary import Canary, Provider
from delivery.api.service import Service
from delivery.checks import is_by_name

TCP = "tcp"
MESH = "mesh"


def istio_problems(canary: Canary) -> Iterator[str]:
    service = canary.spec.service
    if canary.spec.provider is not Provider.ISTIO or service is None:
        return
    if service.delegation and (service.hosts or service.gateways):
        yield (
            "spec.service.delegation: is set beside hosts or gateways, and a delegate has none; "
            "leave them to the VirtualService that delegates, or remove delegation"
        )
    if is_tcp(service):
        yield from what_connections_do_not_show(canary.spec.analysis or Analysis())


def is_tcp(service: Service) -> bool:
    return (service.app_protocol or "").lower() == TCP


def what_connections_do_not_show(said: Analysis) -> Iterator[str]:
    for name, wish in (
        ("match", said.match),
        ("mirror", said.mirror),
        ("sessionAffinity", said.session_affinity),
    ):
        if wish:
            yield (
                f"spec.analysis.{name}: needs requests, and spec.service.appProtocol is tcp; "
                "remove one of them"
            )


def istio_cautions(canary: Canary) -> Iterator[str]:
    spec, said = canary.spec, canary.spec.analysis
    if spec.provider is not Provider.ISTIO or spec.service is None or said is None:
        return
    gateways = spec.service.gateways
    for index, match in enumerate(said.match or ()):
        if match.source_labels and gateways and MESH not in gateways:
            yield (
                f"spec.analysis.match[{index}].sourceLabels: are known of callers in the mesh "
                "alone; add mesh to spec.service.gateways, or nobody matches"
            )
    for index, metric in enumerate(said.metrics or ()):
        asks = bool(metric.query or metric.template_ref)
        if is_tcp(spec.service) and is_by_name(metric.name, asks=asks):
            yield (
                f'spec.analysis.metrics[{index}]: "{metric.name}" is counted of HTTP requests, and '
                "spec.service.appProtocol is tcp; ask a query or a templateRef"
            )
