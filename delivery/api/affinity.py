"""`spec.analysis.sessionAffinity` <-> the cookies of the core, and what is wrong with it."""

import re
from collections.abc import Iterator
from typing import Any

from delivery.api.analysis import Analysis, SessionAffinity
from delivery.api.checks import interval_of
from delivery.canary import Affinity

PATH = "spec.analysis.sessionAffinity"
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What may be a cookie's name (RFC 6265, 4.1.1)."""
ATTRIBUTE = re.compile(r"[^;\x00-\x20\x7f-\uffff]+")
EVERYWHERE = "/"
"""Without a path browsers send a cookie only below the page that set it: its users would flip."""


def affinity_of(said: Analysis) -> Affinity | None:
    found = said.session_affinity
    if found is None:
        return None
    return Affinity(
        cookie=found.cookie_name,
        primary_cookie=found.primary_cookie_name or "",
        max_age=found.max_age,
        primary_age=max(1, round(interval_of(said.interval))),
        attributes="".join(f"; {one}" for one in attributes(found)),
    )


def attributes(said: SessionAffinity) -> Iterator[str]:
    """In Flagger's order (reference, 6.3)."""
    if said.domain:
        yield f"Domain={said.domain}"
    if said.http_only:
        yield "HttpOnly"
    if said.partitioned:
        yield "Partitioned"
    yield f"Path={said.path or EVERYWHERE}"
    if said.same_site:
        yield f"SameSite={said.same_site}"
    if said.secure:
        yield "Secure"


def effective_affinity(affinity: Affinity | None) -> dict[str, Any]:
    """In the words of the spec, as far as the router tells cookies by it."""
    if affinity is None:
        return {}
    said = {"cookieName": affinity.cookie, "maxAge": affinity.max_age}
    named = {"primaryCookieName": affinity.primary_cookie} if affinity.primary_cookie else {}
    return {**said, **named}


def affinity_problems(said: Analysis) -> Iterator[str]:
    found = said.session_affinity
    if found is None:
        return
    names = {"cookieName": found.cookie_name, "primaryCookieName": found.primary_cookie_name}
    for field, name in names.items():
        if name is not None and not TOKEN.fullmatch(name):
            yield f'{PATH}.{field}: "{name}" is no name of a cookie; use letters, digits, - and _'
    if found.cookie_name == found.primary_cookie_name:
        yield (
            f'{PATH}.primaryCookieName: "{found.cookie_name}" '
            "is the canary's cookie too; use another name"
        )
    if found.max_age < 1:
        yield f"{PATH}.maxAge: {found.max_age} is out of range; use 1 or more, in seconds"
    for field, text in {"domain": found.domain, "path": found.path}.items():
        if text and not ATTRIBUTE.fullmatch(text):
            yield f'{PATH}.{field}: "{text}" cannot stand in a cookie; leave ; and blanks out'


def affinity_cautions(said: Analysis) -> Iterator[str]:
    found = said.session_affinity
    if found is None or found.secure:
        return
    wants = {"sameSite: None": found.same_site == "None", "partitioned": found.partitioned}
    for field, asked in wants.items():
        if asked:
            yield (
                f"{PATH}.secure: is not set, and browsers refuse a cookie with {field} without it; "
                "set secure: true"
            )
