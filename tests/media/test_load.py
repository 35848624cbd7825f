"""What a worker says of how busy it is: of the last seconds, full in time and not by turns."""

from media.load import Load


class Machine:
    """A clock, and a processor of which so much is used."""

    def __init__(self, full: float = 0.8) -> None:
        self.now = 0.0
        self.used = 0.0
        self.load = Load(full, lambda: self.now, lambda: self.used)

    def run(self, seconds: int, share: float) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.used += share
            self.load.look()


def test_it_is_the_share_of_the_last_seconds() -> None:
    machine = Machine()
    machine.run(30, 0.5)
    assert abs(machine.load.share - 0.5) < 0.01
    machine.run(2, 1.0)
    assert 0.55 < machine.load.share < 0.75, "a moment does not count for much"
    machine.run(30, 0.0)
    assert machine.load.share < 0.01


def test_it_is_full_from_its_limit_on_until_it_is_well_below() -> None:
    machine = Machine()
    machine.run(60, 0.78)
    assert not machine.load.full
    machine.run(60, 0.82)
    assert machine.load.full
    machine.run(60, 0.75)
    assert machine.load.full, "a little less does not make room"
    machine.run(60, 0.6)
    assert not machine.load.full


def test_more_threads_than_one_are_no_more_than_all_of_it_and_no_time_is_no_news() -> None:
    machine = Machine()
    machine.run(60, 1.7)
    assert machine.load.share == 1.0
    machine.load.look()
    assert machine.load.share == 1.0
