"""A gRPC app that ends each call as the name of the method asks, and a client that tells how."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc

from delivery.routers.envoy import Endpoint
from tests.agent import http2
from tests.agent.breakage import close
from tests.agent.pods import Behaviour

LATER = "Later_"
"""Before a status: after a message, so in trailers and not in the headers of the answer."""
_CONTENT_TYPE = b"\x0f\x10" + bytes([len("application/grpc")]) + b"application/grpc"


class Statuses(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no type information
    def service(self, details: Any) -> Any:
        asked = details.method.rpartition("/")[2]

        def answer(_: bytes, context: Any) -> Iterator[bytes]:
            if asked == "OK" or asked.startswith(LATER):
                yield b"message"
            if asked != "OK":
                context.abort(grpc.StatusCode[asked.removeprefix(LATER)], "as asked")

        return grpc.unary_stream_rpc_method_handler(answer)


@contextmanager
def running() -> Iterator[Endpoint]:
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Statuses()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Endpoint("127.0.0.1", port)
    finally:
        server.stop(0)


def call(port: int, method: str) -> str:
    """One call through the router, as its caller saw it end."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            list(channel.unary_stream(f"/shop.Orders/{method}")(b"order", timeout=5))
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def breaks_off(with_connection: bool) -> Behaviour:
    """A message, and then the stream, or the whole connection, ends without a status."""
    end_headers = http2.END_HEADERS

    def behave(connection: Any, stream: int) -> bool:
        head = http2.frame(http2.HEADERS, end_headers, stream, http2.STATUS_200 + _CONTENT_TYPE)
        connection.sendall(head + http2.frame(http2.DATA, 0, stream, b"\0\0\0\0\3abc"))
        if with_connection:
            return close(connection)
        connection.sendall(http2.reset(stream, http2.INTERNAL_ERROR))
        return True

    return http2.speaks_http2(behave)
