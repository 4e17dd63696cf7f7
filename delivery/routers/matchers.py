"""Which requests a route of the router's is for, in Envoy's words."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue

from delivery.matching import Comparison, Match, Way

Named = TypeVar("Named", routes_pb2.HeaderMatcher, routes_pb2.QueryParameterMatcher)


def matcher(match: Match) -> routes_pb2.RouteMatch:
    made = _path(match.path)
    made.headers.extend(_compared(routes_pb2.HeaderMatcher, match.headers))
    made.headers.extend(_absent(match.without))
    parameters = _compared(routes_pb2.QueryParameterMatcher, match.parameters)
    made.query_parameters.extend(parameters)
    if match.any_case:
        made.case_sensitive.CopyFrom(BoolValue(value=False))
    return made


def _path(wanted: Comparison | None) -> routes_pb2.RouteMatch:
    """Envoy compares regular expressions with all of the path, and knows no suffix."""
    if wanted is None:
        return routes_pb2.RouteMatch(prefix="/")
    if wanted.way is Way.EXACT:
        return routes_pb2.RouteMatch(path=wanted.text)
    if wanted.way is Way.PREFIX:
        return routes_pb2.RouteMatch(prefix=wanted.text)
    regex = f".*{re.escape(wanted.text)}" if wanted.way is Way.SUFFIX else wanted.text
    return routes_pb2.RouteMatch(safe_regex=RegexMatcher(regex=regex))


def _compared(kind: type[Named], wanted: Iterable[Comparison]) -> Iterator[Named]:
    for one in wanted:
        if one.way is Way.PRESENT:
            yield kind(name=one.name, present_match=True)
        else:
            yield kind(name=one.name, string_match=text(one))


def _absent(wanted: Iterable[Comparison]) -> Iterator[routes_pb2.HeaderMatcher]:
    """A header that is not there at all is without the text too."""
    for found, one in zip(_compared(routes_pb2.HeaderMatcher, wanted), wanted, strict=True):
        found.invert_match = True
        found.treat_missing_header_as_empty = one.way is not Way.PRESENT
        yield found


def text(wanted: Comparison) -> StringMatcher:
    if wanted.way is Way.REGEX:
        return StringMatcher(safe_regex=RegexMatcher(regex=wanted.text))
    return StringMatcher(**{wanted.way: wanted.text})
