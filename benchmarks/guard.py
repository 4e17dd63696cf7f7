"""What the guard finds, and how soon, beside Flagger's rule on the same requests.

`python -m benchmarks.guard [RUNS]`: each row is one kind of release, RUNS times, judged by the
whole `step`, once with the guard and once by counting failed checks (interval 10 s, threshold 5).
"""

import sys
from dataclasses import replace

from tests.delivery.simulated import STEPS, Case, End, constant, ends, median, share, without_guard

RUNS = 100
FLAGGER = replace(without_guard(STEPS), interval=10.0, threshold=5)
LIMIT = 1800
CASES = (
    (0.001, 0.001, 50.0),
    (0.005, 0.005, 50.0),
    (0.01, 0.01, 50.0),
    (0.01, 0.01, 500.0),
    (1.0, 0.005, 50.0),
    (0.5, 0.005, 50.0),
    (0.05, 0.005, 50.0),
    (0.03, 0.005, 50.0),
    (0.02, 0.005, 50.0),
    (0.05, 0.005, 500.0),
    (0.5, 0.005, 5.0),
    (0.05, 0.005, 5.0),
)
HEAD = f"{'canary':>7} {'primary':>8} {'load':>10}   {'the guard':^44}   {'failed checks':^44}"
UNITS = f"{'':27}   " + "   ".join([f"{'rolled back':>18} {'promoted':>18} {'held':>6}"] * 2)


def cell(found: list[End], outcome: str) -> str:
    """Percent of the runs, and the median of their seconds."""
    after = median(found, outcome)
    return f"{100 * share(found, outcome):5.0f} % " + (f"({after:5d} s)" if after else " " * 9)


def row(case: Case, runs: int) -> str:
    found = ends(case, runs)
    held = f"{100 * share(found, 'held'):4.0f} %"
    return f"{cell(found, 'rolled back'):>18} {cell(found, 'promoted'):>18} {held}"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"{runs} releases each; seconds are medians from the first weight on\n{HEAD}\n{UNITS}")
    for bad, usual, rate in CASES:
        case = Case(constant(bad), constant(usual), rate=rate, limit=LIMIT)
        plain = replace(case, analysis=FLAGGER)
        said = f"{bad:7.1%} {usual:8.1%} {rate:6.0f} rps"
        print(f"{said:27}   {row(case, runs)}   {row(plain, runs)}", flush=True)


if __name__ == "__main__":
    main()
