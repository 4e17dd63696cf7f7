"""Which number of replicas that a target shows is a wish of today."""

from delivery.canary import Status
from delivery.mapping import LATEST, number
from delivery.observation import Observation


def is_news(status: Status, seen: Observation) -> bool:
    """An undo past admission puts a ReplicaSet's annotations in the place of the target's: then the
    number at which it is held is not the one that they say, and their wish is one of former times.
    """
    if seen.noted is None:
        return seen.wish != status.scale
    return status.replicas is None or seen.noted > last(status, seen)


def last(status: Status, seen: Observation) -> int:
    """The version of the wish that was taken over last; in a cluster that was restored from a
    backup it may be one that is still to come.
    """
    metadata = seen.target.manifest["metadata"] if seen.target else {}
    now = number(metadata.get("resourceVersion"), LATEST)
    taken = status.wished or 0
    return 0 if now is not None and taken > now else taken
