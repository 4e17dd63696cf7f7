"""The node's programs and their command lines, in the order in which they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lab import build, pki
from lab.configs import BURST, QPS
from lab.layout import (
    API_PORT,
    CLUSTER_DOMAIN,
    NODE,
    NODE_ADDRESS,
    SERVICE_RANGE,
    Layout,
)

ETCD = "http://127.0.0.1:2379"
Command = tuple[str, ...]


def etcd(layout: Layout) -> Command:
    """The data live as long as the lab does: no disk has to be waited for."""
    return (
        str(build.program(layout, "etcd")),
        "--name=lab",
        f"--data-dir={layout.disk}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=lab=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
    )


def containerd(layout: Layout) -> Command:
    return ("containerd", f"--config={layout.config}/containerd.toml")


def kube_apiserver(layout: Layout) -> Command:
    own = layout.pki
    return (
        str(build.program(layout, "kube-apiserver")),
        f"--advertise-address={NODE_ADDRESS}",
        "--bind-address=0.0.0.0",
        f"--secure-port={API_PORT}",
        f"--etcd-servers={ETCD}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={own}/ca.crt",
        f"--tls-cert-file={own}/apiserver.crt",
        f"--tls-private-key-file={own}/apiserver.key",
        f"--kubelet-certificate-authority={own}/ca.crt",
        f"--kubelet-client-certificate={own}/apiserver-kubelet.crt",
        f"--kubelet-client-key={own}/apiserver-kubelet.key",
        # Otherwise logs and exec would look the node's name up in DNS.
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={own}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={own}/front-proxy.crt",
        f"--proxy-client-key-file={own}/front-proxy.key",
        f"--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
        f"--service-account-key-file={own}/service-accounts.crt",
        f"--service-account-signing-key-file={own}/service-accounts.key",
        "--event-ttl=1h",
    )


def kube_controller_manager(layout: Layout) -> Command:
    own, config = layout.pki, pki.kubeconfig(layout, "kube-controller-manager")
    return (
        str(build.program(layout, "kube-controller-manager")),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={own}/service-accounts.key",
        f"--root-ca-file={own}/ca.crt",
        f"--cluster-signing-cert-file={own}/ca.crt",
        f"--cluster-signing-key-file={own}/ca.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--kube-api-qps={QPS}",
        f"--kube-api-burst={BURST}",
    )


def kube_scheduler(layout: Layout) -> Command:
    config = pki.kubeconfig(layout, "kube-scheduler")
    return (
        str(build.program(layout, "kube-scheduler")),
        f"--config={layout.config}/kube-scheduler.yaml",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
    )


def kubelet(layout: Layout) -> Command:
    return (
        str(build.program(layout, "kubelet")),
        f"--config={layout.config}/kubelet.yaml",
        f"--kubeconfig={pki.kubeconfig(layout, 'kubelet')}",
        f"--root-dir={layout.node}/kubelet",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
    )


def kube_proxy(layout: Layout) -> Command:
    return (
        str(build.program(layout, "kube-proxy")),
        f"--config={layout.config}/kube-proxy.yaml",
    )


def coredns(layout: Layout) -> Command:
    return (str(build.program(layout, "coredns")), "-conf", str(layout.config / "Corefile"))


def registry(layout: Layout) -> Command:
    """Images as other clusters get them: nothing starts it but `push`, or whoever asks for it."""
    config = str(layout.config / "registry.yaml")
    return (str(build.program(layout, "registry")), "serve", config)


# The first three stand on nothing; the others want an API server that answers.
FIRST: Mapping[str, Callable[[Layout], Command]] = {
    "etcd": etcd,
    "containerd": containerd,
    "kube-apiserver": kube_apiserver,
}
SECOND: Mapping[str, Callable[[Layout], Command]] = {
    "kube-controller-manager": kube_controller_manager,
    "kubelet": kubelet,
    "kube-scheduler": kube_scheduler,
    "kube-proxy": kube_proxy,
    "coredns": coredns,
}
ALWAYS: Mapping[str, Callable[[Layout], Command]] = {**FIRST, **SECOND}
PROGRAMS: Mapping[str, Callable[[Layout], Command]] = {**ALWAYS, "registry": registry}


def log_of(layout: Layout, name: str) -> Path:
    return layout.logs / f"{name}.log"
