"""What one more pod takes of a quota."""

from typing import Any

import pytest

from delivery.demand import of_pod
from delivery.quantity import shown

Document = dict[str, Any]


def box(*, cpu: str = "", limit: str = "", **more: Any) -> Document:
    requests = {"cpu": cpu} if cpu else {}
    limits = {"cpu": limit} if limit else {}
    return {"resources": {"requests": requests, "limits": limits}, **more}


def asked(spec: Document, *limits: Document) -> dict[str, str]:
    found = of_pod({"spec": {"containers": [], **spec}}, limits)
    return {name: shown(amount) for name, amount in found.items() if "pods" not in name}


def cpu(spec: Document, *limits: Document) -> str:
    return asked(spec, *limits).get("requests.cpu", "0")


def defaults(**said: Any) -> Document:
    return {"spec": {"limits": [{"type": "Pod"}, {"type": "Container", **said}]}}


def test_a_pod_counts_as_one() -> None:
    assert {str(one) for one in of_pod({"spec": {"containers": []}}, ()).values()} == {"1"}


def test_requests_have_two_names_and_limits_one() -> None:
    found = asked({"containers": [box(cpu="100m", limit="1"), box(cpu="50m")]})
    assert found == {"cpu": "150m", "requests.cpu": "150m", "limits.cpu": "1"}


def test_what_is_no_ordinary_resource_is_requested_by_its_full_name() -> None:
    gpu = {"resources": {"requests": {"nvidia.com/gpu": "1"}}}
    assert asked({"containers": [gpu]}) == {"requests.nvidia.com/gpu": "1"}


@pytest.mark.parametrize(
    ("inits", "total"),
    [
        ([box(cpu="50m")], "100m"),
        ([box(cpu="300m")], "300m"),
        ([box(cpu="50m", restartPolicy="Always")], "150m"),
        ([box(cpu="50m", restartPolicy="Always"), box(cpu="80m")], "150m"),
        ([box(cpu="50m", restartPolicy="Always"), box(cpu="200m")], "250m"),
    ],
)
def test_init_containers_run_before_and_sidecars_beside(inits: list[Document], total: str) -> None:
    assert cpu({"initContainers": inits, "containers": [box(cpu="100m")]}) == total


def test_what_is_limited_but_not_requested_is_requested_to_its_limit() -> None:
    assert cpu({"containers": [box(limit="2")]}) == "2"


def test_a_limit_range_fills_what_is_left_out_and_the_first_one_counts() -> None:
    first = defaults(default={"cpu": "1"}, defaultRequest={"cpu": "200m"})
    second = defaults(default={"cpu": "9"}, defaultRequest={"cpu": "9"})
    found = asked({"containers": [{}, box(cpu="100m")]}, first, second)
    assert (found["requests.cpu"], found["limits.cpu"]) == ("300m", "2")
    assert cpu({"containers": [{}]}, {"spec": {}}) == "0"
    assert cpu({"containers": [{}]}, defaults()) == "0"


def test_what_is_said_of_the_whole_pod_counts_before_its_parts() -> None:
    whole = {"requests": {"cpu": "1"}}
    assert cpu({"containers": [box(cpu="100m")], "resources": whole}) == "1"


def test_the_runtimes_own_need_comes_on_top() -> None:
    assert cpu({"containers": [box(cpu="100m")], "overhead": {"cpu": "20m"}}) == "120m"


def test_each_pod_has_a_claim_for_each_ephemeral_volume() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "64Mi"}}}}
    volumes = [{"emptyDir": {}}, {"ephemeral": {"volumeClaimTemplate": claim}}]
    found = asked({"volumes": volumes})
    assert found == {
        "persistentvolumeclaims": "1",
        "count/persistentvolumeclaims": "1",
        "requests.storage": "64Mi",
    }
