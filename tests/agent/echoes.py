"""Apps that answer with what they were asked, and callers who read it."""

import http.client
import socket
import time
from collections.abc import Mapping

from agent.envoy import Scraper
from delivery.dialects.router import parse
from delivery.stats import Sample, delta
from tests.agent.identities import PRESENTED
from tests.agent.running_router import Router


class Echo:
    """Answers with the head of the request, after a name and a pause; or with these statuses."""

    def __init__(self, name: str, *statuses: str, pause: float = 0.0) -> None:
        self.name, self.statuses, self.pause = name, list(statuses), pause
        self.asked = 0

    def __call__(self, connection: socket.socket, head: bytes) -> bool:
        self.asked += 1
        time.sleep(self.pause)
        status = self.statuses.pop(0) if self.statuses else "200 OK"
        body = self.name.encode() + b" " + head
        headers = f"content-length: {len(body)}\r\nx-version: {self.name}\r\nserver: echo\r\n"
        connection.sendall(f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + body)
        return True


class Answer:
    """What a caller gets, and what the app that echoed had got."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        text = answer.read().decode()
        self.text = text
        self.who, _, head = text.partition(" ")
        line, *rest = head.strip().split("\r\n")
        self.path = line.split(" ")[1] if " " in line else ""
        self.got = [one for one in rest if one]


def asked(port: int, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": "shop.example", **named})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def counted(router: Router) -> Mapping[str, Sample]:
    address = f"127.0.0.1:{router.stats_port}"
    scraper = Scraper(presented=PRESENTED)
    text = scraper.scrape([address], deadline=5)[address]
    scraper.close()
    assert isinstance(text, str)
    return delta({}, parse(text))
