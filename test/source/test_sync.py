"""Pairs with jitter, losses and repeats; brute force as the judge where a rule is general."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moss_ros.source.sync import StampPairer

MS = 1_000_000


def pairer(tolerance_ms=20, wait_ms=500, queue=10):
    return StampPairer(tolerance_ms * MS, wait_ms * MS, queue)


def run(sync, events):
    """events: (side, ms); returns paired (colour ms, depth ms) and lost (side, ms)."""
    pairs, lost = [], []
    for side, ms in [*events, ("end", 0)]:
        got, gone = sync.flush() if side == "end" else sync.add(side, ms * MS, ms)
        pairs += [(p.color, p.depth) for p in got]
        lost += [(u.side, u.stamp_ns // MS) for u in gone]
    return pairs, lost


def test_equal_stamps_leave_at_once():
    sync = pairer()
    assert sync.add("color", 100 * MS, "c") == ([], [])
    pairs, lost = sync.add("depth", 100 * MS, "d")
    assert [(p.stamp_ns, p.color, p.depth) for p in pairs] == [(100 * MS, "c", "d")] and not lost


def test_nearest_wins_not_the_first():
    sync = pairer()
    run_in = [("depth", 0), ("color", 0), ("depth", 33), ("depth", 66), ("color", 62), ("depth", 99)]
    pairs, lost = run(sync, run_in)
    assert pairs == [(0, 0), (62, 66)] and lost == [("depth", 33), ("depth", 99)]


def test_waits_for_a_nearer_depth_that_may_still_come():
    sync = pairer(tolerance_ms=20)
    run_before = [sync.add("depth", t * MS, t) for t in (0, 33)]
    assert run_before[-1] == ([], [])
    assert sync.add("color", 51 * MS, 51)[0] == []  # 18 ms from 33, but 66 would be 15 ms away
    assert [p.depth for p in sync.add("depth", 66 * MS, 66)[0]] == [66]


def test_small_offset_does_not_wait():
    sync = pairer()
    for t in (0, 33):
        sync.add("depth", t * MS, t)
    assert [p.depth for p in sync.add("color", 40 * MS, 40)[0]] == [33]


def test_loss_of_one_side_does_not_stop_the_other():
    pairs, lost = run(pairer(), [("color", 0), ("color", 100), ("depth", 100), ("depth", 200), ("color", 300)])
    assert pairs == [(100, 100)]
    assert lost == [("color", 0), ("depth", 200), ("color", 300)]


def test_silent_depth_is_given_up_after_the_wait_and_by_queue_size():
    sync = pairer(wait_ms=250, queue=2)
    lost = [u for t in range(0, 1000, 100) for u in sync.add("color", t * MS, t)[1]]
    assert [u.stamp_ns // MS for u in lost] == list(range(0, 800, 100))
    assert lost[0].newest_partner_ns is None


def test_repeats_are_seen():
    sync = pairer()
    sync.add("color", 5 * MS, "c")
    assert sync.is_duplicate("color", 5 * MS) and not sync.is_duplicate("depth", 5 * MS)


@given(
    seed=st.integers(0, 2**16),
    jitter=st.integers(0, 8),
    loss=st.floats(0, 0.4),
)
def test_jitter_and_losses(seed, jitter, loss):
    """Streams at 10 Hz: every colour whose depth exists is paired with it, each image leaves exactly once, in order."""
    rng = np.random.default_rng(seed)
    frames = range(30)
    color = {i: 100 * i + int(rng.integers(-jitter, jitter + 1)) + 50 for i in frames if rng.random() > loss}
    depth = {i: 100 * i + int(rng.integers(-jitter, jitter + 1)) + 50 for i in frames if rng.random() > loss}
    events = [("color", t) for t in color.values()] + [("depth", t) for t in depth.values()]
    events.sort(key=lambda e: (e[1] + int(rng.integers(0, 30)), e[0]))  # they arrive late by up to 30 ms
    pairs, lost = run(pairer(), events)
    assert pairs == [(color[i], depth[i]) for i in frames if i in color and i in depth]
    assert len(lost) + 2 * len(pairs) == len(events)
