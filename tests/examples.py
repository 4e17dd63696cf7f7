"""How many examples a property is tried with: 10 in the fast loop, 30 in all, 1000 in the soak."""

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow]


def register() -> None:
    """The profiles that `--hypothesis-profile` knows."""
    for name, examples in (("fast", 10), ("whole", 30), ("thorough", 1000)):
        settings.register_profile(
            name,
            max_examples=examples,
            deadline=None,
            # The soak looks for what nobody thought of; a change is judged by the same examples
            # each time, so that what fails is its own doing.
            derandomize=name != "thorough",
            suppress_health_check=SLOW,
        )


def costly(divisor: int) -> settings:
    """For properties of whole histories, each of which costs as much as many other examples."""
    chosen = settings.default.max_examples if settings.default else 100
    return settings(max_examples=max(4, chosen // divisor))
