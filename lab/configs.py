"""The configuration files of the node's programs, written anew at each fresh start."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lab import pki
from lab.layout import (
    CLUSTER_DOMAIN,
    DNS_SERVICE_ADDRESS,
    NODE,
    NODE_ADDRESS,
    POD_RANGE,
    REGISTRY,
    Layout,
)

PAUSE_IMAGE = "localhost/outrider/pause:lab"
CNI_PLUGINS = "/usr/lib/cni"
DNS_READY = "127.0.0.1:8181"
# The programs' own limits would be what a busy test suite measures.
QPS, BURST = 200, 400

Document = Mapping[str, object]


def write(layout: Layout, snapshotter: str) -> None:
    texts = {
        "containerd.toml": containerd(layout, snapshotter),
        "cni/10-lab.conflist": json.dumps(cni(layout), indent=1),
        "kubelet.yaml": json.dumps(kubelet(layout), indent=1),
        "kube-proxy.yaml": json.dumps(kube_proxy(layout), indent=1),
        "kube-scheduler.yaml": json.dumps(kube_scheduler(layout), indent=1),
        "Corefile": corefile(layout),
        "registry.yaml": json.dumps(registry(layout), indent=1),
        f"certs.d/{REGISTRY}/hosts.toml": hosts(f"http://{REGISTRY}"),
        # Official images come through it as through a company's mirror: there is no other way here.
        "certs.d/docker.io/hosts.toml": hosts("https://registry-1.docker.io"),
    }
    for name, text in texts.items():
        path = layout.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def containerd(layout: Layout, snapshotter: str) -> str:
    """Nothing of it in the usual places: the machine's own containerd is left alone."""
    return f"""version = 2
root = "{layout.node}/containerd"
state = "{layout.short}/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "{layout.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{layout.short}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  # A negative score is refused where the lab itself runs in a sandbox, and runc dies of it.
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  # As Docker does by default, and as users' images expect.
  enable_unprivileged_ports = true
  registry = {{ config_path = "{layout.config}/certs.d" }}

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{layout.config}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{layout.short}/runc"
        SystemdCgroup = false
"""


def hosts(server: str) -> str:
    """Where containerd asks for images of one registry: ours first, without TLS."""
    ours = f'[host."http://{REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n'
    return f'server = "{server}"\n\n{ours}'


def registry(layout: Layout) -> Document:
    return {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": f"{layout.node}/registry"}},
        "http": {"addr": REGISTRY},
    }


def cni(layout: Layout) -> Document:
    """A routed veth for each pod: unlike a bridge it needs no br_netfilter to reach Services."""
    addresses = {
        "type": "host-local",
        "dataDir": f"{layout.short}/addresses",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": layout.name, "plugins": [plugin]}


def kubelet(layout: Layout) -> Document:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
            "webhook": {"enabled": True},
            "anonymous": {"enabled": False},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(layout.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        "clusterDNS": [DNS_SERVICE_ADDRESS],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": "",
        "podLogsDir": f"{layout.node}/pods",
        "volumePluginDir": f"{layout.node}/volume-plugins",
        "maxPods": 250,
        "serializeImagePulls": False,
        "syncFrequency": "10s",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        # 100 means: images are never collected; nothing could pull them again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "eventRecordQPS": 0,
        "registryPullQPS": 0,
        # Images come to the node behind the kubelet's back: nobody's right to them is in question.
        "imagePullCredentialsVerificationPolicy": "NeverVerify",
        "kubeAPIQPS": QPS,
        "kubeAPIBurst": BURST,
    }


def kube_proxy(layout: Layout) -> Document:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": _client(layout, "kube-proxy"),
        "hostnameOverride": NODE,
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "oomScoreAdj": 0,
        # These limits are the whole machine's, not the namespace's: they stay as they are.
        "conntrack": {
            "maxPerCore": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def kube_scheduler(layout: Layout) -> Document:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": _client(layout, "kube-scheduler"),
        "leaderElection": {"leaderElect": False},
    }


def _client(layout: Layout, name: str) -> Document:
    return {"kubeconfig": str(pki.kubeconfig(layout, name)), "qps": QPS, "burst": BURST}


def corefile(layout: Layout) -> str:
    """Nothing is cached, so that a test sees a change at once; other names do not exist here."""
    return f"""{CLUSTER_DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind {NODE_ADDRESS}
    errors
    ready {DNS_READY}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {pki.kubeconfig(layout, "coredns")} lab
        pods insecure
    }}
}}

.:53 {{
    bind {NODE_ADDRESS}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def dns_objects() -> list[Document]:
    """CoreDNS is a plain process of the node: its Service gets its endpoint by hand."""
    place = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    service: Document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": place,
        "spec": {"clusterIP": DNS_SERVICE_ADDRESS, "ports": ports},
    }
    endpoints: Document = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**place, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NODE_ADDRESS]}],
        "ports": ports,
    }
    return [service, endpoints]
