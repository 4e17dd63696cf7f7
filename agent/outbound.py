"""Sends one request to a metric backend, and takes its answer within the time that there is."""

import time

import urllib3

from delivery.providers import BadAnswer, Request

LONGEST = 2**20
"""Bytes of an answer: one number needs no more."""
_PART = 65536

# Who says insecureSkipVerify has been told by the field's name.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def send(request: Request) -> tuple[int, bytes]:
    """Status and body; raises BadAnswer where there are none. Redirects are not followed: they
    would take the credentials to another place.
    """
    end = time.monotonic() + request.timeout
    # No connection is kept: one that a backend closed meanwhile would count as a failed check.
    with urllib3.PoolManager(cert_reqs="CERT_REQUIRED" if request.verify else "CERT_NONE") as pool:
        try:
            return _received(pool, request, end)
        # The library counts a connection that was refused among the time-outs.
        except urllib3.exceptions.NewConnectionError as error:
            raise BadAnswer(f"request failed: {_cause(error)}") from None
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            raise BadAnswer(f"request failed: no answer within {request.timeout:g} s") from None
        except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise BadAnswer(f"request failed: {_cause(error)}") from None


def _received(pool: urllib3.PoolManager, request: Request, end: float) -> tuple[int, bytes]:
    answer = pool.request(
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
    try:
        return answer.status, _body(answer, end)
    finally:
        answer.close()


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
