"""Sends one request, and takes its answer within the time that there is."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import urllib3

from delivery.hook_request import Answer, passed
from delivery.providers import BadAnswer, Request

T = TypeVar("T")

LONGEST = 2**20
"""Bytes of an answer: one number needs no more."""
WORDS = 4096
"""Bytes of an answer that is only to be told."""
_PART = 65536

# Who says insecureSkipVerify has been told by the field's name.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
# At its most talkative it would write down paths, and that of a chat's hook is a key.
logging.getLogger("urllib3").setLevel(logging.INFO)


def send(request: Request) -> tuple[int, bytes]:
    """Status and body; raises BadAnswer where there are none. Redirects are not followed: they
    would take the credentials to another place.
    """
    return _sent(request, lambda answer, end: (answer.status, _body(answer, end)))


def call(request: Request) -> Answer:
    """The status, and the first words of what is no success: nobody waits for another body.

    Raises BadAnswer where there is no status.
    """
    return _sent(request, _answered)


def _answered(answer: urllib3.BaseHTTPResponse, end: float) -> Answer:
    words = b""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if not passed(found := Answer(answer.status, headers)):
        # The status is there: that the rest does not come changes nothing.
        with suppress(urllib3.exceptions.HTTPError, OSError):
            while time.monotonic() < end and len(words) < WORDS and (part := answer.read1(_PART)):
                words += part
    return replace(found, body=words[:WORDS])


def _sent(request: Request, receive: Callable[[urllib3.BaseHTTPResponse, float], T]) -> T:
    end = time.monotonic() + request.timeout
    # No connection is kept: one that a backend closed meanwhile would count as a failed check.
    with _pool(request) as pool:
        try:
            answer = _begun(pool, request, end)
            try:
                return receive(answer, end)
            finally:
                answer.close()
        # The library counts a connection that was refused among the time-outs.
        except urllib3.exceptions.NewConnectionError as error:
            raise BadAnswer(f"request failed: {_cause(error)}") from None
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            raise BadAnswer(f"request failed: no answer within {request.timeout:g} s") from None
        except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise BadAnswer(f"request failed: {_cause(error)}") from None


def _pool(request: Request) -> urllib3.PoolManager:
    verified = "CERT_REQUIRED" if request.verify else "CERT_NONE"
    if request.proxy:
        return urllib3.ProxyManager(request.proxy, cert_reqs=verified)
    return urllib3.PoolManager(cert_reqs=verified)


def _begun(pool: urllib3.PoolManager, request: Request, end: float) -> urllib3.BaseHTTPResponse:
    return pool.request(
        request.method,
        request.url,
        headers=urllib3.HTTPHeaderDict(request.headers),
        body=request.body or None,
        timeout=urllib3.Timeout(total=max(0.001, end - time.monotonic())),
        retries=False,
        redirect=False,
        preload_content=False,
        decode_content=False,
    )


def _body(answer: urllib3.BaseHTTPResponse, end: float) -> bytes:
    received = b""
    # A time-out of a socket starts anew with each byte, so the end is watched here too.
    while part := answer.read1(_PART):
        received += part
        if time.monotonic() > end:
            raise TimeoutError
        if len(received) > LONGEST:
            raise BadAnswer(f"the answer is longer than {LONGEST} bytes")
    return received


def _cause(error: BaseException) -> str:
    """What it was at bottom, without the library's own words and addresses of its objects."""
    while below := error.__cause__ or error.__context__:
        error = below
    return str(error) or type(error).__name__
