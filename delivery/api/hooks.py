"""`spec.analysis.webhooks`: read, shown in the status, and judged at admission."""

import re
from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from delivery import templating
from delivery.api import analysis as spec
from delivery.api.canary import Canary
from delivery.api.checks import interval_of
from delivery.api.duration import duration
from delivery.hook import Hook, HookType
from delivery.hook_request import KNOWN, VALUES, redacted
from delivery.providers.interface import http_address
from delivery.templating import TemplateError

TIMEOUT = 10.0
MOST_RETRIES = 100
GATES = re.compile(r"\b(check|gate|confirm|approv)", re.I)
AFTERWARDS = re.compile(r"\b(after|post|notif|tell|alert|clean|restor|ticket|chat|slack)", re.I)


def hook_of(said: spec.Webhook) -> Hook:
    return Hook(
        name=said.name,
        url=said.url,
        type=HookType(said.type or HookType.ROLLOUT),
        timeout=interval_of(said.timeout, TIMEOUT),
        retries=said.retries or 0,
        insecure=bool(said.disable_tls),
        mute_alert=bool(said.mute_alert),
        metadata=MappingProxyType(said.metadata or {}),
    )


def effective_hook(hook: Hook) -> dict[str, Any]:
    """In the words of the API; what may be secret, in the URL and in metadata, is left out."""
    said = {
        "name": hook.name,
        "type": hook.type.value,
        "url": redacted(hook.url),
        "timeout": duration(hook.timeout),
        "retries": hook.retries,
        "disableTLS": hook.insecure,
        "muteAlert": hook.mute_alert,
    }
    return {key: value for key, value in said.items() if value}


def hooks_can_be_called(canary: Canary) -> Iterator[str]:
    hooks = (canary.spec.analysis or spec.Analysis()).webhooks or ()
    times = Counter(hook.name for hook in hooks)
    for index, hook in enumerate(hooks):
        path = f"spec.analysis.webhooks[{index}]"
        if not hook.name:
            yield f"{path}.name: is empty; name the hook"
        elif times[hook.name] > 1:
            yield (
                f'{path}.name: "{hook.name}" is the name of another hook too; '
                "use another name, or no Event could tell them apart"
            )
        yield from http_address(hook.url, f"{path}.url", "http://flagger-loadtester.test/")
        yield from bad_retries(f"{path}.retries", hook.retries)
        for key, text in (hook.metadata or {}).items():
            yield from unrendered(f"{path}.metadata.{key}", text)


def bad_retries(path: str, retries: int | None) -> Iterator[str]:
    if retries is not None and not 0 <= retries <= MOST_RETRIES:
        yield f"{path}: {retries} is out of range; use 0 to {MOST_RETRIES}"


def unrendered(path: str, text: str) -> Iterator[str]:
    """At the first weight and the last: what a template says may depend on it."""
    try:
        template = templating.parse(text, KNOWN)
        for weight in (0, 100):
            templating.render(template, {**dict.fromkeys(VALUES, "x"), "canaryWeight": weight})
    except TemplateError as error:
        yield f'{path}: {error}; a text with braces of its own is written {{{{ "…" }}}}'


def mistaken_rollbacks(canary: Canary) -> Iterator[str]:
    """Flagger's guides use `rollback` for what is to run after one: its success brings one."""
    for index, hook in enumerate((canary.spec.analysis or spec.Analysis()).webhooks or ()):
        if hook.type == "rollback" and is_a_deed(hook):
            yield (
                f'spec.analysis.webhooks[{index}].type: "rollback" asks whether to roll back: the '
                f'release ends as soon as "{hook.name}" succeeds; what is to run after a rollback '
                "is of type post-rollback"
            )


def is_a_deed(hook: spec.Webhook) -> bool:
    """Whether it seems to do something, and not only to be asked."""
    commands = {"cmd", "type"} & set(hook.metadata or {})
    place = f"{hook.name} {urlsplit(hook.url).path}"
    return bool(commands) or (bool(AFTERWARDS.search(place)) and not GATES.search(place))
