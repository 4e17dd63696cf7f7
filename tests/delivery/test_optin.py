import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from delivery import names
from delivery.covering import covers
from delivery.optin import APPLIED, enrolled, namespace_parts, owned, startable
from delivery.programs import ROUTER_SIZE, Programs, Size
from delivery.routers import bootstrap
from delivery.routers.drain import ACTIVE, DRAIN, GRACE_SECONDS, LAST_SECOND

IMAGES = Programs("registry/agent:1", "registry/envoy:1")
PARTS = {(one["kind"], one["metadata"]["name"]): one for one in namespace_parts("shop", IMAGES)}
DEPLOYMENTS = [one for (kind, _), one in PARTS.items() if kind == "Deployment"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)

each_deployment = pytest.mark.parametrize(
    "deployment", DEPLOYMENTS, ids=lambda one: str(one["metadata"]["name"])
)


def pod_of(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def test_the_parts_by_name_in_the_order_they_are_needed() -> None:
    assert list(PARTS) == [
        ("ServiceAccount", "outrider-agent"),
        ("RoleBinding", "outrider-agent"),
        ("Service", "outrider-agent"),
        ("NetworkPolicy", "outrider-agent"),
        ("Deployment", "outrider-agent"),
        ("ConfigMap", "outrider-router"),
        ("PodDisruptionBudget", "outrider-router"),
        ("Deployment", "outrider-router"),
    ]


def test_every_part_is_in_the_namespace_and_marked_as_ours() -> None:
    for one in PARTS.values():
        assert one["metadata"]["namespace"] == "shop"
        assert one["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "outrider"


def test_every_part_but_the_agent_itself_goes_with_the_agent() -> None:
    tied = {name: owned(one, "1-2-3") for name, one in PARTS.items()}
    agent = tied.pop(("Deployment", names.AGENT))
    assert agent == PARTS["Deployment", names.AGENT]
    for one in tied.values():
        (owner,) = one["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("Deployment", names.AGENT, "1-2-3")


def test_the_same_call_makes_the_same_parts() -> None:
    assert namespace_parts("shop", IMAGES) == tuple(PARTS.values())


def test_another_image_is_another_manifest() -> None:
    other = namespace_parts("shop", Programs("registry/agent:2", IMAGES.router))
    before = PARTS["Deployment", names.AGENT]["metadata"]["annotations"][APPLIED]
    assert other[4]["metadata"]["annotations"][APPLIED] != before
    assert other[5:] == namespace_parts("shop", IMAGES)[5:]


def test_the_agents_rights_end_at_its_namespace() -> None:
    binding = PARTS["RoleBinding", names.AGENT]
    assert binding["roleRef"]["name"] == "outrider-agent"
    assert [one["namespace"] for one in binding["subjects"]] == ["shop"]


@each_deployment
def test_a_deployment_of_ours_is_never_adopted(deployment: Mapping[str, Any]) -> None:
    assert deployment["metadata"]["annotations"][names.ENABLED] == "false"


@each_deployment
def test_a_deployment_of_ours_never_runs_short(deployment: Mapping[str, Any]) -> None:
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@each_deployment
def test_a_pod_of_ours_is_restricted(deployment: Mapping[str, Any]) -> None:
    pod = pod_of(deployment)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        said = container["securityContext"]
        assert (said["allowPrivilegeEscalation"], said["readOnlyRootFilesystem"]) == (False, True)
        assert said["capabilities"] == {"drop": ["ALL"]}


@each_deployment
def test_the_selector_selects_the_pods(deployment: Mapping[str, Any]) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert covers(labels, deployment["spec"]["selector"]["matchLabels"])


@each_deployment
def test_a_pod_of_ours_stays_out_of_a_mesh(deployment: Mapping[str, Any]) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["sidecar.istio.io/inject"] == "false"
    assert labels["istio.io/dataplane-mode"] == "none"


def test_the_router_pod_holds_envoy_alone_and_no_token() -> None:
    pod = pod_of(PARTS["Deployment", names.ROUTER])
    assert [one["image"] for one in pod["containers"]] == [IMAGES.router]
    assert pod["automountServiceAccountToken"] is False


def test_the_router_reads_its_bootstrap_and_rolls_with_it() -> None:
    config = PARTS["ConfigMap", names.ROUTER]["data"]
    assert {name: json.loads(text) for name, text in config.items()} == bootstrap.files("shop")
    marks = [
        {one["kind"]: one for one in namespace_parts(name, IMAGES)}["Deployment"]["spec"][
            "template"
        ]["metadata"]["annotations"]
        for name in ("shop", "other")
    ]
    assert marks[0] != marks[1]


@pytest.mark.parametrize(
    ("name", "agents", "expected"),
    [
        (names.AGENT, None, True),
        (names.ROUTER, None, False),
        (names.ROUTER, {}, False),
        (names.ROUTER, {"status": {"readyReplicas": 0}}, False),
        (names.ROUTER, {"status": {"readyReplicas": 1}}, True),
    ],
)
def test_routers_start_when_agents_have_made_their_certificates(
    name: str, agents: Mapping[str, Any] | None, expected: bool
) -> None:
    assert startable(PARTS["Deployment", name], agents) is expected


def test_a_router_gets_its_own_certificate_and_nothing_that_signs() -> None:
    _, certificates = pod_of(PARTS["Deployment", names.ROUTER])["volumes"]
    found = {
        one["secret"]["name"]: [item["key"] for item in one["secret"]["items"]]
        for one in certificates["projected"]["sources"]
    }
    assert found == {names.ROUTER_TLS: ["tls.crt", "tls.key"], names.AGENT_TLS: ["ca.crt"]}


def test_the_kubelet_asks_a_router_where_it_needs_no_certificate() -> None:
    (container,) = pod_of(PARTS["Deployment", names.ROUTER])["containers"]
    asked = container["readinessProbe"]["httpGet"]
    assert (asked["path"], asked["port"]) == ("/ready", names.ROUTER_OPEN_PORT)


def test_only_routers_reach_the_agents_orders_and_everybody_their_metrics() -> None:
    spec = PARTS["NetworkPolicy", names.AGENT]["spec"]
    agents = PARTS["Deployment", names.AGENT]["spec"]["selector"]
    routers = PARTS["Deployment", names.ROUTER]["spec"]["selector"]
    assert spec["podSelector"] == agents
    assert spec["ingress"] == [
        {"from": [{"podSelector": routers}], "ports": [{"port": names.XDS_PORT}]},
        {"ports": [{"port": names.AGENT_HTTP_PORT}]},
    ]


def test_no_policy_of_ours_opens_what_a_users_policy_closes() -> None:
    assert ("NetworkPolicy", names.ROUTER) not in PARTS


def test_the_drain_is_a_script_that_ends_in_time() -> None:
    assert GRACE_SECONDS > LAST_SECOND
    subprocess.run(["bash", "-n", "-c", DRAIN], check=True)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("listener.0.0.0.0_20001.downstream_cx_active:", True),
        ("listener.[__]_29999.downstream_cx_active:", True),
        ("listener.0.0.0.0_19090.downstream_cx_active:", False),
        ("listener.0.0.0.0_20001.worker_0.downstream_cx_active:", False),
        ("listener.admin.downstream_cx_active:", False),
        ("http.20001.downstream_cx_active:", False),
    ],
)
def test_the_drain_waits_for_the_apps_connections(name: str, counts: bool) -> None:
    script = f'case "$1" in {ACTIVE}) exit 0 ;; esac; exit 1'
    assert (subprocess.run(["bash", "-c", script, "bash", name]).returncode == 0) is counts


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"labels": {names.ENABLED: "true"}}, True),
        ({"labels": {names.ENABLED: "selected"}}, True),
        ({"labels": {names.ENABLED: "false"}}, False),
        ({"labels": {}}, False),
        ({}, False),
        ({"labels": {names.ENABLED: "true"}, "deletionTimestamp": "now"}, False),
    ],
)
def test_a_namespace_is_enrolled_by_its_label(metadata: Any, expected: bool) -> None:
    assert enrolled({"metadata": metadata}) is expected


@each_deployment
def test_a_quota_of_requests_and_limits_admits_the_pods(deployment: Mapping[str, Any]) -> None:
    for container in pod_of(deployment)["containers"]:
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}


@each_deployment
def test_unless_they_are_named_pods_have_no_secrets_and_no_class(
    deployment: Mapping[str, Any],
) -> None:
    assert not {"imagePullSecrets", "priorityClassName"} & set(pod_of(deployment))


@pytest.mark.parametrize("image", ["registry:5000/x@sha256:" + "0" * 64, "registry:5000/x:1"])
def test_pods_are_pulled_and_scheduled_as_the_installation_says(image: str) -> None:
    programs = Programs(image, image, ("pull", "other"), "high")
    for one in namespace_parts("shop", programs):
        if one["kind"] == "Deployment":
            pod = pod_of(one)
            assert [container["image"] for container in pod["containers"]] == [image]
            assert pod["imagePullSecrets"] == [{"name": "pull"}, {"name": "other"}]
            assert pod["priorityClassName"] == "high"


def test_an_agent_is_told_the_label_that_opts_in() -> None:
    parts = namespace_parts("shop", Programs("a", "b", label="next.outrider.dev/enabled"))
    (container,) = pod_of(parts[4])["containers"]
    assert {"name": "OPT_IN_LABEL", "value": "next.outrider.dev/enabled"} in container["env"]


def test_a_namespace_may_have_its_routers_show_their_statistics() -> None:
    parts = namespace_parts("shop", IMAGES, open_statistics=True)
    assert "/stats/prometheus" in str(config_of(parts)["static_resources"]["listeners"][0])
    assert parts[7] != PARTS["Deployment", names.ROUTER]
    assert parts[:5] == namespace_parts("shop", IMAGES)[:5]
    closed = config_of(tuple(PARTS.values()))["static_resources"]["listeners"][0]
    assert "/stats/prometheus" not in str(closed)


def config_of(parts: tuple[Mapping[str, Any], ...]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(parts[5]["data"][bootstrap.ENVOY])
    return found


def test_the_installation_says_how_large_both_are() -> None:
    small = Size((("cpu", "1m"),), ())
    parts = namespace_parts("shop", replace(IMAGES, agent_size=small, router_size=ROUTER_SIZE))
    agent, router = (pod_of(parts[index])["containers"][0]["resources"] for index in (4, 7))
    assert agent == {"requests": {"cpu": "1m"}}
    assert router["limits"] == {"cpu": "2", "memory": "1Gi"}
