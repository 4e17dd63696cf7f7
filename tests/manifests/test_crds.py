"""The CRDs: generated, one copy, literal, structural, and taking what Flagger takes."""

import functools
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from delivery.schema import problems
from manifests.generate import CRDS, files, main, stale
from tests.documents import document, documents

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ACCEPTED = sorted((HERE / "accepted").glob("*.yaml"))
REFUSED = sorted((HERE / "refused").glob("*.yaml"))
NAMES = ("alertproviders", "canaries", "metrictemplates")


@functools.cache
def crd(plural: str) -> dict[str, Any]:
    found: dict[str, Any] = document(CRDS / f"{plural}.yaml")
    return found


def version(plural: str) -> dict[str, Any]:
    (only,) = crd(plural)["spec"]["versions"]
    return dict(only)


def schema(plural: str) -> dict[str, Any]:
    return dict(version(plural)["schema"]["openAPIV3Schema"])


def at(plural: str, path: str) -> dict[str, Any]:
    """The schema of a field, as `spec.analysis.metrics[].name`."""
    found = schema(plural)
    for name in path.split("."):
        found = found["properties"][name.removesuffix("[]")]
        found = found["items"] if name.endswith("[]") else found
    return found


def test_the_written_crds_are_what_the_models_give() -> None:
    assert list(stale()) == []
    assert {path.name for path in CRDS.iterdir()} == set(files())


def test_the_generator_prints_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--print"])
    printed = documents(capsys.readouterr().out)
    assert printed == [crd(plural) for plural in ("canaries", "metrictemplates", "alertproviders")]


def tracked() -> Iterator[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    yield from (ROOT / line for line in listed.stdout.splitlines())


def test_each_crd_stands_in_one_place_only() -> None:
    name = re.compile(r"^\s+name: (\w+)\.flagger\.app$", re.MULTILINE)
    texts = [path.read_text() for path in tracked() if path.suffix in (".yaml", ".yml", ".json")]
    copies = [text for text in texts if "CustomResourceDefinition" in text]
    assert sorted(each for text in copies for each in name.findall(text)) == list(NAMES)


def test_kustomize_lists_every_crd() -> None:
    listed = document(CRDS / "kustomization.yaml")["resources"]
    assert listed == [f"{plural}.yaml" for plural in NAMES]


@pytest.mark.parametrize(
    ("plural", "kind"),
    [
        ("canaries", "Canary"),
        ("metrictemplates", "MetricTemplate"),
        ("alertproviders", "AlertProvider"),
    ],
)
def test_names_are_those_of_flagger(plural: str, kind: str) -> None:
    definition = crd(plural)
    assert definition["metadata"] == {
        "name": f"{plural}.flagger.app",
        "annotations": {"helm.sh/resource-policy": "keep"},
    }
    assert definition["spec"]["names"] == {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "categories": ["all"],
    }


@pytest.mark.parametrize("plural", NAMES)
def test_one_version_is_served_and_stored_with_a_status_of_its_own(plural: str) -> None:
    assert crd(plural)["spec"]["scope"] == "Namespaced"
    only = version(plural)
    assert (only["name"], only["served"], only["storage"]) == ("v1beta1", True, True)
    assert only["subresources"] == {"status": {}}


@pytest.mark.parametrize(
    ("plural", "columns"),
    [
        (
            "canaries",
            [
                ("Status", ".status.phase", "string", 0),
                ("Weight", ".status.canaryWeight", "string", 0),
                ("Suspended", ".spec.suspend", "boolean", 1),
                ("FailedChecks", ".status.failedChecks", "string", 1),
                ("Interval", ".spec.analysis.interval", "string", 1),
                ("Mirror", ".spec.analysis.mirror", "boolean", 1),
                ("StepWeight", ".spec.analysis.stepWeight", "string", 1),
                ("StepWeights", ".spec.analysis.stepWeights", "string", 1),
                ("MaxWeight", ".spec.analysis.maxWeight", "string", 1),
                ("LastTransitionTime", ".status.lastTransitionTime", "string", 0),
            ],
        ),
        ("metrictemplates", [("Provider", ".spec.provider.type", "string", 0)]),
        ("alertproviders", [("Type", ".spec.type", "string", 0)]),
    ],
)
def test_columns_are_those_of_flagger(plural: str, columns: list[tuple[str, ...]]) -> None:
    shown = version(plural)["additionalPrinterColumns"]
    assert [(c["name"], c["jsonPath"], c["type"], c.get("priority", 0)) for c in shown] == columns


@pytest.mark.parametrize(
    ("plural", "path", "expected"),
    [
        ("canaries", "spec.targetRef", {"required": ["apiVersion", "kind", "name"]}),
        ("canaries", "spec.targetRef.kind", {"enum": ["DaemonSet", "Deployment", "Service"]}),
        ("canaries", "spec.service", {"required": ["port"]}),
        ("canaries", "spec.service.targetPort", {"x-kubernetes-int-or-string": True}),
        ("canaries", "spec.service.gatewayRefs", {"maxItems": 32}),
        ("canaries", "spec.service.gatewayRefs[].kind", {"default": "Gateway"}),
        ("canaries", "spec.service.mirror[].backendRef.group", {"default": ""}),
        ("canaries", "spec.service.mirror[].backendRef.kind", {"default": "Service"}),
        ("canaries", "spec.ingressRef.kind", {"enum": ["Ingress"]}),
        ("canaries", "spec.analysis.interval", {"pattern": "^[0-9]+(m|s)"}),
        ("canaries", "spec.analysis.metrics[].interval", {"pattern": "^[0-9]+(m|s)"}),
        ("canaries", "spec.analysis.webhooks[].timeout", {"pattern": "^[0-9]+(m|s)"}),
        ("canaries", "spec.analysis.alerts[].severity", {"enum": ["", "info", "warn", "error"]}),
        ("canaries", "spec.analysis.mirrorWeight", {"minimum": 0, "maximum": 100}),
        ("canaries", "spec.analysis.sessionAffinity.maxAge", {"default": 86400}),
        (
            "canaries",
            "spec.analysis",
            {
                "anyOf": [
                    {"required": ["interval", "threshold", "iterations"]},
                    {"required": ["interval", "threshold", "stepWeight"]},
                    {"required": ["interval", "threshold", "stepWeights"]},
                ]
            },
        ),
        ("canaries", "status.lastTransitionTime", {"type": "string", "format": "date-time"}),
        ("canaries", "status.routerPorts", {"additionalProperties": {"type": "integer"}}),
        ("canaries", "status.effective", {"x-kubernetes-preserve-unknown-fields": True}),
        ("metrictemplates", "spec", {"required": ["provider", "query"]}),
        ("metrictemplates", "spec.provider", {"required": ["type"]}),
        (
            "alertproviders",
            "spec.type",
            # Flagger's, and two more.
            {"enum": ["slack", "msteams", "discord", "rocket", "gchat", "pagerduty", "webhook"]},
        ),
        (
            "alertproviders",
            "spec",
            # Flagger refuses both together, which its guide shows.
            {"anyOf": [{"required": ["type", "address"]}, {"required": ["type", "secretRef"]}]},
        ),
    ],
)
def test_a_field_is_constrained_as_in_flagger(
    plural: str, path: str, expected: dict[str, Any]
) -> None:
    found = at(plural, path)
    assert {key: found[key] for key in expected} == expected


def test_the_schema_demands_a_target_but_no_analysis() -> None:
    """A generated Canary has none; validation demands it of all others."""
    assert at("canaries", "spec")["required"] == ["targetRef"]


def test_the_providers_are_flaggers_and_the_embedded_router() -> None:
    known = at("canaries", "spec.provider")["enum"]
    assert len(known) == 20
    assert "envoy" in known


def below(found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, found
    for name, field in found.get("properties", {}).items():
        yield from below(field, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in found:
            yield from below(found[key], f"{path}[]")


KNOWN = {
    *("type", "description", "properties", "required", "items", "additionalProperties"),
    *("enum", "pattern", "format", "default", "oneOf", "anyOf", "minimum", "maximum", "minLength"),
    *("maxItems", "maxProperties"),
    *("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"),
}


@pytest.mark.parametrize("plural", NAMES)
def test_the_schema_is_structural(plural: str) -> None:
    for path, found in below(schema(plural)):
        assert set(found) <= KNOWN, path
        assert "type" in found or "x-kubernetes-int-or-string" in found, path
        assert not {"properties", "additionalProperties"} <= set(found), path


@pytest.mark.parametrize("plural", NAMES)
def test_descriptions_are_short_and_of_our_own(plural: str) -> None:
    for path, found in below(schema(plural)):
        assert len(found.get("description", "")) <= 100, path
        assert "reference" not in found.get("description", ""), path


def errors(manifest: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(schema("canaries")).iter_errors(manifest)
    return [error.message for error in found]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_canaries_in_the_style_of_flaggers_users_are_accepted(path: Path) -> None:
    assert errors(document(path)) == []
    assert problems(document(path)) == ()


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_bad_canaries_are_refused_by_schema_and_validation(path: Path) -> None:
    assert errors(document(path))
    assert problems(document(path))
