"""Certificates in flight, and what people do to them by hand: admission goes on."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
from cryptography import x509

from delivery import names
from delivery.hashing import template_hash
from demo.kubectl import JSON, Kubectl, as_yaml
from demo.namespace import Namespace
from demo.waiting import eventually
from tests.system.admissions import Admissions, deployment, hold, prepare, update
from tests.system.installation import KINDS, SECRET, Installation, asked, installed, samples

RATE = 20
QUICK = ("--leaf-seconds=24", "--authority-seconds=48", "--settle-seconds=3")
SETTLING = ("--settle-seconds=3",)
Figure = Callable[[str], None]


@pytest.fixture
def second(cluster: None, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A webhook of this test's own, with the flags that the test is marked with."""
    marker = request.node.get_closest_marker("parametrize")
    flags = request.param if marker else ()
    with installed(f"webhook-{uuid.uuid4().hex[:6]}", *flags) as made:
        yield made


@pytest.fixture
def held(second: Installation, plain_namespace: Namespace) -> Namespace:
    """Deployments that are held at none by the second webhook, and by no other."""
    prepare(plain_namespace)
    second.opt_in(plain_namespace)
    eventually("its rights", lambda: plain_namespace.found("RoleBinding", names.AGENT))
    hold(plain_namespace)
    eventually("admission acts", lambda: acts(plain_namespace))
    return plain_namespace


def acts(place: Namespace) -> bool:
    """Whether admission takes over one more wish."""
    return update(place, 0, 1 + uuid.uuid4().int % 10_000)


def leaf(second: Installation) -> bytes:
    return base64.b64decode(second.secret()["tls.crt"])


def authorities(bundle: str) -> set[x509.Certificate]:
    return set(x509.load_pem_x509_certificates(base64.b64decode(bundle)))


class Seen:
    """Every leaf in the Secret, and every set of authorities that was registered."""

    def __init__(self, second: Installation) -> None:
        self.second = second
        self.first = authorities(second.bundle())
        self.leaves: set[bytes] = set()
        self.most = 0

    def replaced(self) -> bool:
        """Looks once more: whether the first authority has come and gone."""
        self.leaves.add(leaf(self.second))
        now = authorities(self.second.bundle())
        self.most = max(self.most, len(now))
        return not self.first & now


@pytest.mark.parametrize("second", [QUICK], indirect=True)
def test_all_rotates_under_load_and_nothing_fails_or_slips(
    second: Installation, held: Namespace, figure: Figure
) -> None:
    seen, before = Seen(second), second.seen_by_api_server()
    with second.connections(8) as idle, Admissions(held, RATE) as load:
        load.burst(16)
        assert [asked(one, "/healthz")[0] for one in idle] == [200] * 16
        eventually("all was replaced", seen.replaced, timeout=90, pause=1)
        load.burst(16)
        assert [asked(one, "/healthz")[0] for one in idle] == [200] * 16
    figure(told(second, load, seen))
    assert (load.failures, load.slipped, seen.most) == ([], 0, 2)
    assert second.seen_by_api_server() == before
    assert load.done >= RATE * load.seconds / 2


def told(second: Installation, load: Admissions, seen: Seen) -> str:
    steps = {
        step: sum(
            sample.value
            for sample in second.samples()
            if sample.name == "outrider_certificate_renewals_total"
            and sample.labels["step"] == step
        )
        for step in ("leaf", "authority", "retired")
    }
    return (
        f"certificates: {load.done} admissions in {load.seconds:.0f} s, {len(load.failures)} "
        f"failed, {load.slipped} slipped; rotated {steps}; {len(seen.leaves)} leaves seen"
    )


def secret_deleted(second: Installation) -> None:
    second.place.kubectl("delete", "secret", SECRET)


def rubbish_in_the_secret(second: Installation) -> None:
    patch = json.dumps({"data": {"tls.crt": "cnViYmlzaA==", "ca.key": "cnViYmlzaA=="}})
    second.place.kubectl("patch", "secret", SECRET, "-p", patch)


def registration_deleted(second: Installation) -> None:
    Kubectl()("delete", KINDS[0], second.name)


def bundle_blanked(second: Installation) -> None:
    """A file without the caBundle, applied over it by force."""
    manifest = Kubectl().json("get", KINDS[0], second.name)
    for webhook in manifest["webhooks"]:
        webhook["clientConfig"]["caBundle"] = ""
    manifest["metadata"] = {"name": second.name}
    Kubectl().apply([manifest], "--server-side", "--force-conflicts", "--field-manager=team")


def well(second: Installation, held: Namespace) -> bool:
    """The Secret is whole, what it holds is registered, and admission acts."""
    secret = second.secret()
    whole = len(secret) == 4 and secret["ca.crt"] == second.bundle()
    return whole and acts(held)


HARMLESS = (secret_deleted, rubbish_in_the_secret)
HARMFUL = (registration_deleted, bundle_blanked)


@pytest.mark.parametrize("second", [SETTLING], indirect=True)
def test_what_is_done_by_hand_heals(second: Installation, held: Namespace, figure: Figure) -> None:
    first = leaf(second)
    for mishap in (*HARMLESS, *HARMFUL):
        with Admissions(held, RATE) as load:
            began = time.monotonic()
            mishap(second)
            eventually(mishap.__name__, lambda: well(second, held), timeout=20, pause=0.05)
            seconds = time.monotonic() - began
        figure(
            f"certificates: {mishap.__name__}: healed in {seconds:.1f} s, "
            f"{load.slipped} of {load.done} admissions slipped meanwhile"
        )
        assert (load.failures, load.slipped and mishap in HARMLESS) == ([], 0)
    eventually("the new authority signs", lambda: leaf(second) != first, timeout=30)


@pytest.mark.parametrize("second", [SETTLING], indirect=True)
def test_no_replica_is_ready_that_would_not_be_believed(
    second: Installation, held: Namespace
) -> None:
    (rights,) = (one for one in second.manifests() if one["kind"] == "ClusterRole")
    Kubectl().apply([{**rights, "rules": [read_only(rule) for rule in rights["rules"]]}])
    bundle_blanked(second)
    eventually("no replica is ready", lambda: second.ready() == 0, timeout=30)
    Kubectl().apply([rights])
    eventually("both are ready", lambda: second.ready() == 2, timeout=30)
    eventually("all is well", lambda: well(second, held), timeout=20)


def read_only(rule: JSON) -> JSON:
    mine = "admissionregistration.k8s.io" in rule["apiGroups"]
    return {**rule, "verbs": ["get", "list", "watch"]} if mine else rule


def test_the_mark_of_admission_is_in_no_diff_and_the_same_in_a_dry_run(
    namespace: Namespace,
) -> None:
    prepare(namespace)
    namespace.opt_in()
    eventually("its rights", lambda: namespace.found("RoleBinding", names.AGENT))
    hold(namespace)
    file = deployment(0, image="web:2")
    assert namespace.kubectl.differences([deployment(0)]) == ""
    words = ("apply", "--dry-run=server", "-o", "json", "-f", "-")
    promised = json.loads(namespace.kubectl(*words, stdin=as_yaml([file])))
    namespace.kubectl.apply([file])
    assert mark(namespace.read("Deployment", "web-0")) == mark(promised) != ""
    assert namespace.kubectl.differences([file]) == ""


def mark(found: JSON) -> str:
    said: str = found["metadata"]["annotations"][names.ADMITTED]
    assert said == template_hash(found["spec"]["template"])
    return said


def test_an_update_that_slips_past_admission_is_said_and_counted(
    hurried: None, shop: Namespace
) -> None:
    # What comes under the agent's name bears no mark, as though admission had not been asked.
    agent = f"--as=system:serviceaccount:{shop.name}:{names.AGENT}"
    shop.kubectl("set", "env", "deployment/shop", "SLIPPED=1", agent)
    eventually("a Warning on the Deployment", lambda: warned(shop), timeout=30)
    eventually("the agents' counter", lambda: counted(shop) == 1, timeout=10)


def warned(place: Namespace) -> bool:
    found = [one for one in place.list("Event") if one["reason"] == "Slipped"]
    return [(one["type"], one["involvedObject"]["kind"]) for one in found] == [
        ("Warning", "Deployment")
    ]


def counted(place: Namespace) -> float:
    """The sum over the agents."""
    pods = place.list("Pod", f"app.kubernetes.io/name={names.AGENT}")
    found = 0.0
    for address in (pod["status"]["podIP"] for pod in pods):
        with closing(HTTPConnection(address, names.AGENT_HTTP_PORT, timeout=10)) as agent:
            text = asked(agent, "/metrics")[1]
        found += sum(
            one.value for one in samples(text) if one.name == "outrider_slipped_updates_total"
        )
    return found
