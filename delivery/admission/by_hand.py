"""Who asked for what by an annotation on a Canary: only admission sees it, so it writes it down."""

from collections.abc import Iterator

from delivery import names
from delivery.admission.answer import Answer
from delivery.admission.ours import annotations, version
from delivery.admission.patch import ABSENT, edits
from delivery.admission.request import Request
from delivery.by_hand import marked, wishes_of
from delivery.canary import Wish


def asked(request: Request) -> Answer:
    """The agent takes off what it has acted on; nobody else's word about an asker counts."""
    if request.by_agent:
        return Answer("agent")
    said = marked(wishes(request))
    if said == annotations(request.object).get(names.ASKED_BY):
        return Answer("unchanged")
    path, wanted = ("metadata", "annotations"), ABSENT if said is None else said
    return Answer("asked", edits(request.object, path, {names.ASKED_BY: wanted}))


def wishes(request: Request) -> Iterator[Wish]:
    """Those of this very request by its user, the others as they were known."""
    now, stored = annotations(request.object), annotations(request.old)
    known = {one.annotation: one for one in wishes_of(stored)}
    for key in names.BY_HAND:
        value = now.get(key)
        if value != stored.get(key):
            yield Wish(key, value, request.username, version(request))
        elif key in known:
            yield known[key]
