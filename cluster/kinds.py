"""The kinds that Outrider reads or writes, and where the API serves them."""

from dataclasses import dataclass

from delivery.obstacles import drivers


class UnknownKind(KeyError):
    """A kind that is not in the table; the message lists those that are."""


@dataclass(frozen=True)
class Kind:
    """One kind: its apiVersion, its plural in the URL, and whether it lives in a namespace."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of one object, of a namespace's collection, or of the whole collection."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [root + self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/".join(parts)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("v1", "Namespace", "namespaces", namespaced=False),
        Kind("v1", "ConfigMap", "configmaps"),
        Kind("v1", "Event", "events"),
        Kind("v1", "LimitRange", "limitranges"),
        Kind("v1", "Pod", "pods"),
        Kind("v1", "PodTemplate", "podtemplates"),
        Kind("v1", "ResourceQuota", "resourcequotas"),
        Kind("v1", "Secret", "secrets"),
        Kind("v1", "Service", "services"),
        Kind("v1", "ServiceAccount", "serviceaccounts"),
        Kind("apps/v1", "Deployment", "deployments"),
        Kind("apps/v1", "ReplicaSet", "replicasets"),
        Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        Kind("coordination.k8s.io/v1", "Lease", "leases"),
        Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
        Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
        Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False),
        Kind("rbac.authorization.k8s.io/v1", "Role", "roles"),
        Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
        Kind(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            namespaced=False,
        ),
        Kind(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            namespaced=False,
        ),
        Kind("gateway.networking.k8s.io/v1", "GRPCRoute", "grpcroutes"),
        Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
        Kind("networking.istio.io/v1beta1", "DestinationRule", "destinationrules"),
        Kind("networking.istio.io/v1beta1", "VirtualService", "virtualservices"),
        Kind("flagger.app/v1beta1", "Canary", "canaries"),
        Kind("flagger.app/v1beta1", "MetricTemplate", "metrictemplates"),
        Kind("flagger.app/v1beta1", "AlertProvider", "alertproviders"),
    )
}

FOREIGN = {
    drivers.ARGO: (Kind("argoproj.io/v1alpha1", "Rollout", "rollouts"),),
    drivers.KRUISE: (
        Kind("rollouts.kruise.io/v1beta1", "Rollout", "rollouts"),
        Kind("rollouts.kruise.io/v1alpha1", "Rollout", "rollouts"),
    ),
    drivers.KEDA: (Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),),
}
"""Kinds of other projects that may not be installed, each with its versions, the newest first."""


def kind_of(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(f"kind {name!r} is not one of {', '.join(sorted(KINDS))}") from None
