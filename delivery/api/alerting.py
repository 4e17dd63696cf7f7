"""`spec.analysis.alerts` and AlertProviders at admission: who is to be told can be told."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from delivery import templating
from delivery.alert import INFO, Route
from delivery.alerts import NOTIFIERS
from delivery.alerts.telling import KNOWN
from delivery.api.alert_provider import AlertProvider, AlertProviderSpec
from delivery.api.analysis import Alert, Analysis
from delivery.api.canary import Canary
from delivery.api.checks import reference_shown
from delivery.api.references import nameless
from delivery.api.shape import read, shape_problems
from delivery.providers.interface import http_address
from delivery.templating import TemplateError


def route_of(said: Alert) -> Route:
    """An unsaid severity is info, as Flagger documents it."""
    named = said.provider_ref
    return Route(said.name, named.name, said.severity or INFO, named.namespace or "")


def effective_alert(route: Route) -> dict[str, Any]:
    provider = reference_shown(route.provider, route.namespace)
    return {"name": route.name, "severity": route.severity, "providerRef": provider}


def alerts_can_be_told(canary: Canary) -> Iterator[str]:
    for index, alert in enumerate((canary.spec.analysis or Analysis()).alerts or ()):
        path = f"spec.analysis.alerts[{index}].providerRef"
        yield from nameless(path, "AlertProvider", alert.provider_ref)


def provider_problems(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Of an AlertProvider: field, value, fix. An address is not shown: it is a key by itself."""
    try:
        spec = read(AlertProvider, {key: obj[key] for key in obj if key != "status"}).spec
    except ValidationError as error:
        return shape_problems(AlertProvider, error)
    return (*destination_problems(spec), *template_problems(spec))


def destination_problems(spec: AlertProviderSpec) -> Iterator[str]:
    notifier = NOTIFIERS[spec.type]
    if notifier.needs_token and spec.secret_ref is None:
        yield f'spec.secretRef: is missing; {spec.type} wants a Secret with the key "token"'
    elif not spec.address and spec.secret_ref is None:
        yield 'spec.address: is missing; set it, or spec.secretRef with the key "address"'
    for name, value in (("address", spec.address), ("proxy", spec.proxy)):
        if value and next(http_address(value), None):
            yield f"spec.{name}: is no URL; write for example https://hooks.example.com/path"


def template_problems(spec: AlertProviderSpec) -> Iterator[str]:
    if spec.message_template is None:
        return
    try:
        templating.parse(spec.message_template, KNOWN)
    except TemplateError as error:
        yield f"spec.messageTemplate: {error}"
