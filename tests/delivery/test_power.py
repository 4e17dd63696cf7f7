"""How many requests show a regression: few where much is allowed, many where little is."""

from math import log
from random import Random

import pytest

from delivery.evidence import Counts, begun, grown
from delivery.power import REGRESSION, requests_to_show

LIMIT = 100.0


@pytest.mark.parametrize(
    ("allowed", "requests"), [(0.05, 159), (0.01, 855), (0.001, 8686), (0.34, 0), (0.5, 0)]
)
def test_the_less_is_allowed_the_more_it_takes(allowed: float, requests: int) -> None:
    assert requests_to_show(REGRESSION, allowed, LIMIT) == requests


def test_less_of_a_difference_takes_more() -> None:
    assert requests_to_show(2.0, 0.01, LIMIT) > 3 * requests_to_show(3.0, 0.01, LIMIT)


@pytest.mark.parametrize("allowed", [0.005, 0.01, 0.05])
def test_so_many_do_show_it_four_times_of_five(allowed: float) -> None:
    random, runs = Random(7), 200
    wanted = requests_to_show(REGRESSION, allowed, LIMIT)
    shown = 0
    for _ in range(runs):
        found = begun(allowed)
        for _ in range(wanted // 20):
            bad = sum(random.random() < REGRESSION * allowed for _ in range(20))
            found = grown(found, Counts(20, bad), Counts())
        shown += found.absolute_peak >= log(LIMIT)
    assert shown / runs >= 0.75
