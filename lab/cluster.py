"""The node as a whole: brought up, found running, taken down."""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import archive, build, cgroups, configs, crds, network, packages, pki, processes
from lab.layout import DNS_SERVICE_ADDRESS, NODE, Layout, this_project
from lab.programs import FIRST, PROGRAMS, SECOND, log_of
from lab.report import LabError, say, step
from lab.shell import run, succeeds, wait_until
from lab.sweep import sweep

READY_SECONDS = 120


@dataclass(frozen=True)
class Lab:
    """A running lab, as tests and the demo need it."""

    layout: Layout

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    @property
    def kubectl(self) -> Path:
        return build.program(self.layout, "kubectl")

    @property
    def nsenter(self) -> tuple[str, ...]:
        """Put before a command, this runs it in the node's network."""
        return self.layout.nsenter


def running(layout: Layout | None = None) -> Lab | None:
    """The lab of this clone, if it is up."""
    place = layout or this_project()
    if not intact(place) or processes.alive(place, "kube-apiserver") is None:
        return None
    return Lab(place)


def intact(layout: Layout) -> bool:
    """Whether an `up` came to its end and nothing has torn down its ground since."""
    return (
        layout.ready.exists()
        and network.exists(layout)
        and (layout.node / "containerd").is_dir()
        and all(root.is_dir() for root in cgroups.roots(layout))
    )


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """One command at a time changes the lab; the lock dies with its holder, even by SIGKILL."""
    layout.state.mkdir(parents=True, exist_ok=True)
    with (layout.state / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another lab command is at work here: waiting for its end")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def up(layout: Layout) -> None:
    packages.require_privileges()
    with alone(layout):
        packages.install(layout)
        packages.require_kernel_features()
        fresh = not intact(layout)
        if fresh:
            _clear(layout)
            cgroups.create(layout)
        build.build_missing(layout)
        crds.bring(layout)
        if fresh:
            _lay_ground(layout)
        _start(layout, FIRST)
        with step("API server answers, containerd too"):
            _wait_for_first(layout)
        _import_pause(layout)
        _start(layout, SECOND)
        with step("node Ready, Services and DNS answer"):
            _wait_for_node(layout)
        layout.ready.touch()
    say(f"up: KUBECONFIG={layout.kubeconfig} (in the network namespace {layout.name})")


def down(layout: Layout) -> None:
    packages.require_privileges()
    with alone(layout):
        found = sweep(layout)
    say(f"down: removed {', '.join(found)}" if found else "down: nothing was there")


def _clear(layout: Layout) -> None:
    """What an interrupted `up` left is not repaired but removed."""
    if found := sweep(layout):
        say(f"removed what was left of an earlier lab: {', '.join(found)}")


def _lay_ground(layout: Layout) -> None:
    with step("network namespace, mounts, keys, configuration"):
        for folder in (layout.run, layout.logs, layout.disk, layout.node):
            folder.mkdir(parents=True, exist_ok=True)
        for name in PROGRAMS:
            log_of(layout, name).unlink(missing_ok=True)
        run(("mount", "--bind", layout.disk, layout.node))
        # Private, or each mount of the node would appear a second time below the project.
        run(("mount", "--make-private", layout.node))
        network.create(layout)
        pki.write(layout)
        overlay = packages.overlay_works(layout.disk / "overlay-trial")
        if not overlay:
            say("no overlay file system here: containers copy their files (slower)")
        configs.write(layout, "overlayfs" if overlay else "native")


def _start(layout: Layout, names: Iterable[str]) -> None:
    started = [name for name in names if processes.start(layout, name)]
    say(f"started {', '.join(started)}" if started else f"running: {', '.join(names)}")


def _alive_or_fail(layout: Layout) -> None:
    """A program that has ended explains itself in its log: better now than after a time-out."""
    for name in PROGRAMS:
        if processes.record_of(layout, name) and not processes.alive(layout, name):
            tail = log_of(layout, name).read_text(errors="replace").splitlines()[-15:]
            raise LabError(f"{name} has ended; see {log_of(layout, name)}\n" + "\n".join(tail))


def _wait_for_first(layout: Layout) -> None:
    def answers() -> bool:
        _alive_or_fail(layout)
        return succeeds(kubectl(layout, "get", "--raw", "/readyz")) and succeeds(
            ctr(layout, "version")
        )

    wait_until(answers, "the API server and containerd answer", seconds=READY_SECONDS)


def _wait_for_node(layout: Layout) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": configs.dns_objects()}
    run(kubectl(layout, "apply", "-f", "-"), feed=json.dumps(objects))
    status = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'

    def ready() -> bool:
        _alive_or_fail(layout)
        try:
            return run(kubectl(layout, "get", "node", NODE, "-o", status)) == "True"
        except LabError:  # not registered yet
            return False

    wait_until(ready, "the node is Ready", seconds=READY_SECONDS)
    wait_until(lambda: _dns_answers(layout), "DNS answers at its Service", seconds=READY_SECONDS)


def _dns_answers(layout: Layout) -> bool:
    """Through the Service address: kube-proxy, CoreDNS and its watch on the API, all at once."""
    address = f"({DNS_SERVICE_ADDRESS!r}, 53)"
    reach = f"import socket; socket.create_connection({address}, timeout=1)"
    ready = f"import urllib.request as u; u.urlopen('http://{configs.DNS_READY}/ready', timeout=1)"
    return succeeds((*layout.nsenter, sys.executable, "-c", f"{reach}; {ready}"))


def _import_pause(layout: Layout) -> None:
    if configs.PAUSE_IMAGE in run(ctr(layout, "images", "list", "--quiet")):
        return
    archive_file = layout.disk / "pause.tar"
    archive.write(archive_file, program=build.program(layout, "pause"), name=configs.PAUSE_IMAGE)
    run(ctr(layout, "images", "import", str(archive_file)))


def kubectl(layout: Layout, *words: str) -> tuple[str, ...]:
    program = str(build.program(layout, "kubectl"))
    return (*layout.nsenter, program, f"--kubeconfig={layout.kubeconfig}", *words)


def ctr(layout: Layout, *words: str) -> tuple[str, ...]:
    return ("ctr", f"--address={layout.containerd_socket}", "--namespace=k8s.io", *words)
