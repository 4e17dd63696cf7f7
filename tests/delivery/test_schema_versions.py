"""A status that another version of Outrider wrote, before an upgrade or after one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Status
from delivery.schema import status_body
from tests.delivery.test_schema import STATUSES, reread


@given(STATUSES)
def test_what_a_newer_version_says_beside_it_is_read_over(status: Status) -> None:
    body = status_body(status, {})
    news: dict[str, Any] = {"newPhase": "Resting", "newMarks": {"a": [1]}}
    lists: dict[str, Any] = {
        key: [{**one, **news} for one in body[key]]
        for key in ("verdicts", "conditions")
        if key in body
    }
    assert reread({**body, **news, **lists}) == status


@given(STATUSES, st.data())
def test_what_an_older_version_did_not_say_is_absent(status: Status, data: st.DataObject) -> None:
    body = status_body(status, {})
    unsaid = data.draw(st.sets(st.sampled_from(sorted(body))))
    older = status_body(reread({key: body[key] for key in body if key not in unsaid}), {})
    twins = {"lastAppliedSpec", "lastPromotedSpec"}
    assert all(older.get(key) == body[key] for key in body.keys() - unsaid - twins)
