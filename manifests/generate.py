"""Writes the CRDs from the models: `python -m manifests.generate`, `--print` to look only."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from delivery.api.alert_provider import AlertProvider
from delivery.api.canary import Canary
from delivery.api.metric_template import MetricTemplate
from delivery.names import GROUP
from manifests.structural import structural

CRDS = Path(__file__).parent / "crds"
MADE = "# Generated from delivery/api by `python -m manifests.generate`; edit the models instead.\n"


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; wide ones show with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False

    def manifest(self) -> dict[str, Any]:
        shown = {"name": self.name, "type": self.type, "jsonPath": self.path}
        return {**shown, "priority": 1} if self.wide else shown


@dataclass(frozen=True)
class Kind:
    """A resource of the group: its model and its columns."""

    model: type[BaseModel]
    plural: str
    columns: tuple[Column, ...]


KINDS = (
    Kind(
        Canary,
        "canaries",
        (
            Column("Status", ".status.phase"),
            Column("Weight", ".status.canaryWeight"),
            Column("Suspended", ".spec.suspend", "boolean", wide=True),
            Column("FailedChecks", ".status.failedChecks", wide=True),
            Column("Interval", ".spec.analysis.interval", wide=True),
            Column("Mirror", ".spec.analysis.mirror", "boolean", wide=True),
            Column("StepWeight", ".spec.analysis.stepWeight", wide=True),
            Column("StepWeights", ".spec.analysis.stepWeights", wide=True),
            Column("MaxWeight", ".spec.analysis.maxWeight", wide=True),
            Column("LastTransitionTime", ".status.lastTransitionTime"),
        ),
    ),
    Kind(MetricTemplate, "metrictemplates", (Column("Provider", ".spec.provider.type"),)),
    Kind(AlertProvider, "alertproviders", (Column("Type", ".spec.type"),)),
)
"""Names and columns as Flagger has them (reference, 1.1, 1.6 and 1.7)."""


def definition(kind: Kind) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "names": naming(kind),
            "scope": "Namespaced",
            "versions": [version(kind)],
        },
    }


def naming(kind: Kind) -> dict[str, Any]:
    name = kind.model.__name__
    return {
        "kind": name,
        "listKind": f"{name}List",
        "plural": kind.plural,
        "singular": name.lower(),
        "categories": ["all"],
    }


def version(kind: Kind) -> dict[str, Any]:
    return {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.manifest() for column in kind.columns],
        "schema": {"openAPIV3Schema": structural(kind.model)},
    }


def files() -> dict[str, str]:
    """The text of each file in `crds`, by its name."""
    written = {f"{kind.plural}.yaml": text(definition(kind)) for kind in KINDS}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(written),
    }
    return {**written, "kustomization.yaml": text(kustomization)}


class Plain(yaml.SafeDumper):
    """YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text(manifest: dict[str, Any]) -> str:
    return MADE + yaml.dump(manifest, Dumper=Plain, sort_keys=False, width=100)


def stale() -> Iterator[str]:
    """Files in `crds` that are not what the models give."""
    for name, wanted in files().items():
        path = CRDS / name
        if not path.exists() or path.read_text() != wanted:
            yield name


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the CRDs, write nothing")
    if parser.parse_args(arguments).print:
        sys.stdout.write("---\n".join(text(definition(kind)) for kind in KINDS))
        return
    CRDS.mkdir(exist_ok=True)
    for name, wanted in files().items():
        (CRDS / name).write_text(wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
