"""Images whose name says no version are told, all others pass in silence."""

from typing import Any

import pytest

from delivery.images import advice, floating


def template(*images: Any, **more: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"image": image} for image in images], **more}}


@pytest.mark.parametrize(
    ("image", "floats"),
    [
        ("web", True),
        ("web:latest", True),
        ("shop/web", True),
        ("registry:5000/shop/web", True),
        ("registry:5000/shop/web:latest", True),
        ("web:1.2", False),
        ("registry:5000/shop/web:latest-1", False),
        ("web@sha256:00", False),
        ("web:latest@sha256:00", False),
    ],
)
def test_a_version_is_a_tag_of_its_own_or_a_digest(image: str, floats: bool) -> None:
    assert floating(template(image)) == ((image,) if floats else ())


@pytest.mark.parametrize(
    "odd",
    [{}, {"spec": None}, {"spec": {"containers": "odd"}}, template(7, None, ""), template("web:1")],
)
def test_what_names_no_image_needs_no_advice(odd: Any) -> None:
    assert advice(odd) == ""


def test_each_image_is_told_once_and_what_to_do() -> None:
    found = advice(template("web", "web", "api:latest", initContainers=[{"image": "init"}]))
    assert found == (
        "no fixed version, so a rollback may bring other bits; "
        "use a tag of its own for each version, or a digest: init, web, api:latest"
    )
