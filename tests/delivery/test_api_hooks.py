"""`spec.analysis.webhooks`: read, shown, and refused with the field, its value and the fix."""

from typing import Any

import pytest

from delivery.api.cautions import cautions
from delivery.api.explained import explained
from delivery.canary import Analysis, Phase, Status
from delivery.hook import Hook, HookType, Owed, Told
from delivery.schema import DEFAULTS, effective, parse, problems, status_body, status_of

GATE = {"name": "gate", "url": "http://gate.test/gate/check", "type": "confirm-promotion"}


def manifest(*hooks: dict[str, Any]) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    analysis = {"interval": "5s", "threshold": 1, "stepWeight": 10, "webhooks": list(hooks)}
    return {"spec": {"targetRef": target, "analysis": analysis}}


def refused(**changes: Any) -> str:
    return "\n".join(problems(manifest({**GATE, **changes})))


def test_a_hook_is_read_with_flaggers_defaults() -> None:
    bare = {"name": "load", "url": "http://load.test/"}
    (found,) = parse(manifest(bare), DEFAULTS).analysis.hooks
    assert found == Hook("load", "http://load.test/", HookType.ROLLOUT, timeout=10.0, retries=0)


def test_all_that_a_hook_says_is_read_and_shown_without_what_is_secret() -> None:
    whole = {
        **GATE,
        "url": "https://ann:pass@gate.test/check?token=abc",
        "timeout": "1m30s",
        "retries": 3,
        "disableTLS": True,
        "muteAlert": True,
        "metadata": {"password": "s3cret"},
    }
    canary = parse(manifest(whole), DEFAULTS)
    (hook,) = canary.analysis.hooks
    assert hook == Hook(
        "gate",
        "https://ann:pass@gate.test/check?token=abc",
        HookType.CONFIRM_PROMOTION,
        timeout=90.0,
        retries=3,
        insecure=True,
        mute_alert=True,
        metadata={"password": "s3cret"},
    )
    assert effective(canary.analysis)["webhooks"] == [
        {
            "name": "gate",
            "type": "confirm-promotion",
            "url": "https://***@gate.test/check?***",
            "timeout": "90s",
            "retries": 3,
            "disableTLS": True,
            "muteAlert": True,
        }
    ]


@pytest.mark.parametrize("kind", [*HookType, "", None])
def test_every_type_is_known(kind: str | None) -> None:
    assert refused(type=kind) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": ""}, "spec.analysis.webhooks[0].name: is empty; name the hook"),
        (
            {"url": "gate.test"},
            'spec.analysis.webhooks[0].url: "gate.test" is no URL; '
            "write for example http://flagger-loadtester.test/",
        ),
        (
            {"url": "ftp://ann:pass@gate.test/?token=abc"},
            'spec.analysis.webhooks[0].url: "ftp://***@gate.test/?***" is no URL; '
            "write for example http://flagger-loadtester.test/",
        ),
        (
            {"retries": -1},
            "spec.analysis.webhooks[0].retries: -1 is out of range; use 0 to 100",
        ),
        ({"timeout": "soon"}, 'spec.analysis.webhooks[0].timeout: "soon" is not a duration; '),
        ({"timeout": "0s"}, 'spec.analysis.webhooks[0].timeout: "0s" is too short; use 1s or more'),
        (
            {"metadata": {"cmd": "hey {{ weight }}"}},
            "spec.analysis.webhooks[0].metadata.cmd: {{ weight }}: "
            'function "weight" not defined; known: and, canaryWeight, ',
        ),
        (
            {"metadata": {"cmd": "{{ if gt canaryWeight 50 }}{{ .items }}{{ end }}"}},
            "spec.analysis.webhooks[0].metadata.cmd: {{ .items }}: ",
        ),
        (
            {"type": "after"},
            "spec.analysis.webhooks[0].type: \"after\" is not known; use '', 'confirm-rollout', "
            "'pre-rollout', 'rollout', 'confirm-promotion', 'post-rollout', 'event', 'rollback', "
            "'confirm-traffic-increase' or 'post-rollback'",
        ),
    ],
)
def test_what_cannot_be_called_is_refused_with_the_fix(changes: dict[str, Any], text: str) -> None:
    assert refused(**changes).startswith(text)


def test_two_hooks_of_one_name_are_refused_both() -> None:
    found = problems(manifest(GATE, {**GATE, "type": "rollout"}))
    assert len(found) == 2
    assert found[0].startswith('spec.analysis.webhooks[0].name: "gate" is the name of another')


@pytest.mark.parametrize(
    ("name", "path", "metadata", "warned"),
    [
        ("gate", "/gate/check", {}, False),
        ("rollback", "/rollback/check", {}, False),
        ("post-release check", "/", {}, False),
        ("ask", "/", {"team": "a"}, False),
        ("notify", "/", {}, True),
        ("tell", "/after", {}, True),
        ("run", "/", {"cmd": "curl http://chat.test/"}, True),
        ("run", "/check", {"type": "bash"}, True),
    ],
)
def test_who_seems_to_mean_post_rollback_is_warned(
    name: str, path: str, metadata: dict[str, str], warned: bool
) -> None:
    url = f"http://hooks.test{path}"
    hook = {"name": name, "url": url, "type": "rollback", "metadata": metadata}
    found = cautions(manifest(hook))
    assert bool(found) == warned
    assert cautions(manifest({**hook, "type": "post-rollback"})) == ()
    for text in found:
        assert text.startswith('spec.analysis.webhooks[0].type: "rollback" asks whether')
        assert text.endswith("is of type post-rollback")


TOLD = Told("waiting", "abc/20", 1000.25, "status 403: Forbidden")
STATUS = Status(
    Phase.PROGRESSING,
    message="waits",
    hooks={"gate": TOLD, "other": Told("passed", "abc", 2.0)},
    owed=(Owed("end", "Failed", "abc", 3.5),),
)


def test_what_is_remembered_of_hooks_survives_its_storage() -> None:
    body = status_body(STATUS, {})
    assert body["hooks"]["gate"] == {
        "outcome": "waiting",
        "about": "abc/20",
        "time": "1970-01-01T00:16:40.250000Z",
        "reason": "status 403: Forbidden",
    }
    assert status_of(body) == STATUS


def test_the_last_decision_shows_the_hooks_that_were_heard() -> None:
    hooks = (Hook("gate", "http://x/", HookType.CONFIRM_PROMOTION), Hook("quiet", "http://x/"))
    shown = explained(STATUS, Analysis(hooks=hooks))["lastDecision"]["hooks"]
    assert shown == [
        {
            "name": "gate",
            "type": "confirm-promotion",
            "outcome": "waiting",
            "reason": "status 403: Forbidden",
        }
    ]
