"""Admission, opt-in and registration, seen through a real API server."""

import json
from functools import partial
from typing import Any

import pytest
import yaml

from delivery import names
from delivery.optin import namespace_parts
from delivery.programs import Programs
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.waiting import eventually

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {outrider.dev/enabled: "false"}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: other, port: 81, targetPort: other}]
"""
ROUTE = {"selector": {"app.kubernetes.io/name": names.ROUTER}, "targetPorts": {"80": 20001}}
FILES = [yaml.safe_load(DEPLOYMENT), yaml.safe_load(SERVICE)]
SERVER_SIDE = ("--server-side", "--field-manager=team")
WAYS = [(), SERVER_SIDE]


class Agent:
    """The agent of a namespace, as far as the API server can tell."""

    def __init__(self, place: Namespace) -> None:
        self.place = place

    def says(self, kind: str, **annotations: str | None) -> JSON:
        marks = {names.PREFIX + key: value for key, value in annotations.items()}
        patch = json.dumps({"metadata": {"annotations": marks}})
        user = f"--as=system:serviceaccount:{self.place.name}:{names.AGENT}"
        words = ("patch", kind, "web", "--type=merge", "-p", patch, user, "-o", "json")
        answer: JSON = json.loads(self.place.kubectl(*words))
        return answer


@pytest.fixture
def enrolled(namespace: Namespace) -> Namespace:
    """Opted in, but without a single pod: admission alone is looked at, no agent acts."""
    namespace.kubectl("create", "quota", "still", "--hard=pods=0")
    namespace.opt_in()
    # The routers themselves come when the agents are ready, which these are not to be.
    eventually("all parts are there", lambda: namespace.found("PodDisruptionBudget", names.ROUTER))
    return namespace


@pytest.fixture(params=WAYS, ids=["client-side", "server-side"])
def held(request: pytest.FixtureRequest, enrolled: Namespace) -> Namespace:
    """The files applied in one way, then held at none and routed."""
    enrolled.kubectl.apply(FILES, *request.param)
    agent = Agent(enrolled)
    assert agent.says("deployment", scale="0")["spec"]["replicas"] == 0
    agent.says("service", route=json.dumps(ROUTE))
    return enrolled


def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    callspec: Any = request.node.callspec
    found: tuple[str, ...] = callspec.params["held"]
    return found


def test_a_labelled_namespace_gets_its_parts_under_restricted_pod_security(
    namespace: Namespace,
) -> None:
    namespace.opt_in()
    for part in namespace_parts(namespace.name, Programs("", "")):
        kind, name = part["kind"], part["metadata"]["name"]
        eventually(f"{kind} {name}", partial(namespace.found, kind, name))
    namespace.complete(names.AGENT)
    namespace.complete(names.ROUTER)


def test_a_part_that_was_changed_is_put_right(enrolled: Namespace) -> None:
    before = enrolled.read("ConfigMap", names.ROUTER)["data"]
    enrolled.kubectl("delete", "configmap", names.ROUTER)
    eventually("it is back", lambda: enrolled.found("ConfigMap", names.ROUTER))
    assert enrolled.read("ConfigMap", names.ROUTER)["data"] == before


def test_the_effect_shows_in_the_answer_to_the_agent(held: Namespace) -> None:
    deployment, service = held.read("Deployment", "web"), held.read("Service", "web")
    assert deployment["spec"]["replicas"] == 0
    assert deployment["spec"]["template"]["metadata"]["labels"][names.ROLE] == names.CANARY
    assert service["spec"]["selector"] == ROUTE["selector"]
    assert [port["targetPort"] for port in service["spec"]["ports"]] == [20001, "other"]


def test_the_same_files_again_change_nothing(
    held: Namespace, request: pytest.FixtureRequest
) -> None:
    before = versions(held)
    unchanged(held, FILES, way(request))
    held.kubectl.apply(FILES, *way(request))
    assert versions(held) == before


def unchanged(place: Namespace, files: list[JSON], options: tuple[str, ...]) -> None:
    """A status that changes between kubectl's two looks is a difference to it as well."""
    eventually("no difference", lambda: place.kubectl.differences(files, *options) == "")


def versions(place: Namespace) -> list[tuple[str, JSON]]:
    found = [place.read(kind, "web") for kind in ("Deployment", "Service")]
    return [(one["metadata"]["annotations"].get(names.ORIGIN, ""), one["spec"]) for one in found]


def test_another_number_is_a_wish_and_no_pod(
    held: Namespace, request: pytest.FixtureRequest
) -> None:
    files = [{**FILES[0], "spec": {**FILES[0]["spec"], "replicas": 5}}, FILES[1]]
    held.kubectl.apply(files, *way(request))
    found = held.read("Deployment", "web")
    assert found["metadata"]["annotations"][names.REPLICAS] == "5"
    assert found["spec"]["replicas"] == 0
    unchanged(held, files, way(request))


def test_another_selector_waits_for_the_way_back(
    held: Namespace, request: pytest.FixtureRequest
) -> None:
    wanted = {"app": "web", "track": "blue"}
    files = [FILES[0], {**FILES[1], "spec": {**FILES[1]["spec"], "selector": wanted}}]
    held.kubectl.apply(files, *way(request))
    assert held.read("Service", "web")["spec"]["selector"] == ROUTE["selector"]
    back = Agent(held).says("service", route=None)["spec"]
    assert back["selector"] == wanted
    assert [port["targetPort"] for port in back["ports"]] == [8080, "other"]


def test_leaving_gives_all_back(held: Namespace) -> None:
    agent = Agent(held)
    agent.says("deployment", scale="3")
    found = agent.says("deployment", scale=None, replicas=None)
    assert names.ROLE not in found["spec"]["template"]["metadata"]["labels"]
    service = agent.says("service", route=None)
    assert service["spec"]["selector"] == {"app": "web"}
    left = service["metadata"].get("annotations", {})
    assert not [key for key in left if key.startswith(names.PREFIX)]


@pytest.mark.parametrize(
    "command",
    [
        ("annotate", "deployment/web", f"{names.SCALE}-", f"{names.REPLICAS}-"),
        ("annotate", "deployment/web", f"{names.SCALE}=7", f"{names.HOLD}=x", "--overwrite"),
        ("annotate", "service/web", f"{names.ROUTE}-", f"{names.ORIGIN}-"),
    ],
)
def test_our_annotations_are_the_agents_alone(
    enrolled: Namespace, command: tuple[str, ...]
) -> None:
    enrolled.kubectl.apply(FILES)
    Agent(enrolled).says("deployment", scale="0")
    Agent(enrolled).says("service", route=json.dumps(ROUTE))
    before = versions(enrolled)
    enrolled.kubectl(*command)
    assert versions(enrolled) == before


def test_a_user_cannot_create_with_our_annotations(enrolled: Namespace) -> None:
    metadata = {**FILES[0]["metadata"], "annotations": {names.SCALE: "0", "team": "shop"}}
    enrolled.kubectl.apply([{**FILES[0], "metadata": metadata}])
    found = enrolled.read("Deployment", "web")
    assert names.SCALE not in found["metadata"]["annotations"]
    assert found["spec"]["replicas"] == 3


def test_a_hold_pauses_and_its_end_unpauses(enrolled: Namespace) -> None:
    enrolled.kubectl.apply(FILES)
    agent = Agent(enrolled)
    assert agent.says("deployment", hold="adopting")["spec"]["paused"] is True
    said = enrolled.kubectl.say("set", "env", "deployment/web", "NEW=1")
    assert "being adopted" in said.errors
    assert "paused" not in agent.says("deployment", hold=None)["spec"]


def test_a_new_version_tells_how_to_wait_for_it(held: Namespace) -> None:
    said = held.kubectl.say("set", "env", "deployment/web", "NEW=1")
    assert f"kubectl wait canary/web -n {held.name} --for=jsonpath=" in said.errors


def test_undo_keeps_the_number_that_was_scaled(enrolled: Namespace) -> None:
    enrolled.kubectl.apply(FILES)
    revisions(enrolled, 1)
    Agent(enrolled).says("deployment", scale="0")
    revisions(enrolled, 2)
    enrolled.kubectl.apply([{**FILES[0], "spec": {**FILES[0]["spec"], "replicas": 5}}])
    enrolled.kubectl("set", "env", "deployment/web", "NEW=1")
    revisions(enrolled, 3)
    enrolled.kubectl("rollout", "undo", "deployment/web")
    found = enrolled.read("Deployment", "web")
    assert found["metadata"]["annotations"][names.REPLICAS] == "5"
    assert found["spec"]["replicas"] == 0


def revisions(place: Namespace, count: int) -> None:
    """Wait until the Deployment has so many; the agent's mark on the template made one."""
    eventually("its revisions", lambda: len(place.list("ReplicaSet", "app=web")) == count)


@pytest.mark.parametrize("words", [("apply", "-f", "-"), ("apply", "--server-side", "-f", "-")])
def test_a_dry_run_changes_nothing(enrolled: Namespace, words: tuple[str, ...]) -> None:
    enrolled.kubectl.apply(FILES)
    Agent(enrolled).says("deployment", scale="0")
    before = marks(enrolled)
    changed = {**FILES[0], "spec": {**FILES[0]["spec"], "replicas": 9}}
    options = ("--dry-run=server", "--force-conflicts") if len(words) > 3 else ("--dry-run=server",)
    said = enrolled.kubectl(*words, *options, "-o", "json", stdin=yaml.safe_dump(changed))
    assert json.loads(said)["metadata"]["annotations"][names.REPLICAS] == "9"
    assert marks(enrolled) == before


def marks(place: Namespace) -> tuple[int, str]:
    """What changes with any change of a spec or of ours."""
    metadata = place.read("Deployment", "web")["metadata"]
    return metadata["generation"], metadata["annotations"][names.REPLICAS]


def test_a_canary_that_cannot_be_done_is_refused(enrolled: Namespace) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"targetRef": target, "provider": "knative", "skipAnalysis": True}
    canary = {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "web"},
        "spec": spec,
    }
    said = enrolled.kubectl.attempt("apply", "-f", "-", stdin=yaml.safe_dump(canary))
    assert said.status != 0
    assert "spec.provider: knative does not fit" in said.errors


def test_the_registration_is_put_right(cluster: None) -> None:
    system = Kubectl(SYSTEM)
    kind = "mutatingwebhookconfiguration"
    change = '[{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 2}]'
    system("patch", kind, WEBHOOK, "--type=json", "-p", change)
    eventually("it is as it was", lambda: timeout(system, kind) == 3, timeout=15)


def timeout(system: Kubectl, kind: str) -> int:
    found: int = system.json("get", kind, WEBHOOK)["webhooks"][0]["timeoutSeconds"]
    return found


@pytest.mark.alone
def test_deploys_go_through_while_the_webhook_is_dead(enrolled: Namespace) -> None:
    enrolled.kubectl.apply(FILES)
    pods = ("pods", "-l", f"app.kubernetes.io/name={WEBHOOK}")
    Kubectl(SYSTEM)("delete", *pods, "--force", "--grace-period=0", "--wait=false")
    for number in range(5):
        enrolled.kubectl("set", "env", "deployment/web", f"NUMBER={number}", timeout=15)
    Kubectl(SYSTEM)("rollout", "status", f"deployment/{WEBHOOK}", "--timeout=60s", timeout=70)
    eventually("admission acts again", lambda: admission_acts(enrolled))


def admission_acts(place: Namespace) -> bool:
    found = Agent(place).says("deployment", scale="0")
    return bool(found["spec"]["replicas"] == 0)
