"""Starts and stops the node's programs, known by pid and start time, never by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import cgroups
from lab.layout import Layout
from lab.programs import PROGRAMS, log_of
from lab.report import LabError
from lab.shell import wait_until, within

TERM_SECONDS = 15.0


@dataclass(frozen=True)
class Record:
    """What the pid file says; `started` is in clock ticks since the machine's start."""

    pid: int
    started: int
    command: tuple[str, ...]


def pid_file(layout: Layout, name: str) -> Path:
    return layout.run / f"{name}.json"


def record_of(layout: Layout, name: str) -> Record | None:
    try:
        found = json.loads(pid_file(layout, name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):  # never written, or not to its end
        return None
    return Record(found["pid"], found["started"], tuple(found["command"]))


def start_time(pid: int) -> int | None:
    """None for a process that is gone, or is dead and only waits to be reaped.

    While one of its threads still ends it is not dead: that one keeps its ports.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    dead = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if dead else int(fields[19])


def alive(layout: Layout, name: str) -> Record | None:
    record = record_of(layout, name)
    return record if record and start_time(record.pid) == record.started else None


def start(layout: Layout, name: str) -> bool:
    """Whether anything had to be done: a running program with this very command line is kept."""
    command = PROGRAMS[name](layout)
    running = alive(layout, name)
    if running and running.command == command:
        return False
    if running:
        stop(layout, name)
    # A program that was started but not yet recorded when its starter died is in the cgroup.
    entrance = cgroups.entrance(layout, cgroups.DAEMONS)
    with log_of(layout, name).open("a") as log:
        child = subprocess.Popen(
            within(entrance, (*layout.nsenter, *command)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            # Memory is there, time is not: garbage is collected at five times what is in use.
            env={**os.environ, "GOGC": "400"},
            start_new_session=True,
        )
    _record(layout, name, Record(child.pid, start_time(child.pid) or 0, command))
    return True


def _record(layout: Layout, name: str, record: Record) -> None:
    path = pid_file(layout, name)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.rename(path)


def stop(layout: Layout, name: str, *, at_once: bool = False) -> bool:
    """Whether it ran; SIGKILL follows when SIGTERM does not help, or comes first when wanted."""
    record = alive(layout, name)
    if record is None:
        return False
    if not at_once:
        _signal(record, signal.SIGTERM)
        try:
            _wait_for_end(layout, name, TERM_SECONDS)
        except LabError:
            at_once = True
    if at_once:
        _signal(record, signal.SIGKILL)
        _wait_for_end(layout, name, TERM_SECONDS)
    pid_file(layout, name).unlink(missing_ok=True)
    return True


def _signal(record: Record, number: signal.Signals) -> None:
    """Through a handle taken before the start time is compared: the pid cannot change hands."""
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return
    try:
        if start_time(record.pid) == record.started:
            signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def _wait_for_end(layout: Layout, name: str, seconds: float) -> None:
    wait_until(lambda: alive(layout, name) is None, f"{name} ends", seconds=seconds, pause=0.05)
