"""Whatever a user does to the ports of a Service, each has its own target, then and afterwards."""

from collections.abc import Callable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from delivery import apex
from tests.delivery.reviews import Document
from tests.delivery.test_ports import adopted, edited, leads_right, left, replaced, service
from tests.delivery.turns import Agent

NUMBERS, TARGETS = (80, 81, 8080), ("http", 9090, 9091)
Ports = list[Document]


def listed(wanted: Mapping[int, object]) -> Ports:
    return [
        {"name": f"http-{number}", "port": number, "targetPort": target, "protocol": "TCP"}
        for number, target in wanted.items()
    ]


def renumbered(agent: Agent, ports: Ports, number: int) -> Ports:
    """By hand: the first port gets another number, and keeps the target that is shown for it."""
    if number in {one["port"] for one in ports}:
        return ports
    shown = [dict(one) for one in service(agent)["spec"]["ports"]]
    shown[0]["port"] = number
    edited(agent, shown)
    return [{**ports[0], "port": number}, *ports[1:]]


lists = st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(TARGETS), min_size=1).map(listed)
numbers = st.sampled_from(NUMBERS)
Send = Callable[[Agent, Sequence[Document]], Agent]
changes = st.tuples(lists | numbers, st.sampled_from([edited, replaced]), st.booleans())
histories = st.lists(st.tuples(changes, st.integers(0, 2)), min_size=1, max_size=6)


@given(histories, st.booleans())
def test_ports_lead_to_their_own_targets_and_are_as_they_were_afterwards(
    history: list[tuple[tuple[Ports | int, Send, bool], int]], waits: bool
) -> None:
    agent = adopted()
    ports = list(service(agent)["spec"]["ports"])
    ports = [{**ports[0], "targetPort": "http"}]
    for (change, send, agent.world.admission), seconds in history:
        if isinstance(change, int):
            ports = renumbered(agent, ports, change)
        else:
            send(agent, ports := change)
        agent.run(seconds)
    if waits:
        leads_right(agent.run(3), ports)
    agent.world.admission = True
    home = left(agent)
    assert (home["spec"]["ports"], apex.is_unmarked(home)) == (ports, True)
