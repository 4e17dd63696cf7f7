"""What a Canary may name beside it: of its own namespace, or of one that offers it."""

from collections.abc import Callable, Collection, Iterator

from delivery.api.analysis import Analysis
from delivery.api.canary import Canary
from delivery.api.model import NamedRef
from delivery.references import NAME, RESERVED, unoffered

Offers = Callable[[str, str], bool]
"""Whether the first namespace is known to offer its objects to the second."""


def nameless(path: str, kind: str, said: NamedRef) -> Iterator[str]:
    if not said.name:
        article = "an" if kind[0] in "AEIO" else "a"
        yield f"{path}.name: is empty; name {article} {kind}"
    elif not NAME.fullmatch(said.name):
        yield f'{path}.name: "{said.name}" can be the name of no {kind}; use a-z, 0-9, - and .'
    if said.namespace and not NAME.fullmatch(said.namespace):
        yield f'{path}.namespace: "{said.namespace}" can be no namespace; use a-z, 0-9 and -'


def references(canary: Canary) -> Iterator[tuple[str, str, NamedRef]]:
    """Each with its path and its kind."""
    analysis = canary.spec.analysis or Analysis()
    for index, metric in enumerate(analysis.metrics or ()):
        if metric.template_ref:
            path = f"spec.analysis.metrics[{index}].templateRef"
            yield path, "MetricTemplate", metric.template_ref
    for index, alert in enumerate(analysis.alerts or ()):
        yield f"spec.analysis.alerts[{index}].providerRef", "AlertProvider", alert.provider_ref


def not_offered_yet(
    canary: Canary, offers: Offers, reserved: Collection[str] = RESERVED
) -> Iterator[str]:
    """No reason to refuse it: the other namespace may follow, and releases wait until it does."""
    own = (canary.metadata or {}).get("namespace")
    for path, kind, said in references(canary):
        if own and said.namespace not in (None, "", own) and not offers(said.namespace, own):
            text = unoffered(path, kind, said.namespace, own, reserved)
            yield f"{text}; until then its releases halt"
