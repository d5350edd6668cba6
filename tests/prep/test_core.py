"""The core and the adaptive thresholds against their slow definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from dataset_prep.core import Enough, Size, Thresholds, core_of, strictest_core, strictness
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_prep import core as whole_core
from dataset_prep import peel

PAIRS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40)


def slow_core(pairs: set[tuple[int, int]], user: int, item: int) -> set[tuple[int, int]]:
    """Remove one offender at a time until there is none."""
    pairs = set(pairs)
    while True:
        for u, i in sorted(pairs):
            if sum(1 for a, _ in pairs if a == u) < user or sum(1 for _, b in pairs if b == i) < item:
                pairs.discard((u, i))
                break
        else:
            return pairs


def arrays(pairs: set[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    ordered = sorted(pairs)
    return np.array([u for u, _ in ordered], dtype=np.int32), np.array([i for _, i in ordered], dtype=np.int32)


def size_of(pairs: set[tuple[int, int]]) -> Size:
    return Size(len(pairs), len({u for u, _ in pairs}), len({i for _, i in pairs}))


@given(PAIRS, st.integers(1, 4), st.integers(1, 4))
def test_core_is_the_slow_definition(pairs: set[tuple[int, int]], user: int, item: int) -> None:
    expected = slow_core(pairs, user, item)
    core = core_of(*arrays(pairs), Thresholds(user, item), 8, 8)
    assert core.size == size_of(expected)
    assert {(u, i) for u, i in pairs if core.users[u] and core.items[i]} == expected


@given(st.sets(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1), st.integers(1, 5), st.integers(1, 5))
@example({(u, i) for u in range(30) for i in range(u, u + 2)}, 2, 2)
@example({(u, i) for u in range(40) for i in range(u % 3, 41, 3)}, 13, 13)
def test_following_each_removal_is_looking_at_all_again(chosen: set[tuple[int, int]], user: int, item: int) -> None:
    """The core by looks at all pairs alone, and with all but the first left to the following; in C and in numpy."""
    users, items = (np.array(column, dtype=np.int32) for column in zip(*sorted(chosen), strict=True))
    found = []
    for looks, compiled in itertools.product((1, 1000), (peel.library, lambda source: None)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(whole_core, "most_looks", lambda looks=looks: looks)
            patch.setattr(peel, "library", compiled)
            found.append(core_of(users, items, Thresholds(user, item), 64, 64))
    for other in found[1:]:
        assert found[0].size == other.size
        assert (found[0].users == other.users).all() and (found[0].items == other.items).all()
    for core in found:
        inside = core.users[users] & core.items[items]
        for codes, degrees in zip((users, items), core.degrees, strict=True):
            assert (degrees == np.bincount(codes[inside], minlength=64)).all()


@given(PAIRS, st.integers(1, 4), st.integers(1, 4), st.integers(0, 12), st.integers(0, 4), st.integers(0, 4))
def test_adaptive_choice_is_brute_force(
    pairs: set[tuple[int, int]], user: int, item: int, n: int, n_users: int, n_items: int
) -> None:
    enough = Enough(n, n_users, n_items)
    possible = [
        Thresholds(u, i)
        for u in range(1, user + 1)
        for i in range(1, item + 1)
        if enough.met_by(size_of(slow_core(pairs, u, i)))
    ]
    chosen = strictest_core(*arrays(pairs), Thresholds(user, item), enough, 8, 8)
    if not possible:
        assert chosen is None
        return
    assert chosen is not None
    assert chosen.thresholds == max(possible, key=strictness)
    assert chosen.size == size_of(slow_core(pairs, *chosen.thresholds))


def test_strictness_is_a_total_order_that_respects_dominance() -> None:
    grid = [Thresholds(u, i) for u in range(1, 7) for i in range(1, 7)]
    assert len({strictness(t) for t in grid}) == len(grid)
    for a in grid:
        for b in grid:
            if a != b and a.user >= b.user and a.item >= b.item:
                assert strictness(a) > strictness(b)


def test_by_hand() -> None:
    # A 2x2 square, and a tail u2-i2-u3 hanging from it: only the square is a (2, 2)-core.
    pairs = {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2)}
    core = core_of(*arrays(pairs), Thresholds(2, 2), 3, 3)
    assert core.size == Size(4, 2, 2)
    assert core.users.tolist() == [True, True, False]
    # (2, 1) only sheds user 2; (1, 2) sheds nothing.
    assert core_of(*arrays(pairs), Thresholds(2, 1), 3, 3).size == Size(5, 2, 3)
    assert core_of(*arrays(pairs), Thresholds(1, 2), 3, 3).size == Size(6, 3, 3)
    # Of sum 3, both (1, 2) and (2, 1) leave five pairs; the larger user part is the stricter.
    chosen = strictest_core(*arrays(pairs), Thresholds(2, 2), Enough(5, 1, 1), 3, 3)
    assert chosen is not None and chosen.thresholds == Thresholds(2, 1)


def test_no_pairs_at_all() -> None:
    none = np.array([], dtype=np.int32)
    assert core_of(none, none, Thresholds(1, 1), 0, 0).size == Size(0, 0, 0)
    assert strictest_core(none, none, Thresholds(5, 5), Enough(1, 1, 1), 0, 0) is None
