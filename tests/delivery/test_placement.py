"""The canary's pods on other nodes: on the target's template, never in a revision or a primary."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names, pods
from delivery.canary import Phase
from delivery.covering import covers
from delivery.decision import Disown
from delivery.hashing import stripped, template_hash
from delivery.placement import added, bare, removal, spec_of, text
from delivery.schema import effective, problems, unbuilt
from tests.delivery.histories import calmed, watched
from tests.delivery.reviews import AGENT, Document, admitted, answer, deployment
from tests.delivery.test_max_duration import STEPS
from tests.delivery.test_schema import judged, manifest
from tests.delivery.test_step_properties import adopting
from tests.delivery.turns import ANALYSIS, Agent
from tests.delivery.worlds import merged

TAINT = {"key": "spot", "operator": "Exists"}
OWN = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
SPOT = text({"pool": "spot"}, [TAINT])
ASKED = {names.CANARY_TEMPLATE: SPOT}
SAID = {"nodeSelector": {"pool": "spot"}, "tolerations": [TAINT]}

selectors = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)
tolerations = st.lists(st.sampled_from([TAINT, OWN, {"key": "other"}]), max_size=2, unique_by=str)


def template(selector: Mapping[str, str], listed: list[Any]) -> Document:
    """As a user writes it: what is empty is not there."""
    fields = {"nodeSelector": dict(selector), "tolerations": list(listed)}
    return {"spec": {"containers": [], **{key: one for key, one in fields.items() if one}}}


def target(annotations: Mapping[str, str] | None = None, **pod: Any) -> Document:
    found = deployment(annotations)
    found["spec"]["template"]["spec"] |= pod
    return found


def placed(document: Document) -> Document:
    spec = document["spec"]["template"]["spec"]
    return {key: spec[key] for key in ("nodeSelector", "tolerations") if key in spec}


def mark(document: Document) -> str | None:
    found: str | None = (
        document["spec"]["template"]["metadata"].get("annotations", {}).get(names.CANARY_TEMPLATE)
    )
    return found


@given(selectors, tolerations, st.lists(st.builds(text, selectors, tolerations), max_size=3))
def test_what_is_put_on_a_template_is_no_part_of_it(
    own: Any, listed: Any, wishes: list[str]
) -> None:
    """Whatever was put there before."""
    written = template(own, listed)
    found = written
    for wanted in (*wishes, ""):
        asked = target({names.CANARY_TEMPLATE: wanted} if wanted else {})
        asked["spec"]["template"]["spec"] = found["spec"]
        asked["spec"]["template"]["metadata"] |= found.get("metadata", {})
        once = admitted(asked, asked, user=AGENT)
        assert answer(once, once, user=AGENT).operations == ()
        found = once["spec"]["template"]
        assert bare(found)["spec"] == written["spec"]
        plain = {**found, "spec": written["spec"]}
        assert template_hash(found) == template_hash(plain)
        selector = found["spec"].get("nodeSelector", {})
        assert own.items() <= selector.items()
        taken_off = merged(found, removal(found))
        assert stripped(taken_off) == stripped(plain)
        assert covers(taken_off, removal(found))
    assert found["spec"] == written["spec"]


def test_it_is_put_there_by_admission_and_stays_whatever_its_user_applies() -> None:
    stored = admitted(target(ASKED), target(), user=AGENT)
    assert (placed(stored), mark(stored)) == (SAID, SPOT)
    applied = admitted(target(), stored)
    assert (placed(applied), mark(applied)) == (SAID, SPOT)
    assert answer(stored, stored).operations == ()
    hashes = {template_hash(one["spec"]["template"]) for one in (stored, applied, target())}
    assert len(hashes) == 1


def test_what_its_user_says_goes_before_and_is_released() -> None:
    stored = admitted(target(ASKED), target(), user=AGENT)
    asked = copy.deepcopy(stored)
    asked["spec"]["template"]["spec"] |= {"nodeSelector": {"pool": "big"}, "tolerations": [OWN]}
    found = admitted(asked, stored)
    assert placed(found) == {"nodeSelector": {"pool": "big"}, "tolerations": [OWN, TAINT]}
    assert mark(found) == text({}, [TAINT])
    assert template_hash(found["spec"]["template"]) != template_hash(stored["spec"]["template"])


def test_an_undo_brings_back_no_former_place() -> None:
    former = admitted(
        target({names.CANARY_TEMPLATE: text({"pool": "old"}, [])}), target(), user=AGENT
    )
    asked = merged(former, {"metadata": {"annotations": {names.CANARY_TEMPLATE: "stale"}}})
    for kept, expected in ((ASKED, SAID), ({}, {})):
        assert placed(admitted(asked, admitted(target(kept), target(), user=AGENT))) == expected


@pytest.mark.parametrize("said", ["", "{", "[]", '{"nodeSelector":[1],"tolerations":{"a":1}}', "1"])
def test_what_cannot_be_read_places_nothing(said: str) -> None:
    found = admitted(target({names.CANARY_TEMPLATE: said}), target(), user=AGENT)
    assert (placed(found), mark(found)) == ({}, None)
    assert (
        bare({"metadata": {"annotations": {names.CANARY_TEMPLATE: said}}, "spec": 1})["spec"] == 1
    )
    assert (added({}, said), removal({})) == ("", {})
    assert spec_of({}, said) == {"nodeSelector": {}, "tolerations": []}


def halves(agent: Agent) -> tuple[Document, Document]:
    found = agent.world.deployments
    return placed(found["web"]), placed(found["web-primary"])


@pytest.mark.parametrize("admission", [True, False])
def test_the_canarys_pods_alone_are_placed_and_a_promotion_does_not_carry_it(
    admission: bool,
) -> None:
    """Without admission they simply run anywhere, until it is there again."""
    agent = watched(adopting(replace(ANALYSIS, placement=SPOT), admission=admission), 15)
    before, expected = agent.canary.status.promoted, SAID if admission else {}
    agent.world.apply("good:2")
    watched(agent, 8)
    assert agent.canary.status.phase is Phase.PROGRESSING
    assert halves(agent) == (expected, {})
    assert calmed(agent).canary.status.phase is Phase.SUCCEEDED
    assert halves(agent) == (SAID, {})
    assert agent.canary.status.promoted not in ("", before)


def test_nobody_owns_what_has_more_than_its_owner_wrote() -> None:
    """Or his next server-side apply would be in conflict with his own client-side one."""
    agent = watched(adopting(replace(ANALYSIS, placement=SPOT)), 15)
    owns: Document = {
        "f:template": {"f:spec": {"f:tolerations": {}, "f:containers": {}}},
        "f:replicas": {},
    }
    entry = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": owns}}
    target = agent.world.deployments["web"]
    target["metadata"]["managedFields"] = [entry]
    (effect,) = agent.turn()
    assert isinstance(effect, Disown)
    (left,) = effect.fields
    assert left["fieldsV1"] == {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}


def test_it_changes_while_nothing_runs_and_goes_with_its_wish() -> None:
    agent = watched(adopting(ANALYSIS), 15)
    revision = agent.canary.status.promoted
    agent.world.apply("good:2")
    watched(agent, 8)
    agent.canary = replace(agent.canary, analysis=replace(ANALYSIS, placement=SPOT))
    assert halves(watched(agent, 2)) == ({}, {})
    assert halves(calmed(agent)) == (SAID, {})
    agent.canary = replace(agent.canary, analysis=ANALYSIS)
    assert halves(watched(agent, 2)) == ({}, {})
    assert agent.canary.status.phase is Phase.SUCCEEDED
    assert agent.canary.status.promoted != revision


@pytest.mark.parametrize("admission", [True, False])
def test_an_app_that_leaves_takes_nothing_of_it_along(admission: bool) -> None:
    agent = watched(adopting(replace(ANALYSIS, placement=SPOT)), 15)
    assert halves(agent) == (SAID, {})
    agent.world.enrolled, agent.world.admission = False, admission
    watched(agent, 40)
    found = agent.world.deployments["web"]
    assert (placed(found), mark(found)) == ({}, None)
    assert names.CANARY_TEMPLATE not in found["metadata"]["annotations"]


def test_a_pod_that_no_node_takes_says_what_else_was_asked_of_nodes() -> None:
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}
    pod: Document = {"metadata": {"name": "x"}, "status": {"conditions": [why]}}
    assert pods.hindrance(deployment(), [pod]) == "pod x: 0/1"
    pod["metadata"]["annotations"] = ASKED
    said = pods.hindrance(deployment(), [pod])
    assert said == f"pod x: 0/1; spec.analysis.canaryTemplate of its Canary says {SPOT}"


def test_it_is_said_in_our_field_or_as_flaggers_guides_do() -> None:
    for field in ({"canaryTemplate": SAID}, {"canaryAnalysis": {"templateVariables": SAID}}):
        assert judged(**field).placement == SPOT
        written = manifest(analysis=STEPS | field)
        assert (problems(written), unbuilt(written)) == ((), ())
    assert effective(judged(canaryTemplate=SAID))["canaryTemplate"] == SAID
    both = {"canaryTemplate": SAID, "canaryAnalysis": {"templateVariables": SAID}}
    assert problems(manifest(analysis=STEPS | both)) == ()
    assert judged().placement == ""


BAD: list[tuple[dict[str, Any], str]] = [
    ({"nodeSelector": {"a b": "x"}}, '.nodeSelector: "a b" is no label; use one of a node'),
    ({"nodeSelector": {"Bad.Com/x": "x"}}, '.nodeSelector: "Bad.Com/x" is no label; use one of'),
    ({"nodeSelector": {"pool": "a b"}}, '.nodeSelector.pool: "a b" is no value of a label'),
    ({"tolerations": [{"key": "-"}]}, '.tolerations[0].key: "-" is no key of a taint; use one'),
    ({"tolerations": [{}]}, ".tolerations[0].key: is missing; name a taint, or set operator"),
    (
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        '.tolerations[0].value: "b" is set beside operator Exists; remove it',
    ),
    ({"tolerations": [{"key": "a", "value": "b c"}]}, '.tolerations[0].value: "b c" is no value'),
    (
        {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
        ".tolerations[0].tolerationSeconds: is for effect NoExecute; set that, or remove it",
    ),
    (
        {"affinity": {}},
        ".affinity: {} is set, but there is no such field; known here: nodeSelector",
    ),
]


@pytest.mark.parametrize(("said", "problem"), BAD)
def test_what_the_api_server_would_refuse_is_refused_before(
    said: dict[str, Any], problem: str
) -> None:
    (found,) = problems(manifest(analysis=STEPS | {"canaryTemplate": said}))
    assert found.startswith(f"spec.analysis.canaryTemplate{problem}")


def test_the_two_ways_to_say_it_may_not_differ() -> None:
    said = {"canaryTemplate": SAID, "canaryAnalysis": {"templateVariables": {"tolerations": []}}}
    (found,) = problems(manifest(analysis=STEPS | said))
    assert found.startswith("spec.analysis.canaryAnalysis.templateVariables: says something else")
    guides: dict[str, Any] = {"canaryAnalysis": {"templateVariables": {"tolerations": [{}]}}}
    (path,) = problems(manifest(analysis=STEPS | guides))
    assert path.startswith("spec.analysis.canaryAnalysis.templateVariables.tolerations[0].key")
