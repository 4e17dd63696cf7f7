"""A clock that nobody can turn back while a release runs."""

from agent.clock import Clock


class Machine:
    def __init__(self) -> None:
        self.wall, self.steady = 1000.0, 5.0

    def pass_time(self, seconds: float, *, jump: float = 0.0) -> None:
        self.steady += seconds
        self.wall += seconds + jump


def test_time_goes_on_over_every_jump_until_the_clock_is_set() -> None:
    machine = Machine()
    clock = Clock(lambda: machine.wall, lambda: machine.steady)
    assert clock.now() == 1000.0
    machine.pass_time(2.0, jump=3600.0)
    assert clock.now() == 1002.0
    machine.pass_time(2.0, jump=-7200.0)
    assert clock.now() == 1004.0
    clock.set()
    assert clock.now() == machine.wall
