"""Apps are given back: whenever it is, users notice nothing, and nothing of ours stays."""

import contextlib
import json
from collections.abc import Callable

import pytest

from delivery import names
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.shop import V1, Shop
from demo.waiting import NeverHappened, eventually
from tests.system.canaries import BAD, GOOD, PATIENT, SMALL, canary, reaches
from tests.system.load import FRESH, KEPT, Load, losses
from tests.system.test_release import Clients, serves_alone

OUT = f"{names.ENABLED}=false"
USERS = ("Deployment", "Service")


@pytest.mark.usefixtures("calm")
def test_an_app_whose_namespace_leaves_loses_no_request(shop: Namespace, clients: Clients) -> None:
    eventually("what is ours goes with the agent", lambda: is_tied(shop), timeout=90)
    unlabelled(shop)
    serves_alone(shop, "v1")
    eventually("the app alone is left", lambda: deployments(shop) == ["shop"], timeout=60)
    shop.complete()
    is_its_users_own(shop, V1, manifests=V1.manifests())
    assert remnants(shop) == []
    assert losses(*clients) == []


def initialized(place: Namespace) -> Shop:
    return SMALL


def progressing(place: Namespace) -> Shop:
    place.kubectl.apply(BAD.manifests())
    reaches(place, "Progressing")
    return SMALL


def failed(place: Namespace) -> Shop:
    place.kubectl.apply(BAD.manifests())
    reaches(place, "Failed")
    return SMALL


def promoting(place: Namespace) -> Shop:
    place.kubectl.apply(GOOD.manifests())
    reaches(place, "Promoting")
    return GOOD


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("phase", [initialized, progressing, promoting, failed])
def test_an_app_leaves_from_any_phase(
    namespace: Namespace, load: Load, phase: Callable[[Namespace], Shop]
) -> None:
    opened(namespace, SMALL.manifests())
    clients = load(namespace, *PATIENT), load(namespace, *KEPT, "--rate", "20")
    promoted = phase(namespace)
    namespace.kubectl("annotate", "deployment/shop", OUT)
    given_back(namespace)
    serves_alone(namespace, promoted.version)
    is_its_users_own(namespace, promoted)
    assert losses(*clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_who_comes_back_is_adopted_again(namespace: Namespace, load: Load) -> None:
    opened(namespace, SMALL.manifests())
    clients = load(namespace, *FRESH, "--rate", "20"), load(namespace, *KEPT, "--rate", "20")
    namespace.kubectl("annotate", "deployment/shop", OUT)
    given_back(namespace)
    namespace.kubectl("annotate", "deployment/shop", f"{names.ENABLED}-")
    namespace.adopted()
    serves_alone(namespace, "v1")
    assert losses(*clients) == []


@pytest.mark.soak
def test_a_generated_canary_that_is_deleted_comes_again(namespace: Namespace, load: Load) -> None:
    opened(namespace, SMALL.manifests())
    clients = load(namespace, *PATIENT), load(namespace, *KEPT, "--rate", "20")
    before = namespace.read("Canary", "shop")["metadata"]["uid"]
    namespace.kubectl("delete", "canary", "shop")
    namespace.adopted()
    assert namespace.read("Canary", "shop")["metadata"]["uid"] != before
    serves_alone(namespace, "v1")
    assert losses(*clients) == []


@pytest.mark.soak
def test_a_canary_that_is_deleted_gives_its_app_back_where_apps_are_selected(
    namespace: Namespace,
) -> None:
    """As `revertOnDeletion` asks for, with no finalizer that anybody would have to wait for."""
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    namespace.kubectl.apply([canary(revertOnDeletion=True)])
    namespace.kubectl("label", "namespace", namespace.name, f"{names.ENABLED}=selected")
    namespace.adopted()
    assert "finalizers" not in namespace.read("Canary", "shop")["metadata"]
    namespace.kubectl("delete", "canary", "shop", "--timeout=10s")
    eventually("the app alone is left", lambda: deployments(namespace) == ["shop"], timeout=60)
    given_back(namespace)
    serves_alone(namespace, "v1")
    is_its_users_own(namespace, SMALL, manifests=SMALL.manifests())


@pytest.mark.settled
def test_a_deployment_that_is_deleted_takes_what_is_ours_with_it(namespace: Namespace) -> None:
    opened(namespace, SMALL.manifests())
    namespace.kubectl("delete", "deployment", "shop")
    eventually("the clone is gone", lambda: not deployments(namespace), timeout=30)
    eventually("the Canary is gone", lambda: not namespace.list("Canary"), timeout=30)
    eventually("the Service is home", lambda: not marks(namespace), timeout=30)
    assert [one["metadata"]["name"] for one in services(namespace)] == ["shop"]
    service = namespace.read("Service", "shop")
    assert service["spec"]["selector"] == SMALL.manifests()[1]["spec"]["selector"]


@pytest.mark.soak
def test_a_namespace_that_is_deleted_goes(namespace: Namespace) -> None:
    opened(namespace, SMALL.manifests())
    namespace.kubectl("delete", "namespace", namespace.name, "--timeout=90s", timeout=100)


def unlabelled(place: Namespace) -> None:
    place.kubectl("label", "namespace", place.name, f"{names.ENABLED}-")
    place.kubectl("wait", "deployment/outrider-agent", "--for=delete", "--timeout=90s", timeout=100)


def given_back(place: Namespace) -> None:
    """Wait until the app alone is left; its Canary goes last."""
    eventually("the Canary is gone", lambda: not place.list("Canary"), timeout=90)
    assert deployments(place) == ["shop"]
    place.complete()


def is_its_users_own(place: Namespace, shop: Shop, *, manifests: list[JSON] | None = None) -> None:
    """Its file is applied either way without a difference or a conflict; we own nothing of it."""
    files = manifests or shop.manifests()
    said = {names.ENABLED: "false"} if manifests is None else {}
    assert marks(place) == sorted(said)
    assert owned(place) == []
    place.kubectl.apply(files)
    assert place.kubectl.differences(files) == ""
    place.kubectl.apply(files, "--server-side")
    assert place.kubectl.differences(files, "--server-side") == ""


def users(place: Namespace) -> list[JSON]:
    return [place.read(kind, "shop") for kind in USERS if place.found(kind, "shop")]


def marks(place: Namespace) -> list[str]:
    """Labels and annotations of ours on what is the user's."""
    found: set[str] = set()
    for one in users(place):
        template = one["spec"].get("template", {"metadata": {}})
        for metadata in (one["metadata"], template["metadata"]):
            found |= {*metadata.get("labels", {}), *metadata.get("annotations", {})}
    return sorted(key for key in found if key.startswith(names.PREFIX))


def owned(place: Namespace) -> list[str]:
    """What the managed fields of the user's objects say of us."""
    ours = (names.AGENT_MANAGER, names.WEBHOOK_MANAGER)
    entries = [entry for one in users(place) for entry in one["metadata"]["managedFields"]]
    return [json.dumps(entry["fieldsV1"]) for entry in entries if entry["manager"] in ours]


def deployments(place: Namespace) -> list[str]:
    found = [one["metadata"]["name"] for one in place.list("Deployment")]
    return [name for name in found if name not in (names.AGENT, names.ROUTER)]


def services(place: Namespace) -> list[JSON]:
    return [one for one in place.list("Service") if one["metadata"]["name"] != names.AGENT]


def is_tied(place: Namespace) -> bool:
    """Whether what was made before the agent has its owner: that is seen to at the next look."""
    return "ownerReferences" in place.read("ServiceAccount", names.AGENT)["metadata"]


def remnants(place: Namespace) -> list[str]:
    """What of ours stays in a namespace that has left; the collector takes a moment."""
    kinds = (
        "deployment,service,configmap,secret,serviceaccount,rolebinding,pdb,networkpolicy,canary"
    )
    selector = f"{names.MANAGED_BY}={names.OUTRIDER}"

    def found() -> list[str]:
        labelled = place.kubectl("get", kinds, "-l", selector, "-o", "name").split()
        return labelled + place.kubectl("get", "lease", "-o", "name").split()

    last: list[str] = []

    def nothing() -> bool:
        last[:] = found()
        return not last

    with contextlib.suppress(NeverHappened):
        eventually("nothing of ours is left", nothing, timeout=30, pause=1)
    return last
