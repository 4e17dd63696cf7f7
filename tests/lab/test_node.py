"""The node's keys, configuration and programs, as far as they are seen without starting one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cryptography import x509

from lab import configs, pki
from lab.layout import KUBERNETES_VERSION, REGISTRY, Layout, this_project
from lab.modules import MODULES
from lab.programs import PROGRAMS
from lab.registry import official_envoy


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    folder = tmp_path_factory.mktemp("project")
    made = Layout(folder, folder / "cache")
    pki.write(made)
    configs.write(made, "overlayfs")
    return made


def certificate(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("name", [*pki.CLIENTS, *pki.SERVERS])
def test_every_leaf_is_issued_by_the_authority(layout: Layout, name: str) -> None:
    certificate(layout, name).verify_directly_issued_by(certificate(layout, "ca"))


def test_the_aggregation_layer_has_an_authority_of_its_own(layout: Layout) -> None:
    proxy = certificate(layout, "front-proxy")
    proxy.verify_directly_issued_by(certificate(layout, "front-proxy-ca"))
    assert proxy.issuer != certificate(layout, "ca").subject


def test_keys_are_for_the_owner_alone(layout: Layout) -> None:
    secrets = [*layout.pki.glob("*.key"), *layout.pki.glob("*.kubeconfig"), layout.kubeconfig]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}


def test_every_file_that_a_command_line_names_is_written(layout: Layout) -> None:
    words = [word for command in PROGRAMS.values() for word in command(layout)]
    named = {word.rpartition("=")[2] for word in words}
    ours = [Path(n) for n in named if n.startswith((str(layout.pki), str(layout.config)))]
    assert len(ours) > 10
    assert [path for path in ours if not path.exists()] == []


def test_nothing_of_containerd_stands_in_the_machines_own_places(layout: Layout) -> None:
    text = configs.containerd(layout, "native")
    assert "/var/lib/containerd" not in text
    assert '"/run/containerd' not in text


def test_the_kubelet_stays_below_the_labs_cgroup(layout: Layout) -> None:
    assert json.loads((layout.config / "kubelet.yaml").read_text())["cgroupRoot"] == (
        f"/{layout.name}"
    )


def test_all_staging_modules_are_replaced_by_the_release_that_belongs_to_them() -> None:
    text = (MODULES["kubernetes"].folder / "go.mod").read_text()
    replaced = re.findall(r"^\tk8s.io/\S+ => k8s.io/\S+ (\S+)$", text, re.MULTILINE)
    assert f"require k8s.io/kubernetes v{KUBERNETES_VERSION}" in text
    assert replaced == [f"v0.{KUBERNETES_VERSION.partition('.')[2]}"] * 31


def test_each_program_of_the_node_comes_from_one_module() -> None:
    built = [program for module in MODULES.values() for program in module.packages]
    assert len(built) == len(set(built))
    assert set(PROGRAMS) - {"containerd"} <= set(built)


def test_official_images_come_through_the_registry_of_the_node(layout: Layout) -> None:
    for name in (REGISTRY, "docker.io"):
        text = (layout.config / "certs.d" / name / "hosts.toml").read_text()
        assert f'[host."http://{REGISTRY}"]' in text


def test_the_registrys_envoy_is_the_one_that_the_manifests_name() -> None:
    assert re.fullmatch(r"envoyproxy/envoy:v\d+\.\d+\.\d+", official_envoy(this_project()))
