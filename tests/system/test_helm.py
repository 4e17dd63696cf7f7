"""Helm installs, upgrades, rolls back and uninstalls apps, two of one chart beside each other."""

import re
from pathlib import Path

import pytest

from demo.namespace import Namespace
from demo.waiting import eventually
from tests.system.canaries import PATIENT
from tests.system.helm import Helm
from tests.system.jobs import Job, started
from tests.system.load import Load
from tests.system.test_leaving import deployments, services

pytestmark = [pytest.mark.usefixtures("hurried"), pytest.mark.soak]


def job(errors: str) -> Job:
    """What admission says is printed by Helm, too."""
    (command,) = re.findall(r"kubectl wait .* promoted", errors)
    return started(command)


def agrees(place: Namespace, helm: Helm, release: str) -> None:
    """What moves on between the two looks of a diff is a difference to it."""
    eventually("no difference is seen", lambda: not differences(place, helm, release), timeout=30)


def differences(place: Namespace, helm: Helm, release: str) -> list[str]:
    """What both kinds of `kubectl diff` say of what Helm has kept."""
    said = [
        place.kubectl.attempt("diff", *options, "-f", "-", stdin=helm.manifest(release))
        for options in ((), ("--server-side",))
    ]
    return [one.output + one.errors for one in said if one.status]


def test_a_chart_is_released_and_rolled_back_by_helm(
    namespace: Namespace, load: Load, tmp_path: Path
) -> None:
    helm = Helm(namespace.name, tmp_path)
    for release in ("shop", "other"):
        helm.install(release)
    load(namespace, *PATIENT)
    namespace.opt_in()
    for release in ("shop", "other"):
        namespace.adopted(release)
        agrees(namespace, helm, release)
    before = namespace.status("other")["observedHash"]

    assert job(helm.upgrade("shop", version="v2").errors).status() == 0
    assert job(helm.upgrade("shop", version="v3", errorRate="1").errors).status() == 1
    agrees(namespace, helm, "shop")
    back = job(helm("rollback", "shop", "--wait").errors)
    assert back.status() == 0, "it is what serves: there is nothing to release"
    assert job(helm("rollback", "shop", "1", "--wait").errors).status() == 0
    status = namespace.status()
    outcomes = [status["outcomes"][number] for number in "1234"]
    assert outcomes == ["promoted", "refused", "promoted", "promoted"]
    assert status["phase"] == "Succeeded", "the first version was released like any other"
    assert namespace.status("other")["observedHash"] == before
    agrees(namespace, helm, "shop")

    helm("uninstall", "shop", "--wait", "--timeout=240s")
    eventually("shop is gone", lambda: names(namespace) == ["other", "other-primary"], timeout=60)
    helm("uninstall", "other", "--wait", "--timeout=240s")
    eventually("all of it is gone", lambda: not names(namespace), timeout=60)
    eventually("no Canary is left", lambda: not namespace.list("Canary"), timeout=30)
    eventually("no Service is left", lambda: not services(namespace), timeout=30)


def names(place: Namespace) -> list[str]:
    return sorted(deployments(place))
