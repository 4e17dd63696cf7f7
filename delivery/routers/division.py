"""Who meets which half of an app, in the order in which a router should ask."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from delivery.cookies import Cookies
from delivery.matching import Comparison, Match, Way
from delivery.route import Route

EVERYTHING = Match()


@dataclass(frozen=True)
class Division:
    """How requests are divided: what matches goes to the canary, of all else `weight` percent, and
    of that `mirror` percent are copied to it: their answers are thrown away. `cookies` come first.
    All this is for requests that one of `scopes` describes, and they are treated as `route` says;
    each is also copied to all of `copied_to`.
    """

    weight: int = 0
    matches: tuple[Match, ...] = ()
    mirror: int = 0
    cookies: Cookies | None = None
    route: Route = Route()
    scopes: tuple[Match, ...] = (EVERYTHING,)
    copied_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Some of the requests: the canary's share of them, what is copied to it, and the cookies that
    the answers of either half set.
    """

    match: Match
    weight: int
    mirror: int = 0
    from_canary: str = ""
    from_primary: str = ""


def parts(division: Division) -> Iterator[Part]:
    """Who has met the canary stays there, also when it no longer matches, and is told so again in
    each answer, so that nobody's time runs out in the middle of a release.
    """
    found = division.cookies
    joins = found.for_canary if found else ""
    stays = found.for_primary if found else ""
    if found and found.canary:
        yield Part(_sent(found.canary), 100, from_canary=joins)
    for match in division.matches:
        yield Part(match, 100, from_canary=joins)
    if found and found.primary:
        yield Part(_sent(found.primary), 0)
    others = Part(EVERYTHING, division.weight, division.mirror, joins, stays)
    if found and found.previous:
        yield replace(others, match=_sent(found.previous), from_primary=found.for_leaving)
    yield others


def _sent(pair: str) -> Match:
    """The value is long and random: nothing else of a Cookie header is taken for it."""
    return Match(headers=(Comparison("cookie", Way.CONTAINS, pair),))
