"""Whose the agents' own Lease is."""

from cluster.api import Api
from delivery.names import AGENT, AGENT_MANAGER


def tie_lease(api: Api, namespace: str) -> bool:
    """Whoever leads ties the Lease to the agents' Deployment: it goes when that goes.

    False where there is no such Deployment yet.
    """
    agents = api.read("Deployment", AGENT, namespace=namespace)
    if agents is None:
        return False
    owner = {key: agents[key] for key in ("apiVersion", "kind")}
    owner |= {"name": AGENT, "uid": agents["metadata"]["uid"]}
    lease = {"kind": "Lease", "metadata": {"namespace": namespace, "name": AGENT}}
    patch = {"metadata": {"ownerReferences": [owner]}}
    api.merge(lease, patch, manager=AGENT_MANAGER)
    return True
