"""What an external router is: one that splits traffic as objects say that others made it read.

With such a router the apex Service leads to the primary, as with none; the router leads its
requests to the Services of both halves, X-primary and X-canary, in the shares of its objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from delivery.canary import Canary

Object = Mapping[str, Any]
Found = Mapping[tuple[str, str], Object]
"""The objects of a namespace by kind and name, as far as a router reads their kinds."""


@dataclass(frozen=True)
class Restored:
    """What is left when an app is given back: objects as their users wrote them, whole, and (kind,
    name) of those that nobody but us wrote.
    """

    written: tuple[Object, ...] = ()
    deleted: tuple[tuple[str, str], ...] = ()


class Router(Protocol):
    """Pure: the status is the split, `found` is what there is, the answer is what there should be.

    `kinds` are those that it reads and writes, as cluster.kinds knows them.

    `refused` says why this app cannot be routed with what was found ('' if it can): then nothing is
    written. Of an object that a user wrote it names object, cause and fix.

    `manifests` are the objects as they should be now, and the same again when they are. One that a
    user wrote is whole, as it was found but for what is routed, with its resourceVersion; of what
    was taken over the original is kept in it, and names.APP says whose it is. One that we make
    names only what is ours, with the labels of routers.marks; every field that the API server
    fills in by itself is spelled out in its spec, or it would be written for ever.

    `restored` is about all marked objects of the app (routers.marks.app_of), by those alone: of the
    Canary it reads the target's name and the namespace; there may be no other word of it any more.

    `unready` says why the router does not act yet on objects that are as they should be.
    """

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def refused(self, canary: Canary, found: Found) -> str: ...

    def manifests(self, canary: Canary, found: Found) -> tuple[Object, ...]: ...

    def restored(self, canary: Canary, found: Found) -> Restored: ...

    def unready(self, canary: Canary, found: Found) -> str: ...
