"""The node's network: a namespace without uplink, so that nothing can leave the machine."""

from __future__ import annotations

from lab.layout import NODE_ADDRESS, NODE_PREFIX, SERVICE_RANGE, Layout
from lab.shell import run, succeeds

SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/ip_unprivileged_port_start": "0",
    "net/ipv6/conf/all/disable_ipv6": "1",
}


def create(layout: Layout) -> None:
    """A bridge with a veth in it carries the node's address: not every kernel has dummy devices."""
    run(("ip", "netns", "add", layout.name))
    for words in (
        "link set lo up",
        "link add name node0 type bridge",
        "link add name veth0 type veth peer name veth1",
        "link set veth0 master node0 up",
        "link set veth1 up",
        f"address add {NODE_ADDRESS}/{NODE_PREFIX} dev node0",
        "link set node0 up",
        # Without a route the node itself cannot reach a Service, nor the API server a webhook.
        f"route add {SERVICE_RANGE} dev node0",
    ):
        run(("ip", "-n", layout.name, *words.split()))
    settings = [f"{name}={value}" for name, value in SYSCTLS.items()]
    run((*layout.nsenter, "sysctl", "-q", "-e", "-w", *settings))


def exists(layout: Layout) -> bool:
    return layout.netns.exists()


def remove(layout: Layout) -> None:
    """Devices go with the namespace; none of them stands outside of it."""
    if exists(layout):
        run(("ip", "netns", "delete", layout.name))


def feature_missing() -> str | None:
    """Tried in a namespace that is gone at once: what this kernel cannot do, or nothing."""
    trials = {
        "network namespaces": "true",
        "bridge devices": "ip link add name trial type bridge",
        "veth devices": "ip link add name trial type veth",
        "nftables with NAT": (
            "nft add table ip t && nft add chain ip t c '{ type nat hook prerouting priority 0; }'"
        ),
    }
    for feature, script in trials.items():
        if not succeeds(("unshare", "--net", "sh", "-c", script)):
            return feature
    return None
