"""An alert of a Canary and an AlertProvider become a request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from delivery import templating
from delivery.alert import Alert
from delivery.alerts import NOTIFIERS, Destination, Notice, Undelivered, notifier_of
from delivery.api.alert_provider import AlertProvider, AlertProviderSpec
from delivery.api.shape import read, shape_problems
from delivery.canary import Analysis, Canary
from delivery.providers import Request
from delivery.providers.interface import BadSettings, checked_header, http_address, secret_value
from delivery.strategy import AB_TEST, BLUE_GREEN, strategy
from delivery.templating.functions import BUILT_IN as FUNCTIONS

VALUES = ("name", "namespace", "target", "phase", "severity", "message", "fields")
"""What a message's template may call beside the functions of the language."""
KNOWN = frozenset(FUNCTIONS) | frozenset(VALUES)


def provider_spec(provider: Mapping[str, Any]) -> AlertProviderSpec:
    try:
        return read(AlertProvider, {"spec": provider.get("spec")}).spec
    except ValidationError as error:
        problems = "; ".join(shape_problems(AlertProvider, error))
        raise Undelivered(problems) from error


def notice_of(canary: Canary, alert: Alert, cluster: str = "") -> Notice:
    """With the cluster's name in every one, where it has one (reference, 8.1)."""
    fields = details(canary) if alert.detailed else ()
    where = [("Cluster", cluster)] if cluster else []
    return Notice(
        name=canary.name,
        namespace=canary.namespace,
        target=canary.target,
        severity=alert.severity,
        text=alert.text,
        phase=alert.phase,
        fields=(*where, *fields),
        at=alert.at,
        key=f"{canary.namespace}/{canary.name}/{alert.at:.6f}",
    )


def details(canary: Canary) -> Iterator[tuple[str, str]]:
    """What is told when something begins (reference, 8.1)."""
    yield "Target", f"Deployment/{canary.target}.{canary.namespace}"
    yield "Failed checks threshold", str(canary.analysis.threshold)
    yield "Progress deadline", f"{canary.progress_deadline:g}s"
    if text := routing(canary.analysis):
        yield "Traffic routing", text


def routing(analysis: Analysis) -> str:
    if analysis.step_weights:
        steps = ",".join(map(str, analysis.step_weights))
        return f"Weight steps: {steps} max: {analysis.max_weight}"
    if analysis.step_weight:
        return f"Weight step: {analysis.step_weight} max: {analysis.max_weight}"
    return {AB_TEST: "A/B Testing", BLUE_GREEN: "Blue/Green"}.get(strategy(analysis), "")


def worded(notice: Notice, template: str | None) -> Notice:
    """In the words of the AlertProvider's template; raises TemplateError where it fits not."""
    if not template:
        return notice
    values: Mapping[str, object] = {
        "name": notice.name,
        "namespace": notice.namespace,
        "target": notice.target,
        "phase": notice.phase,
        "severity": notice.severity,
        "message": notice.text,
        "fields": dict(notice.fields),
    }
    return replace(notice, text=templating.render(templating.parse(template, KNOWN), values))


def request(notice: Notice, said: AlertProviderSpec, secret: Mapping[str, str]) -> Request:
    """Raises Undelivered where there is nowhere to send it to."""
    notifier, to = notifier_of(said.type), destination(said, secret)
    if notifier.needs_token and not to.token:
        raise Undelivered(f'{said.type} wants a secretRef with the key "token"')
    if not to.address:
        raise Undelivered('there is no address; set spec.address, or "address" in the Secret')
    if next(http_address(to.address), None):
        raise Undelivered("the address is no URL; write for example https://hooks.example.com/x")
    return Request(
        "POST",
        notifier.url(to.address),
        tuple(headers(to.token if notifier.shows_token else "")),
        json.dumps(notifier.body(notice, to)).encode(),
        secrets=(*to.secrets(), *secret.values()),
        proxy=said.proxy or "",
    )


def destination(said: AlertProviderSpec, secret: Mapping[str, str]) -> Destination:
    """The Secret's address goes before the one that everybody can read."""
    written = secret_value(secret, "address") or said.address or NOTIFIERS[said.type].address
    return Destination(
        address=written.strip(),
        token=secret_value(secret, "token").strip(),
        channel=said.channel or "general",
        username=said.username or "flagger",
    )


def headers(token: str) -> Iterator[tuple[str, str]]:
    yield "Content-Type", "application/json"
    if token:
        try:
            yield checked_header("Authorization", f"Bearer {token}")
        except BadSettings as error:
            raise Undelivered(f"token: {error}") from error
