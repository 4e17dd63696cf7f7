"""Wires the agent together and runs it until it is told to stop."""

import logging
import signal
import sys
import threading

from prometheus_client import CollectorRegistry

from agent import http
from agent.alerts import Alerts
from agent.calls import HookCalls
from agent.certificates import Certificates, provisional
from agent.clock import Clock
from agent.envoy import Scraper
from agent.event_hooks import EventHooks
from agent.exposition import Exposition
from agent.faults import Faults
from agent.hooks import Hooks
from agent.observe import KINDS
from agent.offered import Offered
from agent.perform import Performer
from agent.queries import Queries
from agent.refusals import Refusals
from agent.routes import RouteObjects
from agent.secrets import ALERTS, Secrets
from agent.settings import Settings, settings
from agent.sources import Sources
from agent.tick import Loop
from agent.tls import Presented
from agent.traffic import Windows
from agent.xds import AdsServer
from cluster import logs
from cluster.api import Api, connect
from cluster.events import Events
from cluster.kinds import FOREIGN
from cluster.lease import Leadership
from cluster.survey import Survey
from cluster.watch import Cache, Watched
from delivery.decision import WARNING
from delivery.names import AGENT, AGENT_MANAGER

log = logging.getLogger(__name__)

SYNC_SECONDS = 300.0
GRACE_SECONDS = 2.0


def build(given: Settings, registry: CollectorRegistry, presented: Presented) -> Loop:
    api, me = Api(connection := connect(given.kubeconfig or None)), given.identity
    exposition, changed = Exposition(registry), threading.Event()
    hooks, event_hooks = calling(registry, changed, given.event_webhook)
    cache = watched(api, given.namespace, changed)
    clock, metrics = Clock(), Secrets(api, given.namespace)
    offered = Offered(api, cache, given.namespace, metrics.read)
    windows = counting(presented, exposition, clock, changed)
    events = Events(api, me, AGENT_MANAGER, "flagger")
    ads = AdsServer(
        f"[::]:{given.xds_port}",
        credentials=presented.credentials(),
        on_nack=lambda *said: loop.rejected(*said),
    )
    leadership = Leadership(connection, name=AGENT, namespace=given.namespace, identity=me)
    loop = Loop(
        api=api,
        cache=cache,
        ads=ads,
        queries=asking(metrics, offered, exposition, changed),
        hooks=hooks,
        event_hooks=event_hooks,
        alerts=telling(given, Secrets(api, given.namespace, ALERTS), offered, exposition, changed),
        offered=offered,
        sources=Sources(api, given.namespace, windows, exposition.scrape_failed, clock),
        leadership=leadership,
        exposition=exposition,
        namespace=given.namespace,
        label=given.label,
        events=events,
        performer=Performer(api, events),
        survey=Survey(api, FOREIGN, given.namespace, changed.set),
        routes=RouteObjects(api, given.namespace, lambda kind, item: changed.set()),
        refusals=Refusals(events, exposition),
        faults=Faults(registry, events, leading=leadership.held),
        changed=changed,
        ipv6=given.ipv6,
        otherwise=given.alerts,
    )
    return loop


def counting(
    presented: Presented, exposition: Exposition, clock: Clock, changed: threading.Event
) -> Windows:
    windows = Windows(Scraper(presented=presented), failed=exposition.scrape_failed, clock=clock)
    windows.looked = changed.set
    return windows


def asking(
    secrets: Secrets, offered: Offered, exposition: Exposition, changed: threading.Event
) -> Queries:
    return Queries(
        secrets.read,
        find=offered.find,
        answered=changed.set,
        told=exposition.queried,
    )


def telling(
    given: Settings,
    secrets: Secrets,
    offered: Offered,
    exposition: Exposition,
    changed: threading.Event,
) -> Alerts:
    return Alerts(
        secrets.read,
        find=offered.find,
        answered=changed.set,
        counted=exposition.alerted,
        cluster=given.cluster_name,
    )


def calling(
    registry: CollectorRegistry, changed: threading.Event, otherwise: str
) -> tuple[Hooks, EventHooks]:
    counted = HookCalls(registry)
    return (
        Hooks(answered=changed.set, told=counted.called),
        EventHooks(told=counted.called, lost=counted.lost, otherwise=otherwise),
    )


def watched(api: Api, namespace: str, changed: threading.Event) -> Cache:
    kinds = [
        Watched(api, kind, namespace, changed=lambda kind, item: changed.set()) for kind in KINDS
    ]
    return Cache(kinds)


def keeping(loop: Loop, presented: Presented) -> Certificates:
    """What is shown to the routers comes from the namespace's Secrets, once they are there."""
    return Certificates(
        loop.api,
        loop.namespace,
        presented,
        expires=loop.exposition.expire,
        unable=lambda text: loop.events.record(
            loop.adoptions.itself(), WARNING, text, reason="NoCertificates"
        ),
    )


def main() -> int:
    given = settings(sys.argv[1:])
    logs.configure(given.log_level)
    registry = CollectorRegistry()
    presented = Presented(provisional(given.namespace))
    loop = build(given, registry, presented)
    certificates = keeping(loop, presented)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    http.serve(given.http_port, registry, ready=loop.published.is_set, alive=loop.alive)
    certificates.start()
    loop.cache.start()
    if not loop.cache.wait(SYNC_SECONDS):
        log.error("the namespace could not be listed in %.0f s", SYNC_SECONDS)
        return 1
    if not certificates.ready.wait(SYNC_SECONDS):
        log.error("no certificates in %.0f s", SYNC_SECONDS)
        return 1
    loop.ads.start()
    loop.sources.start()
    loop.leadership.start()
    loop.survey.start()
    log.info("serving namespace %s", given.namespace)
    loop.run()
    loop.leadership.release()
    loop.ads.stop(GRACE_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
