"""A Deployment at admission: replicas, pause and role follow the agent's annotations."""

from collections.abc import Mapping
from typing import Any

from delivery import names, placement
from delivery.admission.answer import WARNING_LIMIT, Answer
from delivery.admission.ours import annotations, carried, complaint, rewritten, version
from delivery.admission.patch import ABSENT, Operation, edits
from delivery.admission.request import Request
from delivery.hashing import template_hash
from delivery.images import advice
from delivery.mapping import mapping, number
from delivery.ownership import applied, pauses


def deployment(request: Request) -> Answer:
    """Our annotations are put right, a new wish is noted in them, the fields follow from them."""
    if request.creates and request.by_agent:
        return Answer("unchanged")
    kept = carried(request)
    wish = {} if request.creates else wished(request, kept)
    released = changed_hash(request, kept)
    kept |= wish | admitted(request, kept, released)
    operations = rewritten(request, kept) + fields(request, kept)
    return Answer(
        decided(request, bool(wish), released, operations),
        operations,
        warnings(request, kept, wish, released),
        released,
    )


def wished(request: Request, kept: Mapping[str, Any]) -> dict[str, str]:
    """The number of replicas that somebody now wants, other than the one that is held.

    A number that merely stands in the stored object is no wish (the agent's own change may have
    slipped past admission), unless it was put there through the scale subresource, which
    admission does not see, and the agent perhaps not yet.
    """
    held = number(kept.get(names.SCALE))
    replicas = mapping(request.object, "spec").get("replicas")
    stored = mapping(request.old, "spec").get("replicas")
    if held is None:
        return {}
    if request.by_agent:
        return {} if names.REPLICAS in kept else first_wish(request, stored)
    said = filed(request)
    if said and replicas == held and str(said) != kept.get(names.REPLICAS):
        return {names.REPLICAS: str(said), names.WISHED: version(request)}
    if not whole(replicas) or replicas == held or str(replicas) == kept.get(names.REPLICAS):
        return {}
    if replicas == stored and not (scaled(request.old) or outgrown(request.old)):
        return {}
    return {names.REPLICAS: str(replicas), names.WISHED: version(request)}


def filed(request: Request) -> int | None:
    """The number in the file that is applied now: one that equals the held one changes nothing
    else, so nothing else tells of it."""
    before, now = applied(request.old).get("replicas"), applied(request.object).get("replicas")
    return now if whole(now) and now != before else None


def first_wish(request: Request, stored: Any) -> dict[str, str]:
    """When the agent begins to hold a target, its number so far is what its user wants."""
    if names.SCALE in annotations(request.old) or not whole(stored):
        return {}
    return {names.REPLICAS: str(stored)}


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def scaled(stored: Mapping[str, Any]) -> bool:
    """Whether `kubectl scale` or an autoscaler owns the number of replicas."""
    entries = mapping(stored, "metadata").get("managedFields")
    return any(
        mapping(entry).get("subresource") == "scale"
        and "f:replicas" in mapping(entry, "fieldsV1", "f:spec")
        for entry in (entries if isinstance(entries, list) else ())
    )


def outgrown(stored: Mapping[str, Any]) -> bool:
    """Whether the number came after the agent's last word, which a scale need not own (1.36)."""
    said = annotations(stored).get(names.HELD_AT)
    return said is not None and said != str(mapping(stored, "metadata").get("generation", 0))


def fields(request: Request, kept: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The operations that make the fields say what the annotations say."""
    if not mapping(request.object, "spec"):
        return ()
    spec, labels = wanted_spec(request, kept), wanted_labels(request, kept)
    operations = edits(request.object, ("spec",), spec)
    if mapping(request.object, "spec", "template"):
        operations += edits(request.object, ("spec", "template", "metadata", "labels"), labels)
        operations += placed(request, kept)
    return operations


def placed(request: Request, kept: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Where the canary's pods may run, and the mark of it; what an undo brings back goes."""
    template, wanted = template_of(request), str(kept.get(names.CANARY_TEMPLATE, ""))
    marks = mapping(template, "metadata", "annotations")
    if not wanted and names.CANARY_TEMPLATE not in marks:
        return ()
    path = ("spec", "template")
    mark = {names.CANARY_TEMPLATE: placement.added(template, wanted) or ABSENT}
    spec = {key: one or ABSENT for key, one in placement.spec_of(template, wanted).items()}
    return edits(request.object, (*path, "metadata", "annotations"), mark) + edits(
        request.object, (*path, "spec"), spec
    )


def wanted_spec(request: Request, kept: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    held = number(kept.get(names.SCALE))
    if held is not None:
        wanted["replicas"] = held
    if names.HOLD in kept:
        wanted["paused"] = True
    elif names.HOLD in annotations(request.old) and not pauses(request.object):
        wanted["paused"] = ABSENT
    return wanted


def wanted_labels(request: Request, kept: Mapping[str, Any]) -> dict[str, Any]:
    leaving = names.LEAVING in kept
    if number(kept.get(names.SCALE)) is not None and not leaving:
        return {names.ROLE: names.CANARY}
    left = leaving or (names.SCALE in annotations(request.old) and names.SCALE not in kept)
    return {names.ROLE: ABSENT} if left else {}


def managed(kept: Mapping[str, Any]) -> bool:
    return number(kept.get(names.SCALE)) is not None or names.HOLD in kept


def admitted(request: Request, kept: Mapping[str, Any], released: str) -> dict[str, str]:
    """The mark of the template that comes now, and of the first that the agent ever holds."""
    if released:
        last = number(kept.get(names.RELEASE)) or 0
        return {names.ADMITTED: released, names.RELEASE: str(last + 1)}
    if names.ADMITTED in kept or not managed(kept):
        return {}
    first = template_hash(mapping(request.object, "spec", "template"))
    return {names.ADMITTED: first, names.RELEASE: "0"}


def changed_hash(request: Request, kept: Mapping[str, Any]) -> str:
    """The hash of a new template that somebody gives a managed Deployment, else nothing."""
    if request.creates or request.by_agent or not managed(kept):
        return ""
    new = template_hash(mapping(request.object, "spec", "template"))
    return "" if new == template_hash(mapping(request.old, "spec", "template")) else new


def decided(request: Request, wish: bool, released: str, operations: tuple[Operation, ...]) -> str:
    """The decision in one word, for metrics and the audit log."""
    if request.by_agent:
        return "agent"
    if released:
        return "release"
    if wish:
        return "wish"
    return "kept" if operations else "unchanged"


def warnings(
    request: Request, kept: Mapping[str, Any], wish: Mapping[str, str], released: str
) -> tuple[str, ...]:
    """What the user is told: what will happen, and the command that waits for it."""
    said: tuple[str, ...] = ()
    if names.SCALE in kept and number(kept[names.SCALE]) is None:
        said += (complaint(request, names.SCALE, kept),)
    asked = {wish.get(names.REPLICAS), str(filed(request)) if names.SCALE in kept else None}
    if "0" in asked and not request.by_agent:
        said += (stop_hint(request, kept),)
    if (released or request.creates) and (text := advice(template_of(request))):
        said += (f"outrider: {request.name}: {text}",)
    return said + (release_hint(request, kept) if released else ())


def template_of(request: Request) -> Mapping[str, Any]:
    return mapping(request.object, "spec", "template")


def canary_of(request: Request, kept: Mapping[str, Any]) -> str:
    return str(kept.get(names.CANARY_OF, request.name))


def stop_hint(request: Request, kept: Mapping[str, Any]) -> str:
    canary = canary_of(request, kept)
    stop = f"kubectl annotate canary/{canary} -n {request.namespace} outrider.dev/stop=true"
    return f"outrider: replicas 0 is not taken as a wish; to stop the app: {stop}"


def release_hint(request: Request, kept: Mapping[str, Any]) -> tuple[str, ...]:
    """What becomes of the update, and the command that ends when that is known."""
    if names.LEAVING in kept:
        return (f"outrider: {request.name} is being given back: nobody judges this update",)
    what = "is released as a canary"
    if names.HOLD in kept:
        what = "is being adopted, this update is its first release"
    command = wait_command(request, kept)
    if len(command) > WARNING_LIMIT:
        # What is cut would be another command, and might end well whatever becomes of the release.
        last = f"its outcome will be in .status.outcomes.{kept[names.RELEASE]} of its Canary"
        return (f"outrider: {request.name} {what}; {last}",)
    return (f"outrider: {request.name} {what}; this ends well only if it is promoted:", command)


def wait_command(request: Request, kept: Mapping[str, Any]) -> str:
    """Ends with the release; grep makes its exit status that of the outcome."""
    path = f"jsonpath='{{.status.outcomes.{kept[names.RELEASE]}}}'"
    canary = f"canary/{canary_of(request, kept)} -n {request.namespace}"
    return f"kubectl wait {canary} --for={path} --timeout=10m -o {path} | grep promoted"
