"""What a namespace gets with the label: its agent and its routers, as manifests."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from delivery import names
from delivery.programs import Programs, Size
from delivery.routers import bootstrap
from delivery.routers.drain import DRAIN, GRACE_SECONDS
from delivery.routers.mutual import TLS_FOLDER

Manifest = Mapping[str, Any]

NAME = "app.kubernetes.io/name"
APPLIED = "outrider.dev/applied"
"""On what we made: the hash of the manifest, so that a field which left it is noticed."""
ENROLLED = ("true", "selected")
"""Values of the namespace's label: all eligible Deployments, or those annotated."""
USER = 65532
ENVOY_FLAGS = (
    *("--config-path", f"{bootstrap.CONFIG_FOLDER}/{bootstrap.ENVOY}"),
    *("--service-node", "$(POD_NAME)"),
    *("--log-level", "warning"),
    *("--concurrency", "2"),
    "--disable-hot-restart",
    *("--drain-strategy", "immediate"),
)


def enrolled(namespace: Manifest, label: str = names.ENABLED) -> bool:
    """Whether a namespace asks for Outrider and is not on its way out."""
    metadata = namespace["metadata"]
    asks = (metadata.get("labels") or {}).get(label) in ENROLLED
    return asks and not metadata.get("deletionTimestamp")


def namespace_parts(
    namespace: str, programs: Programs, *, open_statistics: bool = False
) -> tuple[Manifest, ...]:
    """In the order in which they are needed; made again by server-side apply, they are equal.

    `open_statistics`: whether the routers show them to whoever reaches their pods.
    """
    around = bootstrap.Surroundings(ipv6=programs.ipv6, open_statistics=open_statistics)
    config = {
        name: json.dumps(content, sort_keys=True)
        for name, content in bootstrap.files(namespace, around).items()
    }
    parts = (
        part("v1", "ServiceAccount", names.AGENT),
        binding(namespace),
        agent_service(),
        agent_policy(),
        agent(programs),
        part("v1", "ConfigMap", names.ROUTER, data=config),
        router_budget(),
        router(programs, digest(json.dumps(config, sort_keys=True))),
    )
    return tuple(placed(one, namespace) for one in parts)


def startable(manifest: Manifest, agents: Manifest | None) -> bool:
    """Whether what a new part needs in order to run is there.

    Agents are ready when they have made the certificates. A router that begins sooner waits for
    them ever longer between two looks of the kubelet, and fills the events with it.
    """
    if (manifest["kind"], manifest["metadata"]["name"]) != ("Deployment", names.ROUTER):
        return True
    return bool(((agents or {}).get("status") or {}).get("readyReplicas"))


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def part(api_version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
    labels = {NAME: name, names.MANAGED_BY: names.OUTRIDER}
    metadata = {"name": name, "labels": labels, "annotations": {}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def owned(manifest: Manifest, uid: str) -> Manifest:
    """Tied to the agent's Deployment: when that goes, Kubernetes clears the rest away."""
    if (manifest["kind"], manifest["metadata"]["name"]) == ("Deployment", names.AGENT):
        return manifest
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.AGENT, "uid": uid}
    metadata = {**manifest["metadata"], "ownerReferences": [owner]}
    return {**manifest, "metadata": metadata}


def placed(manifest: Manifest, namespace: str) -> Manifest:
    """The manifest in its namespace, with its own hash."""
    marks = {APPLIED: digest(json.dumps(manifest, sort_keys=True))}
    if manifest["kind"] == "Deployment":
        # What releases others is not released by itself.
        marks[names.ENABLED] = "false"
    metadata = {**manifest["metadata"], "namespace": namespace, "annotations": marks}
    return {**manifest, "metadata": metadata}


def binding(namespace: str) -> dict[str, Any]:
    """The ClusterRole's rights, in this namespace only."""
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": names.AGENT, "namespace": namespace}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": names.AGENT}
    return part(f"{group}/v1", "RoleBinding", names.AGENT, subjects=[subject], roleRef=role)


def agent_service() -> dict[str, Any]:
    """Headless: each router sees every agent, and holds on to one."""
    port = {"name": "grpc-xds", "port": names.XDS_PORT, "targetPort": names.XDS_PORT}
    spec = {"clusterIP": "None", "selector": {NAME: names.AGENT}, "ports": [port]}
    return part("v1", "Service", names.AGENT, spec=spec)


def agent_policy() -> dict[str, Any]:
    """Routers alone reach the agents' xDS; probes and metrics stay open.

    There is none for the routers: as policies only ever add, one that closes their statistics to
    strangers would open the apps' ports to callers that the user's own policies refuse.
    """
    routers = [{"podSelector": {"matchLabels": {NAME: names.ROUTER}}}]
    ingress = [
        {"from": routers, "ports": [{"port": names.XDS_PORT}]},
        {"ports": [{"port": names.AGENT_HTTP_PORT}]},
    ]
    selector = {"matchLabels": {NAME: names.AGENT}}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress}
    return part("networking.k8s.io/v1", "NetworkPolicy", names.AGENT, spec=spec)


def agent(programs: Programs) -> dict[str, Any]:
    container = {
        **contained("agent", programs.agent, programs.agent_size),
        "env": [
            env("NAMESPACE", "metadata.namespace"),
            env("POD_NAME", "metadata.name"),
            env("POD_IPS", "status.podIPs"),
            {"name": "OPT_IN_LABEL", "value": programs.label},
            *installed(programs),
        ],
        "ports": [
            {"name": "http", "containerPort": names.AGENT_HTTP_PORT},
            {"name": "grpc-xds", "containerPort": names.XDS_PORT},
        ],
        # Slow to start is not dead: killed for it on a busy node, it would never come up.
        "startupProbe": probe(
            "/healthz", names.AGENT_HTTP_PORT, periodSeconds=1, failureThreshold=120
        ),
        "livenessProbe": probe(
            "/healthz", names.AGENT_HTTP_PORT, periodSeconds=10, timeoutSeconds=5
        ),
        "readinessProbe": probe("/readyz", names.AGENT_HTTP_PORT, periodSeconds=2),
    }
    pod = {"serviceAccountName": names.AGENT, "containers": [container]}
    return deployment(names.AGENT, {**pod, **way_in(programs)}, {})


def installed(programs: Programs) -> Iterator[dict[str, str]]:
    """What the installation says to all agents; unsaid, it is not there, and no pod changes."""
    said = {
        "CLUSTER_NAME": programs.cluster,
        "EVENT_WEBHOOK_URL": programs.event_webhook,
        "ALERTS": programs.alerts,
    }
    return ({"name": name, "value": value} for name, value in said.items() if value)


def router(programs: Programs, config: str) -> dict[str, Any]:
    """Envoy and nothing else in the pod: no token, no process of ours."""
    container = {
        **contained("envoy", programs.router, programs.router_size),
        "command": ["envoy"],
        "args": list(ENVOY_FLAGS),
        "env": [env("POD_NAME", "metadata.name")],
        "ports": [{"name": "https-stats", "containerPort": names.ROUTER_STATS_PORT}],
        # Ready soon, unready late: all routers of a starved node may be slow at once, and a
        # Service without one refuses everybody. Who leaves or dies is noticed without a probe.
        "readinessProbe": probe(
            "/ready",
            names.ROUTER_OPEN_PORT,
            periodSeconds=1,
            timeoutSeconds=5,
            failureThreshold=5,
        ),
        "lifecycle": {"preStop": {"exec": {"command": ["bash", "-c", DRAIN]}}},
        "volumeMounts": [
            {"name": "config", "mountPath": bootstrap.CONFIG_FOLDER, "readOnly": True},
            {"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True},
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": names.ROUTER}}, certificates()],
    }
    # A router reads its bootstrap once: another one makes other pods.
    pod |= way_in(programs)
    return deployment(names.ROUTER, pod, {"outrider.dev/bootstrap": config})


def certificates() -> dict[str, Any]:
    """A router's own certificate and whose to believe; what signs either is not in its pod.

    The agents make both Secrets.
    """
    sources = [
        chosen(names.ROUTER_TLS, names.CERTIFICATE, names.KEY),
        chosen(names.AGENT_TLS, names.AUTHORITIES),
    ]
    return {"name": "tls", "projected": {"sources": sources}}


def chosen(secret: str, *keys: str) -> dict[str, Any]:
    return {"secret": {"name": secret, "items": [{"key": key, "path": key} for key in keys]}}


def way_in(programs: Programs) -> dict[str, Any]:
    """What a pod needs to be pulled and scheduled here, where the installation names it."""
    secrets = [{"name": name} for name in programs.pull_secrets]
    said = {"imagePullSecrets": secrets, "priorityClassName": programs.priority_class}
    return {key: value for key, value in said.items() if value}


MESHLESS = {"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}
"""On our own pods: what routes and who decides must not wait for a mesh, nor be wrapped by one."""


def router_budget() -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {NAME: names.ROUTER}}}
    return part("policy/v1", "PodDisruptionBudget", names.ROUTER, spec=spec)


def deployment(name: str, pod: Manifest, annotations: Mapping[str, str]) -> dict[str, Any]:
    """Two replicas, apart where there is room, never fewer during an update."""
    selector = {NAME: name}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": selector}}
    apart = [{"weight": 100, "podAffinityTerm": term}]
    affinity = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": apart}}
    metadata = {
        "labels": {**selector, names.MANAGED_BY: names.OUTRIDER, **MESHLESS},
        "annotations": dict(annotations),
    }
    identity = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": selector},
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": metadata if annotations else {"labels": metadata["labels"]},
            "spec": {
                "affinity": affinity,
                "enableServiceLinks": False,
                "securityContext": identity,
                **pod,
            },
        },
    }
    return part("apps/v1", "Deployment", name, spec=spec)


def contained(name: str, image: str, size: Size) -> dict[str, Any]:
    """A container as PodSecurity `restricted` and a quota of requests and limits want it."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": size.manifest(),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def env(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def probe(path: str, port: int, **times: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, **times}
