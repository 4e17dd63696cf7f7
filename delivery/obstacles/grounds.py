"""What speaks for or against adopting in a namespace, beside its Deployments and Services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from delivery.frozen import frozen
from delivery.pods import Object

ROLLING = "a rollout is under way"
UNKNOWN = "not known yet"
UNREAD = "not read yet"
PASSING = (ROLLING, UNKNOWN, UNREAD)
"""How reasons begin that end by themselves, and so are not worth an Event."""


@dataclass(frozen=True)
class Sighting:
    """What is known of one kind: the objects seen last, and why more than these may be there."""

    items: Sequence[Object] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Grounds:
    """`drivers` are kinds of other projects that may not be installed (obstacles.drivers).

    `routers` are the addresses of the namespace's routers, `awaited` that some of their pods are
    still to be made. `ending` says that pods are on their
    way out. `flagger` names the Deployment of a Flagger that watches the namespace.
    """

    labels: Mapping[str, str] = field(default_factory=frozen)
    drivers: Mapping[str, Sighting] = field(default_factory=frozen)
    policies: Sequence[Object] = ()
    quotas: Sequence[Object] = ()
    limits: Sequence[Object] = ()
    routers: tuple[str, ...] = ()
    awaited: bool = False
    ending: bool = False
    flagger: str = ""
