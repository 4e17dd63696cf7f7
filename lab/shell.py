"""Other programs, run to their end: with a time limit, and with their words when they fail."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.report import LabError, say

TAIL = 25
LONG_SECONDS = 3600.0
# The child enters the cgroup before it becomes the program: at no moment is it unrecorded.
ENTER = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')


def within(entrance: Path, command: Sequence[str | Path]) -> tuple[str, ...]:
    """The command, run inside the cgroup with this `cgroup.procs`."""
    return (*ENTER, str(entrance), *map(str, command))


def run(
    command: Sequence[str | Path],
    *,
    seconds: float = 60,
    env: Mapping[str, str] | None = None,
    feed: str | None = None,
) -> str:
    """The program's standard output; its standard error is quoted when it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            input=feed,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=None if env is None else {**os.environ, **env},
        )
    except FileNotFoundError as missing:
        raise LabError(f"the program {words[0]} is not on this machine") from missing
    except subprocess.TimeoutExpired as late:
        raise LabError(f"no end after {seconds:.0f} s: {' '.join(words)}") from late
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
        raise LabError(f"exit status {done.returncode}: {' '.join(words)}\n{tail}")
    return done.stdout


def succeeds(command: Sequence[str | Path], *, seconds: float = 20) -> bool:
    try:
        run(command, seconds=seconds)
    except LabError:
        return False
    return True


def run_watched(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    progress: Callable[[], str] | None = None,
) -> None:
    """A long program: its output goes to `log`, a line of progress is printed every 20 s."""
    words = [str(word) for word in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LONG_SECONDS
    with (
        log.open("w") as output,
        subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        ) as child,
    ):
        while (status := _wait(child)) is None:
            if time.monotonic() > deadline:
                child.kill()
                raise LabError(f"no end after {LONG_SECONDS:.0f} s: {' '.join(words)}; see {log}")
            if progress:
                say(f"  … {progress()}")
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
        raise LabError(f"exit status {status}: {' '.join(words)}; see {log}\n{tail}")


def _wait(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        return None


def wait_until(fact: Callable[[], bool], what: str, *, seconds: float, pause: float = 0.25) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise LabError(f"not after {seconds:.0f} s: {what}")
        time.sleep(pause)
