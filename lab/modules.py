"""The Go modules that the lab's programs are built from; one more program is one more line here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.layout import KUBERNETES_VERSION

FOLDER = Path(__file__).parent / "go"


def _version_flags(version: str) -> str:
    """Without these the programs of a module build call themselves v0.0.0-master."""
    major, minor, _ = version.split(".")
    facts = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {place}.{k}={v}" for place in packages for k, v in facts.items())


@dataclass(frozen=True)
class GoModule:
    """One module of ours and the programs in it; their dependencies clash, so each has its own."""

    name: str
    packages: Mapping[str, str]
    linker: str = ""
    wanted_by_up: bool = True

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def flags(self) -> tuple[str, ...]:
        return ("-trimpath", "-ldflags", f"-s -w {self.linker}".strip())

    @property
    def key(self) -> str:
        """What decides the programs' content: versions, checksums, flags and our own source."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.name in {"go.mod", "go.sum", "main.go"}:
                digest.update(path.name.encode() + path.read_bytes())
        digest.update("\0".join((*self.flags, *self.packages.values())).encode())
        return digest.hexdigest()[:16]


MODULES: Mapping[str, GoModule] = {
    "kubernetes": GoModule(
        "kubernetes",
        {
            program: f"k8s.io/kubernetes/cmd/{program}"
            for program in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kube-proxy",
                "kubelet",
                "kubectl",
            )
        },
        linker=_version_flags(KUBERNETES_VERSION),
    ),
    "etcd": GoModule("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    "coredns": GoModule("coredns", {"coredns": "github.com/coredns/coredns"}),
    "pause": GoModule("pause", {"pause": "outrider.dev/lab/pause"}),
    "helm": GoModule("helm", {"helm": "helm.sh/helm/v3/cmd/helm"}, wanted_by_up=False),
    "registry": GoModule(
        "registry",
        {"registry": "github.com/distribution/distribution/v3/cmd/registry"},
        wanted_by_up=False,
    ),
}
