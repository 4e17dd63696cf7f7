from certs.store import Store
from tests.certs.test_store import MADE, rotation
from webhook.published import Published

BOTH = rotation().with_new_authority(MADE)
NEXT = rotation(first=80).next(BOTH, BOTH.authorities)


def seen(*stores: tuple[float, Store], settle: float = 60) -> Published:
    """The same in both configurations, at these times."""
    published = Published(settle)
    for now, store in stores:
        published.saw([store.published] * 2, now)
    return published


def test_nothing_is_believed_before_a_look() -> None:
    assert not Published(60).believes(MADE.leaf.certificate)


def test_what_is_published_is_believed_at_once_and_trusted_when_it_has_settled() -> None:
    published = seen((0, MADE), (10, BOTH))
    assert published.believes(NEXT.leaf.certificate)
    assert published.trusted(59) == frozenset()
    assert published.trusted(60) == {MADE.newest}
    assert published.trusted(70) == set(BOTH.authorities)


def test_what_was_away_for_a_moment_settles_again() -> None:
    published = seen((0, MADE), (30, OTHER), (31, MADE))
    assert published.trusted(90) == frozenset()
    assert published.trusted(91) == {MADE.newest}


OTHER = rotation(first=70).first()


def test_each_webhook_must_believe() -> None:
    published = seen((0, MADE))
    published.saw([MADE.published, b""], 1)
    assert not published.believes(MADE.leaf.certificate)


def test_rubbish_believes_in_nobody() -> None:
    published = Published(0)
    published.saw([b"rubbish"], 0)
    assert published.trusted(1) == frozenset()
    assert not published.believes(MADE.leaf.certificate)
