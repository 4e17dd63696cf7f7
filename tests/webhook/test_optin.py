"""Who tells a namespace's agents of Flagger: one look at the cluster, by that name alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from cluster.api import Object
from cluster.errors import ClusterError
from cluster.watch import Watched
from delivery import names
from delivery.programs import Programs
from tests.cluster.loopback import Server, serving
from webhook import optin
from webhook.metrics import Metrics
from webhook.optin import OptIn, Parts

PATH = "/apis/apps/v1/deployments"


def running() -> Object:
    metadata = {"name": "flagger", "namespace": "tools", "labels": {"app": "flagger"}}
    template = {"spec": {"containers": [{"image": "mirror/flagger:1"}]}}
    return {"metadata": metadata, "spec": {"template": template}}


@pytest.fixture
def place() -> Iterator[tuple[Server, OptIn]]:
    with serving() as server:
        server.pages[PATH] = 200, {"items": [running()]}
        api = server.api()
        yield (
            server,
            OptIn(
                api=api,
                own_namespace="own",
                label="label",
                namespaces=Watched(api, "Namespace"),
                parts=Parts(api, Programs("a", "b"), lambda: None),
                leading=lambda: True,
                slow=lambda text: None,
                metrics=Metrics("1"),
            ),
        )


def test_the_look_asks_for_one_name_and_is_not_repeated_at_once(
    place: tuple[Server, OptIn],
) -> None:
    server, found = place
    found.look_for_flagger()
    found.look_for_flagger()
    (asked,) = server.asked
    assert (asked.path, asked.query["fieldSelector"]) == (PATH, "metadata.name=flagger")
    assert [one["metadata"]["namespace"] for one in found.flaggers] == ["tools"]
    found.look_for_flagger(anew=True)
    assert len(server.asked) == 2


AGENTS = {("Deployment", names.AGENT): running()}


@pytest.mark.parametrize(("found", "new"), [({}, True), (AGENTS, False)])
def test_a_namespace_is_new_until_it_has_agents(found: Any, new: bool) -> None:
    """Then it is looked for anew: one that began a moment ago must not be worked against."""
    assert optin.has_no_agents(found) is new


def test_until_it_is_known_who_runs_flagger_nothing_is_made(place: tuple[Server, OptIn]) -> None:
    server, found = place
    server.pages[PATH] = 403, {"message": "you may not"}
    with pytest.raises(ClusterError, match="you may not"):
        found.look_for_flagger()


def test_a_look_that_fails_later_changes_nothing(
    place: tuple[Server, OptIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, found = place
    monkeypatch.setattr(optin, "FLAGGER_SECONDS", 0.0)
    found.look_for_flagger()
    server.pages[PATH] = 503, {"message": "not today"}
    found.look_for_flagger()
    assert len(found.flaggers) == 1
