"""What the tests against real servers open, closed in the end."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.agent import running_router

HERE = Path(__file__).parent
ENVOY = (running_router.Router, running_router.serving)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and starts_envoy(item):
            item.add_marker("live")
            # Those of a module share its routers.
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def starts_envoy(item: pytest.Item) -> bool:
    module = item.getparent(pytest.Module)
    return module is not None and any(one in ENVOY for one in vars(module.obj).values())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened
