"""The README's commands that put Outrider on a cluster, with both images of the user's registry."""

import re
import subprocess

from tests.manifests.test_base import BASE, ROOT, VERSION

README = (ROOT / "README.md").read_text()
REGISTRY = "registry.example:5000/team"


def rendered() -> str:
    """As kubectl does with the kustomization, in which the webhook's image gets its tag."""
    texts = [(BASE / path.name).read_text() for path in sorted(BASE.glob("*.yaml"))]
    whole = "\n---\n".join(texts)
    whole = whole.replace("image: outrider/webhook", f"image: outrider/webhook:{VERSION}")
    return whole.replace("outrider/agent:the-webhooks-own", f"outrider/agent:{VERSION}")


def installed(text: str) -> str:
    """By the README's command for installing and for upgrading, without the apply."""
    found = re.findall(
        r"^kubectl kustomize manifests/base \| (sed .*) \| kubectl apply", README, re.M
    )
    install, upgrade = found
    assert install == upgrade
    done = subprocess.run(
        ["sh", "-c", install],
        input=text,
        env={"REGISTRY": REGISTRY, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_both_images_come_from_the_registry_and_nothing_else_changes() -> None:
    before = rendered()
    pairs = zip(before.splitlines(), installed(before).splitlines(), strict=True)
    changed = [after.strip() for before, after in pairs if before != after]
    assert changed == [
        f"image: {REGISTRY}/outrider/webhook:{VERSION}",
        f"value: {REGISTRY}/outrider/agent:{VERSION}",
    ]


def test_what_is_built_and_pushed_is_what_is_installed() -> None:
    (names,) = re.findall(r"^for name in (.*); do$", README, re.M)
    assert sorted(names.split()) == ["agent", "webhook"]
    assert all((ROOT / f"Dockerfile.{name}").is_file() for name in names.split())
    assert set(re.findall(r"\$REGISTRY/outrider/\$name:([0-9.]+)", README)) == {VERSION}
