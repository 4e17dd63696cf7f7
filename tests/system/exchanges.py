"""The exchanges that are compared: what a caller sends and what the app answers, byte by byte."""

from dataclasses import dataclass
from urllib.parse import quote_plus


@dataclass(frozen=True)
class Exchange:
    """`request` and `answer` are sent as they are; a number in the answer is a pause in seconds.

    `body` is sent once the app said 100; `spoken` is what both sides say after an upgrade.
    """

    request: bytes
    answer: tuple[bytes | float, ...]
    body: bytes = b""
    spoken: bytes = b""
    closes: bool = False
    answers: int = 1

    @property
    def method(self) -> bytes:
        return self.request.split()[0]


def get(case: str, *headers: bytes, target: str = "/", method: str = "GET") -> bytes:
    start = f"{method} {target}?case={quote_plus(case)} HTTP/1.1".encode()
    return b"\r\n".join([start, b"Host: shop.example", *headers, b"", b""])


DATE = b"Date: Sat, 21 Nov 2026 08:00:00 GMT"


def ok(*headers: bytes, body: bytes = b"ok", status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, DATE, *headers, length, b"", body])


def bare(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])


CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"5\r\nhello\r\n6\r\n world\r\n0\r\n"
BIG = bytes(range(256)) * (20 * 1024 * 1024 // 256)
FORWARDED = (
    b"X-Forwarded-For: 203.0.113.7, 10.0.0.1",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: shop.example",
    b"X-Forwarded-Port: 443",
    b"X-Forwarded-Client-Cert: Hash=1",
    b"Forwarded: for=203.0.113.7;proto=https",
    b"Via: 1.1 edge",
)
ENVOYS = (
    b"X-Request-Id: 1-2-3",
    b"X-Envoy-Internal: true",
    b"X-Envoy-External-Address: 203.0.113.7",
    b"X-Envoy-Expected-Rq-Timeout-Ms: 5",
    b"X-Envoy-Upstream-Rq-Timeout-Ms: 5",
    b"X-Envoy-Max-Retries: 7",
    b"X-Envoy-Retry-On: 5xx",
    b"X-Envoy-Attempt-Count: 9",
    b"X-Envoy-Original-Path: /",
    b"X-Envoy-Decorator-Operation: mine",
    b"X-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124",
    b"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
ANSWER_ENVOYS = (
    b"X-Envoy-Upstream-Service-Time: 7",
    b"X-Envoy-Attempt-Count: 9",
    b"X-Envoy-Overloaded: true",
    b"X-Envoy-Decorator-Operation: mine",
    b"X-Envoy-Immediate-Health-Check-Fail: 1",
    b"X-Request-Id: 4-5-6",
)

EXCHANGES: dict[str, Exchange] = {
    "plain": Exchange(get("plain"), (ok(),)),
    "case": Exchange(
        get("case", b"X-MiXeD-cAsE: Yes", b"x-lower: yes", b"X-UPPER: YES", b"ETag: w"),
        (ok(b"X-MiXeD-cAsE: Yes", b"x-lower: yes", b"X-UPPER: YES", b"eTAG: w"),),
    ),
    "order": Exchange(
        get("order", b"Z: 1", b"A: 2", b"Cookie: a=1", b"M: 3", b"Accept: */*"),
        (ok(b"Z: 1", b"Set-Cookie: a=1", b"A: 2", b"Set-Cookie: b=2", b"M: 3"),),
    ),
    "duplicates": Exchange(
        get("duplicates", b"X-Twice: 1", b"X-Twice: 2", b"Cookie: a=1", b"Cookie: b=2"),
        (ok(b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Vary: A", b"Vary: B"),),
    ),
    "no host port": Exchange(
        get("no host port").replace(b"shop.example", b"SHOP.example:8080"), (ok(),)
    ),
    "forwarded proto": Exchange(
        get("forwarded proto", b"A: 1", b"X-FORWARDED-Proto: ftp", b"Z: 1"), (ok(),)
    ),
    "empty value": Exchange(get("empty value", b"X-Empty:", b"X-End: 1"), (ok(b"X-Empty:"),)),
    "underscores": Exchange(get("underscores", b"x_under_score: 1"), (ok(b"y_under_score: 1"),)),
    "bytes above 127": Exchange(
        get("bytes above 127", b"X-Name: caf\xc3\xa9 \xff"),
        (ok(b"X-Name: caf\xc3\xa9"),),
    ),
    "forwarded": Exchange(get("forwarded", *FORWARDED), (ok(b"Via: 1.1 app"),)),
    "forwarded by an internal proxy": Exchange(
        get("forwarded by an internal proxy", b"X-Forwarded-For: 10.0.0.1"), (ok(),)
    ),
    "envoy's own headers": Exchange(get("envoy's own headers", *ENVOYS), (ok(*ANSWER_ENVOYS),)),
    "connection headers": Exchange(
        get("connection headers", b"Connection: keep-alive, X-Hop", b"X-Hop: 1", b"TE: trailers"),
        (ok(b"Keep-Alive: timeout=5", b"Connection: keep-alive"),),
    ),
    "no date": Exchange(get("no date"), (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",)),
    "server": Exchange(get("server"), (ok(b"Server: shop/1.0"),)),
    "reason": Exchange(get("reason"), (ok(status=b"299 As You Like It"),)),
    "server error": Exchange(get("server error"), (ok(status=b"503 Not Now", body=b"later"),)),
    "path": Exchange(get("path", target="/a%2Fb//c;d=1/./e/../%7Ef%c3%A9"), (ok(),)),
    "backslash": Exchange(get("backslash", target="/a%5Cb%00c"), (ok(),)),
    "options": Exchange(
        bare(b"OPTIONS * HTTP/1.1", b"Host: shop.example", b"X-Case: options"), (ok(),)
    ),
    "absolute form": Exchange(get("absolute form", target="http://shop.example/a"), (ok(),)),
    "methods": Exchange(get("methods", method="PROPFIND"), (ok(),)),
    "head": Exchange(get("head", method="HEAD"), (ok(body=b""),)),
    "head of a long one": Exchange(
        get("head of a long one", method="HEAD"),
        (bare(b"HTTP/1.1 200 OK", DATE, b"Content-Length: 12345"),),
    ),
    "204": Exchange(get("204"), (bare(b"HTTP/1.1 204 No Content", DATE),)),
    "304": Exchange(
        get("304", b'If-None-Match: "x"'),
        (bare(b"HTTP/1.1 304 Not Modified", DATE, b'ETag: "x"'),),
    ),
    "until close": Exchange(
        get("until close"), (bare(b"HTTP/1.1 200 OK", DATE) + b"some text",), closes=True
    ),
    "http/1.0": Exchange(
        get("http/1.0").replace(b"HTTP/1.1", b"HTTP/1.0"),
        (bare(b"HTTP/1.0 200 OK", DATE) + b"old text",),
        closes=True,
    ),
    "http/1.0 kept alive": Exchange(
        get("http/1.0 kept alive", b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
        (ok(b"Connection: keep-alive"),),
    ),
    "http/1.0 without host": Exchange(
        b"GET /?case=http/1.0+without+host HTTP/1.0\r\n\r\n", (ok(),), closes=True
    ),
    "chunked both ways": Exchange(
        get("chunked both ways", CHUNKED, method="POST") + CHUNKS + b"\r\n",
        (bare(b"HTTP/1.1 200 OK", DATE, CHUNKED) + CHUNKS + b"\r\n",),
    ),
    "trailers both ways": Exchange(
        get("trailers both ways", CHUNKED, b"Trailer: X-Sum", b"TE: trailers", method="POST")
        + CHUNKS
        + b"X-Sum: 11\r\n\r\n",
        (
            bare(b"HTTP/1.1 200 OK", DATE, CHUNKED, b"Trailer: X-Sum")
            + CHUNKS
            + b"X-Sum: 11\r\n\r\n",
        ),
    ),
    "100-continue": Exchange(
        get("100-continue", b"Expect: 100-continue", b"Content-Length: 4", method="PUT"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ok()),
        body=b"body",
    ),
    "early hints": Exchange(
        get("early hints"),
        (bare(b"HTTP/1.1 103 Early Hints", b"Link: </a.css>; rel=preload"), 0.05, ok()),
    ),
    "upgrade": Exchange(
        get("upgrade", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA=="),
        (
            bare(b"HTTP/1.1 101 Switching Protocols", DATE, b"Connection: Upgrade")[:-2]
            + b"Upgrade: websocket\r\nSec-WebSocket-Accept: eQ==\r\n\r\n",
        ),
        spoken=b"\x81\x05hello" * 100,
    ),
    "upgrade refused": Exchange(
        get("upgrade refused", b"Connection: Upgrade", b"Upgrade: websocket"),
        (ok(status=b"426 Upgrade Required"),),
    ),
    "upgrade to the unknown": Exchange(
        get("upgrade to the unknown", b"Connection: Upgrade", b"Upgrade: chess/2"), (ok(),)
    ),
    "upgrade offered": Exchange(
        get("upgrade offered"), (ok(b"Upgrade: h2,h2c", b"Connection: Upgrade"),)
    ),
    "upgrade to tls": Exchange(
        get("upgrade to tls", b"Connection: Upgrade", b"Upgrade: TLS/1.2"), (ok(),)
    ),
    "upgrade to h2c": Exchange(
        get("upgrade to h2c", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), (ok(),)
    ),
    "long header": Exchange(
        get("long header", b"X-Long: " + b"x" * 60_000), (ok(b"X-Long: " + b"y" * 60_000),)
    ),
    "many headers": Exchange(
        get("many headers", *(b"X-%d: %d" % (n, n) for n in range(500))),
        (ok(*(b"Y-%d: %d" % (n, n) for n in range(500))),),
    ),
    "20 MB both ways": Exchange(
        get("20 MB both ways", b"Content-Length: %d" % len(BIG), method="POST") + BIG,
        (ok(body=BIG),),
    ),
    "pipelined": Exchange(
        get("pipelined", b"X-Number: 1") + get("pipelined", b"X-Number: 2"), (ok(),), answers=2
    ),
}
SLOW = {"after 90 s": Exchange(get("after 90 s"), (90.0, ok()))}
