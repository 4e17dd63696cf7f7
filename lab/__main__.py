"""The lab's command line: `python -m lab up`, and what follows from it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from lab import build, cluster, foreign, images, processes, registry
from lab.layout import Layout, this_project
from lab.modules import MODULES
from lab.programs import PROGRAMS, log_of
from lab.report import LabError

PASSED_ON = ("kubectl", "exec")


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="bring the node up, or back up; builds what is missing")
    commands.add_parser("down", help="remove the node and everything it made, apart from caches")
    commands.add_parser("status", help="what runs; exit status 1 when the lab is not up")
    built = commands.add_parser("images", help="build what changed, and give it to the node")
    built.add_argument(
        "name", nargs="*", help=f"of {', '.join(images.NAMES)}; all if none is named"
    )
    built.add_argument("--foreign", action="store_true", help="ours for arm64 instead, to try them")
    pushed = commands.add_parser("push", help="push the images to a registry in the node's network")
    pushed.add_argument("tag")
    logs = commands.add_parser("logs", help="the log of one of the node's programs")
    logs.add_argument("name")
    for verb in ("start", "stop", "restart"):
        one = commands.add_parser(verb, help=f"{verb} one of the node's programs")
        one.add_argument("name", choices=list(PROGRAMS))
        one.add_argument("--kill", action="store_true", help="SIGKILL instead of SIGTERM")
    wanted = commands.add_parser("build", help="build the programs of one Go module")
    wanted.add_argument("name", choices=list(MODULES))
    commands.add_parser("kubectl", help="kubectl on the lab; all further words are its own")
    commands.add_parser("exec", help="any command in the node's network, with KUBECONFIG set")
    return whole


def main(words: Sequence[str]) -> int:
    layout = this_project()
    try:
        if words and words[0] in PASSED_ON:
            _become(layout, words)
        return _obey(layout, parser().parse_args(words))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _become(layout: Layout, words: Sequence[str]) -> NoReturn:
    """The command takes this process's place, so that signals and exit status are its own."""
    _require_ground(layout)
    lab = cluster.Lab(layout)
    command = [str(lab.kubectl)] if words[0] == "kubectl" else []
    command += words[1:]
    if not command:
        raise LabError("exec wants a command")
    os.environ["KUBECONFIG"] = str(lab.kubeconfig)
    os.environ["PATH"] = f"{lab.kubectl.parent}:{os.environ['PATH']}"
    sys.stdout.flush()
    os.execvp(lab.nsenter[0], [*lab.nsenter, *command])


def _obey(layout: Layout, wish: argparse.Namespace) -> int:
    match wish.command:
        case "up":
            cluster.up(layout)
        case "down":
            cluster.down(layout)
        case "status":
            return _status(layout)
        case "images":
            with cluster.alone(layout):
                foreign.check(layout) if wish.foreign else images.bring(layout, wish.name)
        case "push":
            with cluster.alone(layout):
                registry.fill(layout, wish.tag)
        case "logs":
            _print_log(layout, wish.name)
        case "build":
            print(_built(layout, wish.name))
        case verb:
            _control(layout, verb, wish)
    return 0


def _status(layout: Layout) -> int:
    lab = cluster.running(layout)
    for name in PROGRAMS:
        record = processes.alive(layout, name)
        print(f"{name:24} {'pid ' + str(record.pid) if record else '-'}")
    print(f"{'lab':24} {'up, KUBECONFIG=' + str(lab.kubeconfig) if lab else 'not up'}")
    return 0 if lab else 1


def _print_log(layout: Layout, name: str) -> None:
    path = log_of(layout, name)
    if not path.exists():
        known = ", ".join(sorted(found.stem for found in layout.logs.glob("*.log")))
        raise LabError(f"no log of {name}; there are: {known or 'none'}")
    with path.open(errors="replace") as lines:
        sys.stdout.writelines(lines)


def _built(layout: Layout, name: str) -> str:
    """The programs' paths; the build's own cgroup makes a `down` find an interrupted one."""
    module = MODULES[name]
    if build.missing(layout, module):
        _require_ground(layout)
        build.build(layout, module)
    return "\n".join(str(build.program(layout, program)) for program in module.packages)


def _require_ground(layout: Layout) -> None:
    """Not `running`: a test that has stopped the API server still wants the other commands."""
    if not cluster.intact(layout):
        raise LabError("not up; `python -m lab up` first")


def _control(layout: Layout, verb: str, wish: argparse.Namespace) -> None:
    _require_ground(layout)
    if verb in {"stop", "restart"}:
        processes.stop(layout, wish.name, at_once=wish.kill)
    if verb in {"start", "restart"} and wish.name == "registry":
        registry.serve(layout)
    elif verb in {"start", "restart"}:
        processes.start(layout, wish.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
