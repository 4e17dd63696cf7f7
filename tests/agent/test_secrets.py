"""Secrets that MetricTemplates name, read from an API server on loopback."""

import base64
from typing import Any

import pytest

from agent.secrets import Secrets, Unread
from delivery.references import Named
from tests.cluster.loopback import serving

PATH = "/api/v1/namespaces/shop/secrets/login"
LOGIN = Named("Secret", "shop", "login")


def read(status: int, page: dict[str, Any]) -> Any:
    with serving() as server:
        server.pages[PATH] = status, page
        return dict(Secrets(server.api(), "shop").read(LOGIN))


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_the_values_of_a_secret_are_decoded() -> None:
    data = {"token": encoded(b"abc"), "odd": encoded(b"\xff"), "broken": "a"}
    assert read(200, {"data": data}) == {"token": "abc", "odd": "", "broken": ""}
    assert read(200, {}) == {}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, 'secrets "login" not found'),
        (500, "500 not today"),
        (
            403,
            "the agent may not read it; allow it that one: kubectl -n shop create role "
            "outrider-metrics --verb=get --resource=secrets --resource-name=login && "
            "kubectl -n shop create rolebinding outrider-metrics --role=outrider-metrics "
            "--serviceaccount=shop:outrider-agent",
        ),
    ],
)
def test_a_secret_that_cannot_be_read_says_why(status: int, text: str) -> None:
    with pytest.raises(Unread) as raised:
        read(status, {"message": "not today"})
    assert str(raised.value).endswith(text)
