"""What a router still holds for a caller when the app has long ended its answer."""

import socket
import time
from pathlib import Path

import pytest

from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, serving

BODY = bytes(4_000_000)
REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_a_caller_that_rests_gets_the_whole_answer(tmp_path: Path, rest: float) -> None:
    with Pod(answers(BODY)) as pod:
        shop = application(primary=(pod.endpoint,))
        with serving(tmp_path, shop), socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.connect(("127.0.0.1", shop.listener))
            caller.sendall(REQUEST)
            received = bytearray(caller.recv(65536))
            time.sleep(rest)
            while part := caller.recv(1 << 20):
                received += part
    assert len(received.partition(b"\r\n\r\n")[2]) == len(BODY)
