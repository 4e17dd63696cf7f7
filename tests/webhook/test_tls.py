import datetime as dt
import socket
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certs.authority import Fresh, Lives
from certs.store import Rotation, Store
from webhook.__main__ import unready
from webhook.published import Published
from webhook.tls import Served

HOST = "outrider-webhook.outrider-system.svc"


def store(number: int, days: int = 0) -> Store:
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    key = ec.derive_private_key(number, ec.SECP256R1())
    return Rotation("outrider-webhook", [HOST], Lives(), lambda: Fresh(key, number, now)).first()


def shakes_hands(served: Served, client: ssl.SSLContext) -> bool:
    """One handshake between what is served now and a client, over a pair of sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.settimeout(5)
        server = threading.Thread(target=accept, args=(served, ours))
        server.start()
        try:
            client.wrap_socket(theirs, server_hostname=HOST).close()
        except ssl.SSLError:
            return False
        finally:
            server.join()
        return True


def accept(served: Served, plain: socket.socket) -> None:
    try:
        served.context.wrap_socket(plain, server_side=True).close()
    except (ssl.SSLError, OSError):
        return


def believer(found: Store) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=found.published.decode())


def test_the_api_server_believes_what_is_served() -> None:
    assert shakes_hands(Served(store(1)), believer(store(1)))


def test_another_authority_is_not_believed() -> None:
    assert not shakes_hands(Served(store(1)), believer(store(2)))


def test_a_new_certificate_counts_from_the_next_connection_on() -> None:
    served = Served(store(1))
    served.take(store(2))
    assert shakes_hands(served, believer(store(2)))


def test_the_same_certificate_keeps_its_context() -> None:
    found = store(1)
    served = Served(found)
    before = served.context
    served.take(found)
    assert served.context is before


def test_an_expired_certificate_is_known() -> None:
    assert Served(store(1, days=-91)).expired
    assert not Served(store(1)).expired


@pytest.mark.parametrize(
    ("served", "published", "reason"),
    [
        (store(1), store(1), ""),
        (store(1), store(2), "the certificate is not signed by what is published"),
        (store(1, days=-91), store(1, days=-91), "the certificate has expired"),
    ],
)
def test_it_is_ready_while_what_is_served_is_believed(
    served: Store, published: Store, reason: str
) -> None:
    seen = Published(60)
    seen.saw([published.published], 0)
    assert unready(Served(served), seen) == reason
