"""The core and the relaxed thresholds against their slow definitions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_prep import Enough, Size, Thresholds
from dataset_prep.pairs.core import Core, core_of, frontier, strictest_core

PairSet = set[tuple[int, int]]
PAIRS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40)
SQUARE = {(0, 0), (0, 1), (1, 0), (1, 1)}


def slow_core(pairs: PairSet, user: int, item: int) -> PairSet:
    """Remove one offender at a time until there is none."""
    pairs = set(pairs)
    while True:
        for u, i in sorted(pairs):
            if sum(1 for a, _ in pairs if a == u) < user or sum(1 for _, b in pairs if b == i) < item:
                pairs.discard((u, i))
                break
        else:
            return pairs


def arrays(pairs: PairSet) -> tuple[np.ndarray, np.ndarray]:
    ordered = sorted(pairs)
    return np.array([u for u, _ in ordered], dtype=np.int32), np.array([i for _, i in ordered], dtype=np.int32)


def size_of(pairs: PairSet) -> Size:
    return Size(len(pairs), len({u for u, _ in pairs}), len({i for _, i in pairs}))


def inside(pairs: PairSet, core: Core) -> PairSet:
    return {(u, i) for u, i in pairs if core.users[u] and core.items[i]}


@given(PAIRS, st.integers(1, 4), st.integers(1, 4))
def test_the_core_is_the_slow_definition(pairs: PairSet, user: int, item: int) -> None:
    expected = slow_core(pairs, user, item)
    core = core_of(*arrays(pairs), Thresholds(user, item), 8, 8)
    assert core.size == size_of(expected)
    assert inside(pairs, core) == expected
    for side in (0, 1):
        partners = [sum(pair[side] == code for pair in expected) for code in range(8)]
        assert core.degrees[side].tolist() == partners


def chain(length: int, hooked: PairSet) -> PairSet:
    """Users 2 to *length*, each linked to the next by an item; the last hangs loose, so the chain falls from there."""
    return hooked | {(u, i) for u in range(2, length) for i in (u - 1, u)}


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("length", [3, 20, 33, 34, 35, 100, 400])
def test_a_long_chain_of_removals_stops_at_what_is_strong(length: int, turn: bool) -> None:
    """The loose end is last in the order of the pairs, so one pass over them removes one link."""
    pairs = chain(length, SQUARE)
    # A second chain on its own disappears wholly; the first one ends at the square.
    pairs |= {(u + length, i + length) for u, i in chain(length, set())}
    if turn:
        pairs = {(i, u) for u, i in pairs}
    core = core_of(*arrays(pairs), Thresholds(2, 2), 2 * length, 2 * length)
    assert core.size == Size(4, 2, 2)
    assert inside(pairs, core) == SQUARE
    assert core.degrees[0].sum() == core.degrees[1].sum() == 4


@given(
    st.sets(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=300),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(40, 80),
)
@example(set(), 2, 2, 40)
def test_chains_in_any_surroundings(extra: PairSet, user: int, item: int, length: int) -> None:
    pairs = chain(length, extra)
    expected = pairs
    while (left := strong(expected, user, item)) != expected:
        expected = left
    core = core_of(*arrays(pairs), Thresholds(user, item), 80, 80)
    assert inside(pairs, core) == expected
    assert core.size == size_of(expected)


def strong(pairs: PairSet, user: int, item: int) -> PairSet:
    of_users = np.bincount([u for u, _ in pairs], minlength=80)
    of_items = np.bincount([i for _, i in pairs], minlength=80)
    return {(u, i) for u, i in pairs if of_users[u] >= user and of_items[i] >= item}


def test_without_a_compiler_the_core_is_the_same(without_compiler: Path, tmp_path: Path) -> None:
    """Random pairs and chains, by numpy alone and by C."""
    rng = np.random.default_rng(5)
    cases = [arrays(chain(n, SQUARE)) for n in (5, 60)]
    for n in (0, 1, 50, 400, 4000):
        pairs = {(int(u), int(i)) for u, i in rng.integers(0, 100, (n, 2)) ** 2 // 100}
        cases.append(arrays(pairs))
        cases.append((cases[-1][1], cases[-1][0]))  # not in the order of the users
    arrays_of = {f"{n}-{side}": case[side] for n, case in enumerate(cases) for side in (0, 1)}
    np.savez(tmp_path / "cases.npz", allow_pickle=True, **arrays_of)
    code = (
        "import sys, numpy as np\n"
        "from dataset_prep.machine import library\n"
        "from dataset_prep.pairs.core import Thresholds, core_of\n"
        "assert library('pairs/core.c') is None\n"
        "cases = np.load(sys.argv[1])\n"
        "for n in range(len(cases.files) // 2):\n"
        "    for k in ((1, 1), (2, 2), (3, 5), (9, 4)):\n"
        "        core = core_of(cases[f'{n}-0'], cases[f'{n}-1'], Thresholds(*k), 100, 100)\n"
        "        print(n, *core.size, core.degrees[0].tolist(), core.degrees[1].tolist())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cases.npz")]
    done = subprocess.run(command, cwd=without_compiler, env={}, capture_output=True, text=True, check=True)
    cores = [
        f"{n} {' '.join(map(str, core.size))} {core.degrees[0].tolist()} {core.degrees[1].tolist()}"
        for n, case in enumerate(cases)
        for k in ((1, 1), (2, 2), (3, 5), (9, 4))
        for core in [core_of(*case, Thresholds(*k), 100, 100)]
    ]
    assert done.stdout.splitlines() == cores


def is_stricter(a: Thresholds, b: Thresholds) -> bool:
    """The larger sum; of equal sums the pair whose parts are closer together; of those the larger user threshold."""
    if sum(a) != sum(b):
        return sum(a) > sum(b)
    if abs(a.user - a.item) != abs(b.user - b.item):
        return abs(a.user - a.item) < abs(b.user - b.item)
    return a.user > b.user


def strictest(thresholds: list[Thresholds]) -> Thresholds:
    return next(a for a in thresholds if not any(is_stricter(b, a) for b in thresholds))


ENOUGH = st.builds(Enough, st.integers(0, 12), st.integers(0, 4), st.integers(0, 4))


@given(PAIRS, st.integers(1, 4), st.integers(1, 4), ENOUGH)
@example({(0, i) for i in range(6)}, 2, 2, Enough(1, 1, 4))
@example({(u, 0) for u in range(6)}, 2, 2, Enough(1, 4, 1))
def test_the_relaxed_thresholds_are_the_strictest_that_leave_enough(
    pairs: PairSet, user: int, item: int, enough: Enough
) -> None:
    sizes = {Thresholds(u, i): size_of(slow_core(pairs, u, i)) for u in range(1, user + 1) for i in range(1, item + 1)}
    possible = [
        thresholds
        for thresholds, size in sizes.items()
        if size.pairs >= enough.pairs and size.users >= enough.users and size.items >= enough.items
    ]
    chosen = strictest_core(*arrays(pairs), Thresholds(user, item), enough, 8, 8)
    if not possible:
        assert chosen is None
        return
    assert chosen is not None
    assert chosen.thresholds == strictest(possible)
    assert chosen.size == sizes[chosen.thresholds]


@given(PAIRS, ENOUGH)
def test_for_each_user_threshold_the_largest_item_threshold(pairs: PairSet, enough: Enough) -> None:
    expected = []
    for user in range(1, 5):
        good = [item for item in range(1, 4) if enough.met_by(size_of(slow_core(pairs, user, item)))]
        expected += [Thresholds(user, max(good))] if good else []
    assert [core.thresholds for core in frontier(*arrays(pairs), Thresholds(4, 3), enough, 8, 8)] == expected


def test_by_hand() -> None:
    # The square, and a tail u2-i2-u3 hanging from it: only the square is a (2, 2)-core.
    pairs = SQUARE | {(1, 2), (2, 2)}
    core = core_of(*arrays(pairs), Thresholds(2, 2), 3, 3)
    assert core.size == Size(4, 2, 2)
    assert core.users.tolist() == [True, True, False]
    # (2, 1) only removes user 2; (1, 2) removes nothing.
    assert core_of(*arrays(pairs), Thresholds(2, 1), 3, 3).size == Size(5, 2, 3)
    assert core_of(*arrays(pairs), Thresholds(1, 2), 3, 3).size == Size(6, 3, 3)
    # Of sum 3, both (1, 2) and (2, 1) leave five pairs; the larger user part is the stricter.
    chosen = strictest_core(*arrays(pairs), Thresholds(2, 2), Enough(5, 1, 1), 3, 3)
    assert chosen is not None and chosen.thresholds == Thresholds(2, 1)


def test_more_even_thresholds_win_over_a_larger_user_threshold() -> None:
    """(3, 1) leaves the four pairs of a user with items of his own, (2, 2) the square."""
    pairs = SQUARE | {(2, i) for i in range(2, 6)}
    chosen = strictest_core(*arrays(pairs), Thresholds(3, 2), Enough(4, 1, 1), 3, 6)
    assert chosen is not None and chosen.thresholds == Thresholds(2, 2)


def test_no_pairs_at_all() -> None:
    none = np.array([], dtype=np.int32)
    assert core_of(none, none, Thresholds(1, 1), 0, 0).size == Size(0, 0, 0)
    assert strictest_core(none, none, Thresholds(5, 5), Enough(1, 1, 1), 0, 0) is None
