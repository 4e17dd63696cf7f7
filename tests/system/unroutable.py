"""Services that cannot be routed, each with what is said of it."""

from collections.abc import Callable

from demo.kubectl import JSON

Change = Callable[[JSON], object]

PLAIN = {"name": "http", "port": 80, "targetPort": "http"}


def ported(**port: object) -> Change:
    """A Service with this port alone."""
    return lambda service: service["spec"].update(ports=[{**PLAIN, **port}])


def said(**spec: object) -> Change:
    return lambda service: service["spec"].update(spec)


ANEW, LOCAL = "make it anew without clusterIP: None", "Local: set it to Cluster"
LEFT_ALONE: dict[str, tuple[Change, str]] = {
    "headless": (said(clusterIP="None"), f"Service headless is headless: {ANEW}"),
    "outside": (
        said(type="ExternalName", externalName="shop.example.com"),
        "Service outside is of type ExternalName: it leads out of the cluster",
    ),
    "local": (
        said(type="NodePort", externalTrafficPolicy="Local"),
        f"Service local has externalTrafficPolicy {LOCAL}",
    ),
    "near": (
        said(internalTrafficPolicy="Local"),
        f"Service near has internalTrafficPolicy {LOCAL}",
    ),
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
