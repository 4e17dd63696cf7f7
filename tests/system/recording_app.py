"""The recorder as an app of the cluster: adopted like any other, so routers stand before it."""

from pathlib import Path

from delivery.pods import is_ready
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import image

HERE = Path(__file__).parent
NAME = "recorder"
MODULES = ("recorder.py", "exchanges.py", "raw_http.py")
PORT, CONTROL = 8080, 9000
LABELS = {"app.kubernetes.io/name": NAME}


def manifests() -> list[JSON]:
    """A ConfigMap with the recorder's own modules, its Deployment of one pod, its Service."""
    return [modules(), deployment(), service()]


def modules() -> JSON:
    data = {name: (HERE / name).read_text() for name in MODULES}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": data}


def deployment() -> JSON:
    template = {"metadata": {"labels": LABELS}, "spec": pod()}
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}


def pod() -> JSON:
    container = {
        "name": NAME,
        "image": image("shop"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "tests.system.recorder", str(PORT), str(CONTROL)],
        "workingDir": "/opt/recorder",
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": CONTROL}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "modules", "mountPath": "/opt/recorder/tests/system"}],
    }
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "modules", "configMap": {"name": NAME}}],
    }


def service() -> JSON:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"selector": LABELS, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec}


def serving_pod(place: Namespace) -> str:
    """The address of the one pod that serves, once the app has been adopted."""
    found = place.list("Pod", selector="outrider.dev/role=primary")
    (address,) = [pod["status"]["podIP"] for pod in found if is_ready(pod)]
    return str(address)
