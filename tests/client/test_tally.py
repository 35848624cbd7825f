"""What counts against a server that gives up handshakes, and what does not."""

from client.tally import SAID_FROM, Tally


def cut_off(tally: Tally, others: str) -> None:
    """One epoch whose reveal leaves and that the next one ends; each letter is one of the others."""
    tally.excuse(len(others))
    tally.lapse()
    tally.begin(others)
    tally.reveal()


def test_whoever_calls_in_one_after_another_is_not_held_to_have_withheld_anything() -> None:
    tally = Tally()
    for people in range(1, 12):
        cut_off(tally, "abcdefghijk"[:people])
    tally.show()
    assert tally.withheld == 0


def test_as_many_people_or_fewer_excuse_nothing_whoever_they_are() -> None:
    tally = Tally()
    for others in ("ab", "ac", "d", "ef"):
        cut_off(tally, others)
    assert tally.counted == SAID_FROM


def test_more_people_than_ever_excuse_one_epoch_and_none_before_it() -> None:
    tally = Tally()
    for others in ("a", "a", "a", "ab"):
        cut_off(tally, others)
    assert tally.counted == 2
