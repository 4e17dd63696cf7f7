"""Where everything of a lab stands: paths, names, addresses, derived from the project's folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

NODE = "lab"
NODE_ADDRESS = "198.51.100.10"
NODE_PREFIX = 24
POD_RANGE = "198.18.0.0/22"
SERVICE_RANGE = "198.18.128.0/20"
API_SERVICE_ADDRESS = "198.18.128.1"
DNS_SERVICE_ADDRESS = "198.18.128.10"
CLUSTER_DOMAIN = "cluster.local"
API_PORT = 6443
API_ADDRESS = f"https://{NODE_ADDRESS}:{API_PORT}"
REGISTRY = "127.0.0.1:5000"
KUBERNETES_VERSION = "1.36.3"


@dataclass(frozen=True)
class Layout:
    """The folders and names of one lab; two clones of the project never share one."""

    project: Path
    cache: Path

    @property
    def key(self) -> str:
        """Eight hex digits of the project's path: the part of every name outside of it."""
        return hashlib.sha256(str(self.project).encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """The name of the network namespace, of the cgroup root and of the CNI network."""
        return f"outrider-lab-{self.key}"

    @property
    def state(self) -> Path:
        return self.project / ".lab"

    @property
    def run(self) -> Path:
        """Pid files, the marker of a finished start, and the lock."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def storage(self) -> Path:
        """The layers of built images; a cache, kept by `down`."""
        return self.state / "storage"

    @property
    def disk(self) -> Path:
        """What the node keeps on disk, seen by its programs as `node`."""
        return self.state / "node"

    @property
    def short(self) -> Path:
        """Sockets stand here: a socket's path may have 107 bytes only, wherever the project is."""
        return Path("/run") / self.name

    @property
    def work(self) -> Path:
        """Files of builds under way."""
        return self.state / "work"

    @property
    def node(self) -> Path:
        """`disk`, bound to a short path without special characters."""
        return self.short / "node"

    @property
    def containerd_socket(self) -> Path:
        return self.short / "containerd.sock"

    @property
    def netns(self) -> Path:
        return Path("/run/netns") / self.name

    @property
    def ready(self) -> Path:
        """Written when `up` came to its end: without it the state is not to be trusted."""
        return self.run / "ready"

    @property
    def nsenter(self) -> tuple[str, ...]:
        """`ip netns exec` would not do: it mounts another /sys, which has no cgroups in it."""
        return ("nsenter", f"--net={self.netns}", "--")


def layout_of(project: Path) -> Layout:
    home_cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Layout(project.resolve(), Path(home_cache) / "outrider-lab")


def this_project() -> Layout:
    """The lab of the clone that this very file belongs to."""
    return layout_of(Path(__file__).parents[1])
