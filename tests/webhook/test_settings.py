import re

import pytest

from delivery import names
from delivery.optin import namespace_parts
from delivery.programs import Programs
from webhook.settings import Settings, settings, version

TOLD = {"NAMESPACE": "outrider-system", "AGENT_IMAGE": "agent:1", "ROUTER_IMAGE": "envoy:1"}


def test_the_environment_is_enough() -> None:
    assert settings([], TOLD) == Settings("outrider-system", "agent:1", "envoy:1")


def test_a_flag_comes_before_the_environment() -> None:
    said = settings(["--namespace", "other", "--port", "9443"], TOLD)
    assert (said.namespace, said.port) == ("other", 9443)


@pytest.mark.parametrize("missing", list(TOLD))
def test_what_is_missing_is_named(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings([], {key: text for key, text in TOLD.items() if key != missing})
    assert "--" + missing.lower().replace("_", "-") in capsys.readouterr().err


def test_the_api_server_calls_the_first_host() -> None:
    assert settings([], TOLD).hosts[0] == "outrider-webhook.outrider-system.svc"


def test_the_version_is_that_of_the_project() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())


def test_a_namespace_opts_in_by_the_label_of_the_readme() -> None:
    assert settings([], TOLD).label == names.ENABLED


@pytest.mark.parametrize(
    ("leaf", "authority", "settle"), [(30, 60, 6), (30, 59, 3), (3600, 3600, 60)]
)
def test_lives_that_leave_no_time_are_refused(leaf: int, authority: int, settle: int) -> None:
    words = (f"--leaf-seconds={leaf}", f"--authority-seconds={authority}")
    with pytest.raises(SystemExit):
        settings([*words, f"--settle-seconds={settle}"], TOLD)


def test_lives_of_seconds_are_taken() -> None:
    words = ("--leaf-seconds=30", "--authority-seconds=60", "--settle-seconds=3")
    assert settings(words, TOLD).settle_seconds == 3


def test_the_pods_that_namespaces_get_are_as_the_environment_says() -> None:
    said = {"PULL_SECRETS": "one, two,", "PRIORITY_CLASS": "high", "POD_NAME": "webhook-1"}
    told = settings([], {**TOLD, **said})
    assert told.programs == Programs("agent:1", "envoy:1", ("one", "two"), "high")
    assert told.identity == "webhook-1"


def test_a_second_installation_has_agents_with_its_own_label() -> None:
    assert settings(["--instance=next"], TOLD).programs.label == "next.outrider.dev/enabled"


@pytest.mark.parametrize(("host", "ipv6"), [("10.96.0.1", False), ("fd00::1", True)])
def test_the_clusters_own_address_tells_how_pods_are_reached(host: str, ipv6: bool) -> None:
    assert settings([], {**TOLD, "KUBERNETES_SERVICE_HOST": host}).programs.ipv6 is ipv6


def test_their_sizes_are_said_as_kubectl_says_them() -> None:
    told = settings([], {**TOLD, "AGENT_LIMITS": "cpu=,memory=1Gi", "ROUTER_REQUESTS": "cpu=100m"})
    assert told.programs.agent_size.limits == (("memory", "1Gi"),)
    assert told.programs.router_size.requests == (("cpu", "100m"), ("memory", "64Mi"))


def test_a_size_that_cannot_be_is_refused_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings([], {**TOLD, "ROUTER_LIMITS": "cpu=some"})
    assert "ROUTER_REQUESTS, ROUTER_LIMITS: 'some' is no quantity" in capsys.readouterr().err


def test_what_all_agents_are_to_know_goes_into_their_pods() -> None:
    said = {"CLUSTER_NAME": "east", "EVENT_WEBHOOK_URL": "http://events.tools/", "ALERTS": "ops"}
    parts = namespace_parts("shop", settings([], TOLD | said).programs)
    (container,) = parts[4]["spec"]["template"]["spec"]["containers"]
    found = {one["name"]: one.get("value") for one in container["env"]}
    assert said.items() <= found.items()
    (plain,) = namespace_parts("shop", settings([], TOLD).programs)[4]["spec"]["template"]["spec"][
        "containers"
    ]
    assert not said.keys() & {one["name"] for one in plain["env"]}


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ({"EVENT_WEBHOOK_URL": "events.tools"}, "http://events.tools/"),
        ({"ALERTS": "ops:loud"}, "such as ops:error"),
    ],
)
def test_what_agents_could_not_use_is_refused(
    said: dict[str, str], fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings([], TOLD | said)
    assert fix in capsys.readouterr().err
