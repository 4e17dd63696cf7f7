"""What a test does to the lab's node behind Kubernetes' back: SIGKILL, and a program restarted."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from demo.shop import PROJECT
from lab.cluster import ctr
from lab.layout import Layout
from lab.processes import alive
from lab.programs import ALWAYS

LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Node:
    """The containers of pods, as containerd knows them, and the node's own programs."""

    layout: Layout

    def containers(self, namespace: str, container: str, pod: str = "") -> list[str]:
        """The ids of all containers of this name that there are, also of those that have ended."""
        labels = {"container.name": container, "pod.namespace": namespace}
        if pod:
            labels["pod.name"] = pod
        wanted = ",".join(f'labels."io.kubernetes.{key}"=={value}' for key, value in labels.items())
        return self.ctr("containers", "list", "--quiet", wanted).split()

    def kill(self, namespace: str, container: str, pod: str = "") -> int:
        """SIGKILL to the first process of each, which ends the container; how many were alive."""
        found = self.containers(namespace, container, pod)
        return sum(self.killed(one) for one in found)

    def killed(self, container: str) -> bool:
        command = ctr(self.layout, "tasks", "kill", "--signal", "SIGKILL", container)
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    def ctr(self, *words: str) -> str:
        command = ctr(self.layout, *words)
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def restart(self, program: str) -> None:
        """SIGKILL to one of the node's programs, and a new start."""
        self.lab("restart", program, "--kill")

    @contextmanager
    def stopped(self, program: str) -> Iterator[None]:
        """One of the node's programs is away for a while."""
        self.lab("stop", program, "--kill")
        try:
            yield
        finally:
            self.lab("start", program)

    def mend(self) -> None:
        """Whatever a test broke, those after it find every program running."""
        for program in ALWAYS:
            if alive(self.layout, program) is None:
                self.lab("start", program)

    def lab(self, *words: str, seconds: float = 60) -> None:
        command = (sys.executable, "-m", "lab", *words)
        subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=seconds, check=True)

    @contextmanager
    def held_down(self, namespace: str, container: str) -> Iterator[list[int]]:
        """Killed again whenever one comes up, sooner than it can do anything.

        Gives the list of how many were alive at each look at which some were.
        """
        ending, kills, dead = threading.Event(), list[int](), set[str]()

        def kill() -> int:
            # Of those that have ended containerd tells for long: asking each costs the time in
            # which the next one begins to act.
            found = [one for one in self.containers(namespace, container) if one not in dead]
            killed = [one for one in found if self.killed(one)]
            dead.update(killed)
            return len(killed)

        looking = threading.Thread(target=repeat, args=(ending, kill, kills))
        looking.start()
        try:
            yield kills
        finally:
            ending.set()
            looking.join(timeout=60)


def repeat(ending: threading.Event, kill: Callable[[], int], kills: list[int]) -> None:
    while not ending.is_set():
        if alive := kill():
            kills.append(alive)
        ending.wait(LOOK_SECONDS)
