"""`python -m demo`: three releases on a real cluster; its status says whether all ended well."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from demo import install, namespace
from demo.dump import dump
from demo.evidence import Recorder
from demo.kubectl import Kubectl
from demo.namespace import Namespace
from demo.report import EXPECTED, Report, rows, well_ended
from demo.shop import PROJECT, V1, V2, V3, V4, Shop
from demo.story import Narrator, chapter, say, table, typed
from demo.traffic import Answer, Traffic, foreign, in_a_pod
from demo.waiting import NeverHappened

NAME = "outrider-demo"
RATE = "50"
RESULT = PROJECT / ".lab" / "demo.json"
BLURB = {
    "v2": "v2 is good",
    "v3": "v3 answers every other request with a 500",
    "v4": "v4 is well, but 800 ms slow",
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--kubeconfig", help="an existing cluster; without it the lab is used")
    parser.add_argument("--registry", help="where the images are, for an existing cluster")
    parser.add_argument("--tag", default="lab", help="the images' tag")
    parser.add_argument("--keep", action="store_true", help="leave the demo's namespace in place")
    return parser.parse_args()


def into_the_lab() -> None:
    """Start the lab and run this program again inside of its network."""
    lab = [sys.executable, "-m", "lab"]
    subprocess.run([*lab, "up"], check=True, cwd=PROJECT, timeout=3600)
    subprocess.run([*lab, "images"], check=True, cwd=PROJECT, timeout=3600)
    again = [sys.executable, "-m", "demo", *sys.argv[1:], "--kubeconfig", ".lab/kubeconfig"]
    os.chdir(PROJECT)
    os.execv(lab[0], [*lab, "exec", *again])


def main() -> int:
    chosen = options()
    if not chosen.kubeconfig:
        into_the_lab()
    os.environ["KUBECONFIG"] = str(Path(chosen.kubeconfig).resolve())
    os.environ["OUTRIDER_TAG"] = chosen.tag
    if chosen.registry:
        os.environ["OUTRIDER_REGISTRY"] = chosen.registry
    chapter("Installing Outrider")
    install.install(tell=typed)
    Kubectl()("delete", "namespace", NAME, "--ignore-not-found", timeout=120)
    place = namespace.create(NAME)
    try:
        return told(place)
    except NeverHappened as failure:
        say(str(failure), "red")
        sys.stdout.write(dump(place))
        return 1
    finally:
        if not chosen.keep:
            Kubectl()("delete", "namespace", NAME, "--wait=false")


def told(place: Namespace) -> int:
    """The story; its exit status."""
    opened(place)
    address = f"http://shop.{NAME}.svc.cluster.local/"
    say(f"a client pod sends {RATE} requests a second to {address}")
    traffic = in_a_pod(place.kubectl, address, "--rate", RATE)
    say("Outrider makes a pair of the running app: shop (the canary half) and shop-primary")
    place.adopted()
    say("adopted: shop-primary serves, shop has no pods", "green")
    recorder = Recorder()
    reports = [released(place, traffic, version, recorder) for version in (V2, V3, V4)]
    recorder.write()
    return concluded(reports, foreign(traffic.stop()))


def opened(place: Namespace) -> None:
    chapter("A team opts in, and applies its app as ever")
    typed(f"kubectl label namespace {NAME} outrider.dev/enabled=true")
    place.opt_in()
    typed("kubectl apply -f examples/shop/shop.yaml")
    place.kubectl.apply(V1.manifests())
    place.complete()


def released(place: Namespace, traffic: Traffic, version: Shop, recorder: Recorder) -> Report:
    """One apply and what became of it."""
    chapter(f"A release: {BLURB[version.version]}")
    typed(f"kubectl apply -f shop.yaml    # {changes(version)}")
    narrator = Narrator(place, traffic)
    listener = recorder.beside(version.version, narrator)
    report = Report.of(place, traffic, version, listener)
    narrator.tell_events()
    well = report.outcome == EXPECTED[version.version]
    say(
        f"{version.version} was {report.outcome} after {report.seconds} s",
        "green" if well else "red",
    )
    return report


def changes(version: Shop) -> str:
    """The lines that the team edited."""
    before = dict(V1.settings())
    return ", ".join(f"{k}={v}" for k, v in version.settings() if before[k] != v)


def concluded(reports: Sequence[Report], lost: Sequence[Answer]) -> int:
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([asdict(report) for report in reports], indent=2) + "\n")
    chapter("What happened")
    sys.stdout.write(table(rows(reports)) + "\n\n")
    for answer in lost[:10]:
        say(f"a failure that the app did not make: {answer}", "red")
    if all(map(well_ended, reports)) and not lost:
        say(
            "the good version was promoted, both bad ones were rolled back, nothing was lost",
            "green",
        )
        return 0
    say(f"not as it should be: see {RESULT.relative_to(PROJECT)}", "red")
    return 1


if __name__ == "__main__":
    sys.exit(main())
