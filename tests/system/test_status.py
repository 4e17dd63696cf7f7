"""What a release leaves to read: conditions, columns and metrics."""

import re
import shlex
import subprocess
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from delivery.names import AGENT
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import PROJECT
from demo.waiting import eventually
from tests.system.canaries import BAD, GOOD, PATIENT, analysis, canary, changed, managed, reaches
from tests.system.load import Load

README = (PROJECT / "README.md").read_text()
COLUMNS = ["NAME", "STATUS", "WEIGHT", "LASTTRANSITIONTIME"]
WIDE = [
    *("NAME", "STATUS", "WEIGHT", "SUSPENDED", "FAILEDCHECKS", "INTERVAL", "MIRROR"),
    *("STEPWEIGHT", "STEPWEIGHTS", "MAXWEIGHT", "LASTTRANSITIONTIME"),
]
CONDITIONS = [
    ("Progressing", "Unknown", "New revision detected, progressing canary analysis."),
    ("Promoting", "Unknown", "Canary analysis completed, starting primary rolling update."),
    ("Finalising", "Unknown", "Canary analysis completed, routing all traffic to primary."),
    ("Succeeded", "True", "Canary analysis completed successfully, promotion finished."),
]
INITIALIZED = ("Initialized", "True", "Deployment initialization completed.")
FAILED = ("Failed", "False", "Canary analysis failed, Deployment scaled to zero.")


def promoted(status: JSON) -> tuple[str, str, str]:
    (found,) = [one for one in status["conditions"] if one["type"] == "Promoted"]
    return found["reason"], found["status"], found["message"]


@pytest.mark.soak
def test_the_condition_follows_the_phase_word_for_word(namespace: Namespace, load: Load) -> None:
    managed(namespace, canary())
    load(namespace, *PATIENT)
    assert promoted(namespace.status()) == INITIALIZED
    seen: list[tuple[str, str, str]] = []
    release = Release(namespace, listener=lambda status: seen.append(promoted(status)))
    namespace.kubectl.apply(GOOD.manifests())
    release.started()
    waiting = ("wait", "canary/shop", "--for=condition=promoted", "--timeout=90s")
    release.finished()
    assert list(dict.fromkeys(seen)) == CONDITIONS
    assert "condition met" in namespace.kubectl(*waiting, timeout=100)
    namespace.kubectl.apply(BAD.manifests())
    assert promoted(reaches(namespace, "Failed")) == FAILED


def columns(place: Namespace, *options: str) -> dict[str, str]:
    """What `kubectl get canary` shows of the shop, by the names of its columns."""
    head, row = place.kubectl("get", "canary", "shop", *options).splitlines()
    starts = [found.start() for found in re.finditer(r"\S+", head)]
    ends = [*starts[1:], None]
    cut = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    return {head[one].strip(): row[one].strip() for one in cut}


Series = list[tuple[str, dict[str, str], float]]


def scraped(place: Namespace) -> Series:
    """The metrics of the agent that decides, from one scrape."""
    place.complete(AGENT)
    for agent in place.list("Pod", "app.kubernetes.io/name=outrider-agent"):
        url = f"http://{agent['status']['podIP']}:8080/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        found = [(one.name, one.labels, one.value) for each in families for one in each.samples]
        if value(found, "outrider_leader"):
            return found
    return []


def value(found: Series, name: str, /, **labels: str) -> float | None:
    return next(
        (
            number
            for series, said, number in found
            if series == name and labels.items() <= said.items()
        ),
        None,
    )


def test_columns_and_metrics_agree_with_what_happened(namespace: Namespace, load: Load) -> None:
    managed(namespace, canary(analysis=analysis(interval="1m")))
    load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests())
    release.weighs(20)
    assert list(columns(namespace)) == COLUMNS
    found = columns(namespace, "--output=wide")
    assert list(found) == WIDE
    assert (found["STATUS"], found["WEIGHT"], found["STEPWEIGHTS"]) == (
        "Progressing",
        "20",
        "[20,60]",
    )
    assert_metrics(namespace, status=0, weight=20, primary=80)
    success = subprocess.Popen(wait_command(namespace), stdout=subprocess.DEVNULL)
    changed(namespace, {"analysis": {"interval": "1s"}})
    assert release.finished().outcome == "promoted"
    assert success.wait(timeout=30) == 0, "begun in mid-release"
    assert_metrics(namespace, status=1, weight=0, primary=100, successes=1, rate=100)
    namespace.kubectl.apply(BAD.manifests())
    reaches(namespace, "Failed")
    assert_metrics(namespace, status=2, weight=0, successes=1, failures=1, rate=0)


def wait_command(place: Namespace) -> list[str]:
    """As the README writes it."""
    (found,) = re.findall(r"`(kubectl .*--for=condition=promoted.*?)`", README)
    return [place.name if word == "shop" else word for word in shlex.split(found)]


def assert_metrics(place: Namespace, **expected: float) -> None:
    """Wait until the agent's metrics say so: it tells them when its turn has ended."""
    eventually(f"metrics {expected}", lambda: expected.items() <= told(place).items(), timeout=10)


def told(place: Namespace) -> dict[str, float | None]:
    found = scraped(place)
    shop = {"name": "shop", "namespace": place.name}
    ended = {**shop, "deployment_strategy": "canary", "analysis_status": "completed"}
    halves = {"weight": "shop", "primary": "shop-primary"}
    return {
        "status": value(found, "flagger_canary_status", **shop),
        "successes": value(found, "flagger_canary_successes_total", **ended),
        "failures": value(found, "flagger_canary_failures_total", **ended),
        "rate": value(
            found, "flagger_canary_metric_analysis", **shop, metric="request-success-rate"
        ),
        **{
            key: value(found, "flagger_canary_weight", workload=half, namespace=place.name)
            for key, half in halves.items()
        },
    }
