"""Services of every kind: those that are routed as they are, and those that are left alone."""

from collections.abc import Callable

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.waiting import eventually
from tests.system.canaries import app
from tests.system.test_left_alone import refusals
from tests.system.test_status import scraped, value

Change = Callable[[JSON], object]


def ported(**port: object) -> Change:
    """A Service with this port alone."""
    plain = {"name": "http", "port": 80, "targetPort": "http"}
    return lambda service: service["spec"].update(ports=[{**plain, **port}])


def said(**spec: object) -> Change:
    return lambda service: service["spec"].update(spec)


LEFT_ALONE: dict[str, tuple[Change, str]] = {
    "headless": (said(clusterIP="None"), "Service headless is headless"),
    "outside": (
        said(type="ExternalName", externalName="shop.example.com"),
        "Service outside is of type ExternalName: it leads out of the cluster",
    ),
    "local": (
        said(type="NodePort", externalTrafficPolicy="Local"),
        "Service local has externalTrafficPolicy Local",
    ),
    "near": (said(internalTrafficPolicy="Local"), "Service near has internalTrafficPolicy Local"),
    "datagrams": (
        ported(protocol="UDP"),
        "port 80 of Service datagrams is UDP: only TCP can be routed",
    ),
    "unknown": (
        ported(name="tcp"),
        "port 80 of Service unknown is not known to be HTTP: name it http-…, "
        "or set its appProtocol to http",
    ),
    "encrypted": (
        ported(port=443, appProtocol="https"),
        "port 443 of Service encrypted is TLS (https): it cannot be judged",
    ),
    "numbered": (
        ported(port=443),
        "port 443 of Service numbered is probably TLS by its number: "
        "set its appProtocol to http if it is not",
    ),
}


def spoilt(name: str) -> list[JSON]:
    """An app without pods, with a Service of this kind."""
    deployment, service = app(name)
    deployment["spec"]["replicas"] = 0
    LEFT_ALONE[name][0](service)
    return [deployment, service]


def test_services_that_cannot_be_routed_are_reasons_that_are_told_and_counted(
    namespace: Namespace,
) -> None:
    namespace.kubectl.apply([one for name in LEFT_ALONE for one in spoilt(name)])
    namespace.opt_in()
    wanted = {
        name: [f"{name} is left alone: it is scaled to 0; {reason}"]
        for name, (_, reason) in LEFT_ALONE.items()
    }
    eventually(
        "every reason is told once",
        lambda: {name: refusals(namespace, name) for name in LEFT_ALONE} == wanted,
        timeout=60,
    )
    counted = scraped(namespace)
    for name, (_, reason) in LEFT_ALONE.items():
        kind = reason.partition(":")[0]
        assert value(counted, "outrider_refusals", deployment=name, reason=kind) == 1
