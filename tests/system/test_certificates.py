"""Certificates in flight, and what people do to them by hand: admission goes on."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509

from delivery import names
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.waiting import eventually
from tests.system.admissions import Admissions, hold, prepare, update
from tests.system.installation import KINDS, SECRET, Installation, asked, installed

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


@pytest.mark.parametrize("second", [SETTLING], indirect=True)
def test_what_is_done_by_hand_heals(second: Installation, held: Namespace, figure: Figure) -> None:
    for mishap in (secret_deleted, rubbish_in_the_secret, registration_deleted, bundle_blanked):
        before = second.secret()["ca.crt"]
        began = time.monotonic()
        mishap(second)
        eventually(mishap.__name__, lambda: well(second, held), timeout=20, pause=0.05)
        figure(f"certificates: {mishap.__name__} healed in {time.monotonic() - began:.1f} s")
        remade = second.secret()["ca.crt"] != before
        assert remade is (mishap in (secret_deleted, rubbish_in_the_secret))


@pytest.mark.parametrize("second", [SETTLING], indirect=True)
def test_a_lost_secret_costs_no_admission_and_the_new_authority_takes_over(
    second: Installation, held: Namespace
) -> None:
    before = leaf(second)
    with Admissions(held, RATE) as load:
        secret_deleted(second)
        eventually("it is whole", lambda: len(second.secret()) == 4, timeout=20)
        eventually("a new leaf is served", lambda: leaf(second) != before, timeout=40)
        load.burst(8)
    assert (load.failures, load.slipped) == ([], 0)


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
