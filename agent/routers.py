"""Asks the namespace's router pods themselves: which are ready, and which ports they have open."""

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from delivery import pods
from delivery.apex import ROUTER_SELECTOR
from delivery.observation import Routers
from delivery.pods import Object

CONNECT_SECONDS = 0.5


def router_pods(found: Sequence[Object]) -> list[Object]:
    return [pod for pod in found if ROUTER_SELECTOR.items() <= pods.labels_of(pod).items()]


def addresses(found: Sequence[Object]) -> tuple[str, ...]:
    """Of the routers that are ready."""
    return tuple(str(pod["status"]["podIP"]) for pod in router_pods(found) if pods.is_ready(pod))


def lives(found: Sequence[Object]) -> dict[str, str]:
    """Of the routers."""
    return lives_of(router_pods(found))


def lives_of(found: Iterable[Object]) -> dict[str, str]:
    """Each ready pod's address to a name for its present life: with the next one it counts anew."""
    return {
        str(pod["status"]["podIP"]): f"{pod['metadata']['name']}/{pods.restarts(pod)}"
        for pod in found
        if pods.is_ready(pod)
    }


def look(found: Sequence[Object], ports: Iterable[int], *, rejected: str) -> Routers:
    """`ports` are those to be tried: a port counts as open when every ready router accepts."""
    ready, wanted = addresses(found), tuple(ports)
    if not ready or not wanted:
        return Routers(len(ready), frozenset(), rejected)
    pairs = [(address, port) for port in wanted for address in ready]
    with ThreadPoolExecutor(max_workers=min(16, len(pairs))) as pool:
        closed = {
            port
            for (_, port), accepted in zip(pairs, pool.map(accepts, pairs), strict=True)
            if not accepted
        }
    return Routers(len(ready), frozenset(wanted) - closed, rejected)


def accepts(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False
