# pyright: basic

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.counting import by_part
from lemnis.engine.monitor.parts import Part, horizon, packed, rolled_up, unpacked
from lemnis.engine.monitor.spans import TIER_MS, TIERS, WIDTHS, span_of, tier_of
from lemnis.engine.monitor.tally import Column, Tally

MOMENTS = st.integers(0, 4_000_000_000_000)


@given(MOMENTS, st.sampled_from(WIDTHS))
def test_a_window_is_made_of_whole_parts(moment: int, width) -> None:
    start, end = span_of(moment, width)
    assert start <= moment < end
    assert (start % TIER_MS[tier_of(width)], end % TIER_MS[tier_of(width)]) == (0, 0)
    assert span_of(start, width) == span_of(end - 1, width) == (start, end)


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=60), MOMENTS, st.integers(1, 70))
def test_each_row_is_in_one_part_of_each_tier_that_is_kept_around_it(rows, newest: int, room: int) -> None:
    kept_from = [horizon(tier, newest) for tier in TIERS]
    page = [{"event_at": moment, "arrived": moment if live else 2 * 10**13} for moment, live in rows]
    finest, misdated, taken = by_part(page, 10**14, kept_from, room)  # pyright: ignore[reportArgumentType]
    assert misdated == 0
    assert (taken == len(page)) or (taken > 0 and len(finest) == room)
    assert sorted(place for places in finest.values() for place in places) == list(range(taken))
    for part, places in finest.items():
        assert part.starts >= kept_from[TIERS.index(part.tier)]
        assert all(0 <= rows[place][0] - part.starts < TIER_MS[part.tier] for place in places)
        assert part.tier != "minute" or all(rows[place][1] for place in places)
    parts = rolled_up({part: Tally(rows=len(places)) for part, places in finest.items()})
    for tier in TIERS:
        starts = [
            moment - moment % TIER_MS[tier]
            for moment, live in rows[:taken]
            if moment >= kept_from[TIERS.index(tier)] and (live or tier != "minute")
        ]
        counted = {part.starts: tally.rows for part, tally in parts.items() if part.tier == tier}
        assert counted == {start: starts.count(start) for start in starts}


def test_what_is_kept_grows_with_the_days_alone() -> None:
    """Counts a year, and the bytes of one part at a row and at a thousand rows a second."""
    day, year = TIER_MS["day"], 366 * TIER_MS["day"]
    newest = 50 * year
    kept = {
        tier: sum(1 for start in range(newest - year, newest, size) if start >= horizon(tier, newest))
        for tier, size in TIER_MS.items()
    }
    assert kept == {"minute": 2 * 24 * 60, "hour": 90 * 24, "day": year // day}
    chance = np.random.default_rng(1)

    def size(rows: int) -> int:
        columns: dict[str, Column] = {}
        for number in range(20):
            counts = chance.multinomial(rows, [1 / 130] * 130)
            sums = chance.normal(0, 1 << 20, 129) * counts[:-1]
            columns[f"feature_{number}"] = Column(counts=counts.tolist(), sums=sums.astype(int).tolist(), low=0.0)
        tally = Tally(rows=rows, columns=columns)
        assert unpacked(packed(tally)) == tally
        return len(packed(tally))

    assert size(60) < 8_000
    assert size(60_000) < size(86_400_000) < 30_000
    assert Part("minute", 0) == ("minute", 0)
