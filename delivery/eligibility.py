"""Which Deployments are adopted: an allow-list, and for all others the reasons why not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from delivery import flagger, names
from delivery.obstacles import drivers, policies, quota, workload
from delivery.obstacles.grounds import PASSING, Grounds
from delivery.pods import Object, annotations_of
from delivery.servable import is_foreign, name_of, service_refusals, services_of


@dataclass(frozen=True)
class Neighbours:
    """What stands in the namespace beside a Deployment, and what its labels say of it.

    `mesh` is a word that names a mesh; `enrolled` and `selected_only` are the opt-in. For one
    with an `external` router it does not matter who reaches ours; an `opaque` one speaks TCP.
    """

    services: Sequence[Object]
    deployments: Sequence[Object]
    autoscalers: Sequence[Object]
    mesh: str = ""
    selected_only: bool = False
    enrolled: bool = True
    external: bool = False
    opaque: bool = False
    grounds: Grounds = Grounds()


def opted_out(deployment: Object, neighbours: Neighbours) -> bool:
    """By its own annotation, or for want of one where only selected ones are adopted."""
    said = annotations_of(deployment).get(names.ENABLED)
    return said != "true" if neighbours.selected_only else said == "false"


def leaving(deployment: Object, neighbours: Neighbours, *, generated: bool) -> str:
    """Why a managed app is to be given back; empty while it stays.

    Who wrote a Canary has opted in by it, also where only selected Deployments are adopted.
    """
    if not neighbours.enrolled:
        return f"the namespace is not labelled {names.ENABLED}=true or =selected"
    said = annotations_of(deployment).get(names.ENABLED)
    if said == "false":
        return f"its annotation {names.ENABLED} is false"
    if generated and opted_out(deployment, neighbours):
        return f"its annotation {names.ENABLED} is not true"
    return ""


def refusals(deployment: Object, neighbours: Neighbours) -> tuple[str, ...]:
    """Why the Deployment is left alone; empty when it can be adopted."""
    return tuple(
        (
            *workload_refusals(deployment, external=neighbours.external),
            *service_refusals(
                deployment,
                neighbours.services,
                neighbours.deployments,
                opaque=neighbours.opaque,
            ),
            *neighbour_refusals(deployment, neighbours),
        )
    )


def is_passing(reason: str) -> bool:
    """Ends by itself, and so is not worth an Event."""
    return reason.startswith(PASSING)


def workload_refusals(deployment: Object, *, external: bool = False) -> Iterator[str]:
    yield from workload.of_deployment(deployment)
    yield from workload.of_template(deployment["spec"]["template"], external=external)
    if names.SCALE not in annotations_of(deployment):
        yield from workload.of_rollout(deployment)


def neighbour_refusals(deployment: Object, neighbours: Neighbours) -> Iterator[str]:
    grounds = neighbours.grounds
    yield from in_the_way(deployment, neighbours.deployments)
    yield from lasting_obstacles(deployment, neighbours, deployment["spec"]["template"])
    yield from drivers.of_unknown(grounds.drivers)
    yield from quota.of_quotas(deployment, grounds)
    if grounds.flagger:
        yield flagger.obstacle(grounds.flagger)


def in_the_way(deployment: Object, deployments: Sequence[Object]) -> Iterator[str]:
    """A user's Deployment that has the name of the primary; Flagger's is taken over."""
    wanted = names.primary_name(name_of(deployment))
    if any(name_of(other) == wanted and is_foreign(other) for other in deployments):
        yield f"the name of Deployment {wanted} is needed for its pair: give that app another one"


def takeover_refusals(deployment: Object, neighbours: Neighbours) -> tuple[str, ...]:
    """Why a pair that Flagger made stays as it is: what only a new pair needs is not asked for."""
    grounds = neighbours.grounds
    running = (flagger.obstacle(grounds.flagger),) if grounds.flagger else ()
    return (
        *lasting_obstacles(deployment, neighbours, deployment["spec"]["template"]),
        *drivers.of_unknown(grounds.drivers),
        *running,
    )


def lasting_obstacles(
    deployment: Object, neighbours: Neighbours, template: Object
) -> Iterator[str]:
    """What would harm a managed app just as one that is to be adopted."""
    name, grounds = deployment["metadata"]["name"], neighbours.grounds
    yield from drivers.of_autoscalers(name, neighbours.autoscalers)
    yield from drivers.of_drivers(name, grounds.drivers)
    if neighbours.external:
        return
    services = services_of(deployment, neighbours.services)
    yield from policies.of_policies(template, services, grounds)
    if neighbours.mesh:
        yield f"the namespace is in a mesh ({neighbours.mesh}): name its provider in a Canary"


def unfit(deployment: Object, neighbours: Neighbours, serving: Object) -> tuple[str, ...]:
    """Why a managed app cannot stay managed; empty while it can.

    Of its pods those count that serve: a revision that is refused spoils nothing. What could not
    be read is no reason, and what only adopting needs is not asked for.
    """
    found = (
        *workload.of_deployment(deployment),
        *workload.of_template(serving, external=neighbours.external),
        *lasting_obstacles(deployment, neighbours, serving),
    )
    return tuple(one for one in found if not is_passing(one))
