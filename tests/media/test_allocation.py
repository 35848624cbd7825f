"""Which layers a viewer is sent, and whose picture waits."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.allocation import HEADROOM, Choice, Offering, Wish, allocate, useful

Q, H, F = 150_000, 500_000, 1_500_000
WHOLE = 7
"""The temporal number of a layer of which nothing can be dropped."""


def layered(scale: float = 1.0, temporal: bool = True) -> tuple[Offering, ...]:
    """What a camera with three encodings sends, each with three temporal layers."""
    shares = ((0, 0.4), (1, 0.6), (2, 1.0)) if temporal else ((WHOLE, 1.0),)
    return tuple(
        Offering(layer, number, int(bitrate * share * scale), height)
        for layer, (bitrate, height) in enumerate(((Q, 180), (H, 360), (F, 720)))
        for number, share in shares
    )


def single(bitrate: int, height: int = 720) -> tuple[Offering, ...]:
    return (Offering(0, WHOLE, bitrate, height),)


def wish(
    slot: int = 0,
    height: int = 720,
    offerings: tuple[Offering, ...] = layered(),
    *,
    pinned: bool = False,
    current: Choice = None,
) -> Wish:
    return Wish(slot, height, pinned, slot == -1, offerings, current)


def price(asked: Wish, choice: Choice) -> int:
    return next((o.bitrate for o in asked.offerings if (o.layer, o.temporal) == choice), 0)


def rank(asked: Wish, choice: Choice) -> int:
    """How good: 0 for paused."""
    places = sorted((o.layer, o.temporal) for o in asked.offerings)
    return 0 if choice is None else places.index(choice) + 1


def settle(budget: int | None, wishes: list[Wish]) -> list[Wish]:
    """The same wishes with what they got as what is sent now."""
    chosen = allocate(budget, wishes)
    return [replace(asked, current=chosen[asked.slot]) for asked in wishes]


def offerings_of(all_layered: bool) -> st.SearchStrategy[tuple[Offering, ...]]:
    rate = st.integers(1_000, 3_000_000) | (st.nothing() if all_layered else st.just(0))
    drawn = st.tuples(rate, st.sampled_from([0, 90, 180, 360, 540, 720]), st.booleans())
    layers = st.lists(drawn, min_size=2 if all_layered else 0, max_size=3)

    def build(drawn: list[tuple[int, int, bool]]) -> tuple[Offering, ...]:
        made = []
        for layer, (bitrate, height, temporal) in enumerate(drawn):
            shares = ((0, 0.4), (1, 0.6), (2, 1.0)) if temporal else ((WHOLE, 1.0),)
            made += [Offering(layer, number, int(2**layer * bitrate * share), height) for number, share in shares]
        return tuple(sorted(made, key=lambda offering: offering.bitrate))

    return layers.map(build)


def rooms(all_layered: bool = False) -> st.SearchStrategy[list[Wish]]:
    one = st.builds(
        Wish,
        slot=st.just(0),
        height=st.sampled_from([0, 120, 180, 360, 720, 8_192]),
        pinned=st.booleans(),
        stage=st.just(False),
        offerings=offerings_of(all_layered),
        current=st.none() | st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2, WHOLE])),
    )
    return st.lists(one, max_size=12).map(
        lambda drawn: [replace(asked, slot=slot - 1, stage=slot == 0) for slot, asked in enumerate(drawn)]
    )


budgets = st.integers(0, 12_000_000)


@given(rooms(), budgets)
def test_no_more_is_chosen_than_the_budget_and_only_what_is_on_offer(wishes: list[Wish], budget: int) -> None:
    chosen = allocate(budget, wishes)
    assert set(chosen) == {asked.slot for asked in wishes}
    assert sum(price(asked, chosen[asked.slot]) for asked in wishes) <= budget
    for asked in wishes:
        choice = chosen[asked.slot]
        assert choice is None or price(asked, choice) > 0, "a layer that died"


@given(rooms(all_layered=True), budgets, budgets)
def test_more_budget_makes_nobodys_picture_worse(wishes: list[Wish], less: int, more: int) -> None:
    less, more = sorted((less, more))
    before, after, best = allocate(less, wishes), allocate(more, wishes), allocate(None, wishes)
    for asked in wishes:
        assert rank(asked, before[asked.slot]) <= rank(asked, after[asked.slot]) <= rank(asked, best[asked.slot])


@given(rooms(), budgets, budgets)
def test_whose_picture_gets_worse_with_more_makes_room_for_a_source_of_a_single_layer(
    wishes: list[Wish], less: int, more: int
) -> None:
    less, more = sorted((less, more))
    before, after = allocate(less, wishes), allocate(more, wishes)
    if any(rank(asked, before[asked.slot]) > rank(asked, after[asked.slot]) for asked in wishes):
        came = [asked for asked in wishes if before[asked.slot] is None and after[asked.slot] is not None]
        assert any(len({offering.layer for offering in asked.offerings if offering.bitrate}) == 1 for asked in came)


@given(rooms(), st.none() | budgets)
def test_no_layer_is_larger_than_the_first_that_suffices(wishes: list[Wish], budget: int | None) -> None:
    for asked, choice in ((asked, allocate(budget, wishes)[asked.slot]) for asked in wishes):
        if choice is not None:
            alive = [o for o in asked.offerings if o.bitrate]
            assert asked.height > 0
            assert not any(o.layer < choice[0] and o.height >= asked.height for o in alive)


@given(rooms(all_layered=True), budgets)
def test_nobody_has_better_than_the_lowest_layer_before_everybody_has_that(wishes: list[Wish], budget: int) -> None:
    chosen = allocate(budget, wishes)
    lowest = {
        asked.slot: min(o.layer for o in asked.offerings if o.bitrate)
        for asked in wishes
        if asked.height and any(o.bitrate for o in asked.offerings)
    }
    if any((choice := chosen[slot]) is not None and choice[0] > layer for slot, layer in lowest.items()):
        assert all(chosen[slot] is not None for slot in lowest)


@given(rooms(), budgets, st.randoms(use_true_random=False))
def test_the_order_of_the_wishes_and_of_their_offerings_is_of_no_consequence(
    wishes: list[Wish], budget: int, dice: random.Random
) -> None:
    mixed = [replace(asked, offerings=tuple(dice.sample(asked.offerings, len(asked.offerings)))) for asked in wishes]
    dice.shuffle(mixed)
    assert allocate(budget, mixed) == allocate(budget, wishes)


@given(rooms(), budgets)
def test_what_was_chosen_stays(wishes: list[Wish], budget: int) -> None:
    settled = settle(budget, settle(budget, wishes))
    assert settle(budget, settled) == settled


@given(rooms(), budgets, st.integers())
def test_prices_that_waver_by_a_twentieth_change_nothing_in_the_end(wishes: list[Wish], budget: int, seed: int) -> None:
    dice = random.Random(seed)

    def waver(asked: Wish) -> Wish:
        near = (replace(o, bitrate=int(o.bitrate * dice.uniform(0.95, 1.05))) for o in asked.offerings)
        return replace(asked, offerings=tuple(near))

    changes = 0
    current = {asked.slot: asked.current for asked in wishes}
    for _ in range(60):
        chosen = allocate(budget, [waver(replace(asked, current=current[asked.slot])) for asked in wishes])
        changes += chosen != current
        current = chosen
    assert changes <= 8


def test_with_no_bound_everybody_is_sent_what_their_size_needs() -> None:
    wishes = [wish(0, 720), wish(1, 360), wish(2, 90), wish(3, 0), wish(4, 8_192), wish(5, 720, ())]
    assert allocate(None, wishes) == {0: (2, 2), 1: (1, 2), 2: (0, 2), 3: None, 4: (2, 2), 5: None}
    assert useful(wishes) == 2 * F + H + Q


def test_a_single_viewer_is_sent_the_best_that_fits() -> None:
    def best(budget: int) -> Choice:
        return allocate(budget, [wish()])[0]

    assert [best(budget) for budget in (50_000, 160_000, 460_000, 1_200_000, 4_800_000)] == [
        None,
        (0, 1),
        (1, 1),
        (2, 1),
        (2, 2),
    ]


def test_a_quarter_of_the_frames_is_sent_of_the_lowest_layer_alone() -> None:
    assert allocate(int(0.42 * Q * HEADROOM), [wish()]) == {0: (0, 0)}
    assert allocate(int(0.5 * H * HEADROOM), [wish()]) == {0: (0, 2)}
    two = tuple(Offering(layer, t, (layer + 1) * (t + 1) * 100_000, 180 << layer) for layer in (0, 1) for t in (0, 1))
    assert allocate(int(210_000 * HEADROOM), [wish(offerings=two)]) == {0: (1, 0)}, "half of two is half"


def test_pictures_are_paused_from_the_least_important_up() -> None:
    wishes = [wish(0, 180), wish(1, 360), wish(2, 180, pinned=True), wish(-1, 180)]
    kept = [
        {slot for slot, choice in allocate(budget, wishes).items() if choice} for budget in range(0, 300_000, 75_000)
    ]
    assert kept == [set(), {2}, {2, -1}, {2, -1, 1}]


def test_the_pinned_and_the_stage_go_up_first_then_the_larger() -> None:
    wishes = [wish(0, 360), wish(1, 720), wish(2, 360, pinned=True)]
    enough = int((H + 2 * Q) * HEADROOM) + 1
    assert allocate(enough, wishes) == {0: (0, 2), 1: (0, 2), 2: (1, 2)}
    above = int(0.6 * H - Q) * HEADROOM
    assert allocate(int(enough + 0.9 * above), wishes) == {0: (0, 2), 1: (0, 2), 2: (1, 2)}
    assert allocate(int(enough + 1.1 * above), wishes) == {0: (0, 2), 1: (1, 1), 2: (1, 2)}


def test_a_screen_that_does_not_fit_takes_nothing_from_the_faces() -> None:
    faces = [wish(0, 360), wish(1, 360)]
    screen = wish(-1, 720, single(F))
    short = int((F + 100_000) * HEADROOM)
    assert allocate(short, [*faces, screen]) == allocate(short, faces) | {-1: None}
    assert allocate(int((F + 300_000) * HEADROOM), [*faces, screen])[-1] == (0, WHOLE)
    assert allocate(short, [*faces, replace(screen, pinned=True)])[-1] == (0, WHOLE), "it comes first if it is pinned"


def test_a_sender_without_layers_is_a_member_like_any() -> None:
    wishes = [wish(0, 360), wish(1, 360, single(600_000)), wish(2, 360)]
    assert allocate(800_000, wishes)[1] is None
    assert allocate(int(750_000 * HEADROOM), wishes)[1] == (0, WHOLE)


def test_an_unknown_height_is_taken_to_be_of_use_unless_a_lower_layer_suffices() -> None:
    unknown = tuple(replace(offering, height=0) for offering in layered())
    assert allocate(None, [wish(offerings=unknown)]) == {0: (2, 2)}
    known = tuple(replace(o, height=0) if o.layer != 1 else o for o in layered())
    assert allocate(None, [wish(height=200, offerings=known)]) == {0: (1, 2)}


def test_a_layer_that_died_is_not_on_offer_and_the_next_takes_its_place() -> None:
    def without(layer: int) -> tuple[Offering, ...]:
        return tuple(replace(o, bitrate=0) if o.layer == layer else o for o in layered())

    assert allocate(None, [wish(height=360, offerings=without(1))]) == {0: (2, 2)}
    assert allocate(int(H * HEADROOM), [wish(height=360, offerings=without(0))]) == {0: (1, 2)}
    assert allocate(200_000, [wish(height=360, offerings=without(0))]) == {0: None}
    settled = wish(offerings=without(2), current=(2, 2))
    assert allocate(H + 10, [settled]) == {0: (1, 2)}, "what it falls back to needs no room to spare"


def test_what_is_sent_stays_as_long_as_it_fits_and_better_needs_room_to_spare() -> None:
    assert allocate(H + 10, [wish()]) == {0: (1, 1)}
    assert allocate(H + 10, [wish(current=(1, 2))]) == {0: (1, 2)}
    assert allocate(H - 10, [wish(current=(1, 2))]) == {0: (1, 1)}


def test_another_pin_moves_what_is_spent_without_room_to_spare() -> None:
    budget = H + Q + 10
    wishes = [wish(0, 720, current=(1, 2)), wish(1, 720, pinned=True, current=(0, 2))]
    assert allocate(budget, wishes) == {0: (0, 2), 1: (1, 2)}
