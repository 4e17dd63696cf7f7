"""What one wants to see when something did not come about: objects, events, logs of a namespace."""

from cluster.errors import ClusterError
from delivery.names import AGENT
from demo.kubectl import as_yaml
from demo.namespace import Namespace

LOG_LINES = "60"
OVERVIEW = "deployments,replicasets,pods,services,canaries"


def dump(namespace: Namespace) -> str:
    """A report to be read by people; it never fails itself."""
    kubectl = namespace.kubectl
    calls = {
        "objects": ("get", OVERVIEW, "--output=wide"),
        "events": ("get", "events", "--sort-by=.lastTimestamp"),
        "agent": ("logs", f"deployment/{AGENT}", "--all-pods", f"--tail={LOG_LINES}"),
    }
    parts = [f"--- canaries in {namespace.name}\n{canaries(namespace)}"]
    for title, words in calls.items():
        said = kubectl.attempt(*words)
        parts.append(f"--- {title}\n{said.output or said.errors}")
    return "\n".join(parts)


def canaries(namespace: Namespace) -> str:
    try:
        found = namespace.list("Canary")
    except ClusterError as error:
        return str(error)
    return as_yaml(
        [{"name": one["metadata"]["name"], "status": one.get("status")} for one in found]
    )
