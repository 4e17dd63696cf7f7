import pytest

from agent.settings import Settings, settings
from delivery import names
from delivery.alert import Route

WITH_IPV6 = {"NAMESPACE": "shop", "POD_IPS": "10.0.0.1,fd00::1"}
IN_A_POD = {"NAMESPACE": "shop", "POD_NAME": "agent-1", "HOSTNAME": "host"}


def test_a_pod_needs_no_flags() -> None:
    found = settings([], IN_A_POD)
    assert found == Settings("shop", "agent-1")
    assert (found.http_port, found.xds_port) == (names.AGENT_HTTP_PORT, names.XDS_PORT)


def test_flags_come_before_the_environment() -> None:
    flags = ["--namespace=cart", "--identity=me", "--kubeconfig=k", "--http-port=1"]
    found = settings([*flags, "--xds-port=2", "--log-level=DEBUG"], IN_A_POD)
    assert found == Settings("cart", "me", "k", 1, 2, "DEBUG")


@pytest.mark.parametrize(
    ("environment", "identity"),
    [({"HOSTNAME": "host"}, "host"), ({}, "agent"), (IN_A_POD, "agent-1")],
)
def test_who_it_is_is_found_out(environment: dict[str, str], identity: str) -> None:
    assert settings(["--namespace=shop"], environment).identity == identity


def test_a_level_is_understood_in_small_letters() -> None:
    assert settings([], {**IN_A_POD, "LOG_LEVEL": "debug"}).log_level == "DEBUG"


@pytest.mark.parametrize("flags", [[], ["--namespace="]])
def test_without_a_namespace_it_says_what_is_missing(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings(flags, {})
    assert "NAMESPACE in the environment" in capsys.readouterr().err


def test_a_flag_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings(["--namespaces=shop"], IN_A_POD)
    assert "--namespaces" in capsys.readouterr().err


def test_another_installation_has_another_label() -> None:
    assert settings([], IN_A_POD).label == names.ENABLED
    assert settings([], {**IN_A_POD, "OPT_IN_LABEL": "x/enabled"}).label == "x/enabled"


def test_pods_have_ipv6_where_its_own_pod_has() -> None:
    assert settings([], WITH_IPV6).ipv6
    assert not settings([], IN_A_POD).ipv6


def test_what_the_installation_says_is_taken_from_the_environment() -> None:
    said = {"CLUSTER_NAME": "east", "EVENT_WEBHOOK_URL": "http://events.tools/"}
    found = settings([], {**IN_A_POD, **said, "ALERTS": "tools/ops:error"})
    assert (found.cluster_name, found.event_webhook) == ("east", "http://events.tools/")
    assert found.alerts == (Route("tools/ops", "ops", "error", "tools", everybodys=True),)
