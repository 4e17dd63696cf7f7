import socket
from pathlib import Path

import pytest
import yaml

from cluster.api import Api, connect
from cluster.errors import ClusterError, Conflict, Forbidden, Missing, Unreachable
from tests.cluster.loopback import SHOP, serving

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "one"}}


@pytest.mark.parametrize(
    ("status", "named"),
    [(403, Forbidden), (404, Missing), (409, Conflict), (422, ClusterError), (503, ClusterError)],
)
def test_a_refusal_is_a_named_error_in_the_apis_own_words(
    status: int, named: type[ClusterError]
) -> None:
    with serving() as server:
        server.status = status
        with pytest.raises(named, match=f"{status} not today") as caught:
            server.api().merge(MAP, {}, manager="test")
        assert (type(caught.value), caught.value.status) == (named, status)


def test_a_refusal_without_words_of_the_api_is_shown_as_it_came() -> None:
    with serving() as server:
        server.status, server.raw = 502, b"<html>bad gateway</html>"
        with pytest.raises(ClusterError, match="bad gateway"):
            server.api().list("ConfigMap")


def test_an_answer_that_is_no_json_is_a_named_error() -> None:
    with serving() as server:
        server.raw = b"<html>log in first</html>"
        with pytest.raises(ClusterError, match="no JSON"):
            server.api().list("ConfigMap")


def test_what_is_not_there_reads_as_none_and_is_deleted_without_complaint() -> None:
    with serving() as server:
        server.status = 404
        assert server.api().read("ConfigMap", "one", namespace="shop") is None
        server.api().delete("ConfigMap", "one", namespace="shop")


@pytest.mark.parametrize("status", [403, 409, 500])
def test_reading_and_deleting_hide_no_other_refusal(status: int) -> None:
    with serving() as server:
        server.status = status
        for call in (server.api().read, server.api().delete):
            with pytest.raises(ClusterError):
                call("ConfigMap", "one", namespace="shop")


def test_nobody_at_the_address_is_unreachable() -> None:
    with serving() as server:
        api = server.api()
    with pytest.raises(Unreachable) as caught:
        api.list("ConfigMap")
    assert caught.value.status == 0


def test_a_server_that_never_answers_is_unreachable_in_time() -> None:
    with serving() as server:
        server.silent = 0.5
        with pytest.raises(Unreachable, match="timed out"):
            server.api(seconds=0.1).read("ConfigMap", "one", namespace="shop")


def test_items_of_a_list_carry_their_kind() -> None:
    with serving() as server:
        server.put("one")
        (found,) = server.api().list("ConfigMap", namespace="shop", query={"limit": "5"})
        assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")
        assert (server.asked[0].path, server.asked[0].query) == (SHOP, {"limit": "5"})


def test_each_write_names_its_manager_and_its_place() -> None:
    with serving() as server:
        api = server.api()
        api.create(MAP, manager="me")
        api.apply(MAP, manager="me", force=False, dry=True)
        api.merge(MAP, {"data": {"a": "b"}}, manager="me")
        api.replace(MAP, manager="me", dry=True)
        api.replace_status(MAP, manager="me")
    assert [(one.method, one.path) for one in server.asked] == [
        ("POST", SHOP),
        *[(method, f"{SHOP}/one") for method in ("PATCH", "PATCH", "PUT")],
        ("PUT", f"{SHOP}/one/status"),
    ]
    assert {one.query["fieldManager"] for one in server.asked} == {"me"}
    assert server.asked[1].query == {"fieldManager": "me", "force": "false", "dryRun": "All"}
    assert server.asked[3].query == {"fieldManager": "me", "dryRun": "All"}


def test_a_kubeconfig_says_where_the_api_is(tmp_path: Path) -> None:
    with serving() as server:
        config = tmp_path / "config"
        config.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{server.port}")))
        assert Api(connect(str(config))).list("ConfigMap") == []


def kubeconfig(address: str) -> object:
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": address}}],
        "users": [{"name": "it", "user": {"token": "secret"}}],
    }


def test_a_connection_that_is_reset_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with serving() as server:
            server.port = listener.getsockname()[1]
            api = server.api(seconds=0.2)
        with pytest.raises(Unreachable):
            api.list("ConfigMap")
