"""The swift reader against the careful one, and its parts against plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from dataset_prep.scan import Grammar
from dataset_prep.swift import blocks, kept, pairs, reader
from dataset_prep.swift.block import BlockReader
from dataset_prep.swift.lines import NUMBER, ROOM, SKIP, compiled, moment, read_lines
from dataset_prep.times import FORMATS
from hypothesis import example, given
from hypothesis import strategies as st
from test_fuzz import mobile, mutated, userbehavior

from dataset_prep import PrepError, Settings, convert, inputs, order, report
from dataset_prep.sources import IJCAI15, MOBILE, USERBEHAVIOR, Source

FILES = 150
needs_compiled = pytest.mark.skipif(
    compiled() is None, reason="lines.c was not compiled: no C compiler at installation"
)


@pytest.fixture(autouse=True, scope="module")
def without_the_plotting_script() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "get_plotlyjs", lambda: "")
        yield


def outcome(source: str, log: Path, output: Path, **words: object) -> dict[str, bytes] | str:
    """Every file of the data set, or what was refused, with its reasons."""
    try:
        result = convert(source, log, output, "x", **words)  # type: ignore[arg-type]
    except PrepError as error:
        return str(error)
    return {path.name: path.read_bytes() for path in result.path.iterdir()}


@needs_compiled
@pytest.mark.parametrize("size", [31, 61, 1 << 20])
def test_the_same_files_or_the_same_refusal_as_the_careful_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Damaged files, also in blocks so small that most lines lie across a border."""
    monkeypatch.setattr(inputs, "BLOCK", size)
    monkeypatch.setattr(reader, "BLOCK", size)
    for module in (inputs, reader):
        monkeypatch.setattr(module, "FIRST", min(size, inputs.FIRST))
    monkeypatch.setattr(blocks, "READ", size * (blocks.READ // (1 << 20)))  # as many blocks a read as outside of tests
    monkeypatch.setattr(pairs, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(kept, "PIECE", 5)
    swift = 0
    for number in range(FILES):
        rng = random.Random(number)
        source = rng.choice(["mobile", "mobile", "userbehavior"])
        log = tmp_path / f"{number}.csv"
        log.write_bytes(mutated(rng, (mobile if source == "mobile" else userbehavior)(rng)))
        words: dict[str, object] = {f"min_{what}": 1 for what in ("interactions", "users", "items", "user", "item")}
        words |= {
            "max_bad": 1.0,
            "level": rng.choice(["item", "category"]),
            "protocol": rng.choice(["novel", "repeat"]),
        }
        words |= rng.choice([{}, {"split": "ratio 0.6,0.2,0.2", "core_on": "train"}, {"behaviors": "buy,cart"}])
        if rng.random() < 0.3:
            items = tmp_path / f"{number}.items.csv"
            items.write_bytes(mutated(rng, b"item_id,item_geohash\n" + b"".join(b"%d,\n" % i for i in range(9))))
            words["items"] = items if source == "mobile" else None
        told = [outcome(source, log, tmp_path / f"{number}-swift", **words)]
        swift += isinstance(told[0], dict)
        with monkeypatch.context() as patch:
            patch.setattr(BlockReader, "can_read", lambda settings: False)
            told.append(outcome(source, log, tmp_path / f"{number}-careful", **words))
        assert told[0] == told[1], log
    assert swift > FILES // 4


FIELD = st.one_of(
    st.integers(0, 10**18).map(str),
    st.text("0123456789", max_size=18),
    st.text('0123456789 -+.eE,"\t\rxé', max_size=12),
    st.sampled_from(
        ["", "1", "3", "pv", "cart", "2014-12-06 02", "2012-02-29 23", "1899-01-01 00", "0229", "1511544070"]
    ),
)


@needs_compiled
@given(st.sampled_from([MOBILE, USERBEHAVIOR, IJCAI15]), st.sampled_from([",", "\t"]), st.data())
def test_no_line_is_taken_that_the_grammar_refuses(source: Source, delimiter: str, data: st.DataObject) -> None:
    """And what is taken has the values the grammar sees."""
    good = {"user_id": "7", "item_id": "12345678", "item_category": "9", "behavior_type": source.behaviors[0].value}
    time = {"hour": "2014-12-06 02", "unix": "1511544070", "mmdd": "1111"}[source.time]
    rows, untouched = [], set[int]()
    for n in range(data.draw(st.integers(1, 4))):
        fields = [good.get(c, time if c == "timestamp" else "") for c in source.columns]
        changed = data.draw(st.integers(0, 2))
        untouched |= set() if changed else {n}
        for _ in range(changed):
            fields[data.draw(st.integers(0, len(fields) - 1))] = data.draw(FIELD)
        rows.append(delimiter.join(fields).replace("\n", "").encode())
    block = b"".join(row + b"\n" for row in rows)
    settings = _settings(source)
    buffer = np.frombuffer(block + bytes(ROOM), dtype=np.uint8)
    columns, lines = BlockReader(settings, None, whole=True).parse(buffer, range(len(block)), delimiter)
    grammar, place = Grammar(source, delimiter), {column: n for n, column in enumerate(source.columns)}
    taken = [row for n, row in enumerate(rows) if n not in dict(lines.odd)]
    assert len(taken) == len(columns.user)
    for n, row in enumerate(taken):
        reason, fields = grammar.examine(row.removesuffix(b"\r"))
        assert reason is None and grammar.is_canonical(fields)
        assert str(columns.user[n]) == fields[place["user_id"]] and str(columns.item[n]) == fields[place["item_id"]]
        assert columns.t[n] == FORMATS[source.time].parse(fields[place["timestamp"]])
        assert source.behaviors[columns.rank[n]].value == fields[place["behavior_type"]]
    # A reader that takes nothing would pass all of the above.
    assert not untouched & dict(lines.odd).keys()


def _settings(source: Source) -> Settings:
    every = ",".join(b.value for b in source.behaviors)
    return Settings(source, ("log.csv",), Path("out"), "x", behaviors=every)


@needs_compiled
@pytest.mark.parametrize("name", ["hour", "datetime", "date", "yyyymmdd", "mmdd"])
def test_every_day_and_none_that_is_not(name: str) -> None:
    form = FORMATS[name]
    assert form.strptime is not None
    shape = form.strptime.replace("%Y", "" if form.prefix else "{y:04d}").replace("%m", "{m:02d}")
    shape = shape.replace("%d", "{d:02d}").replace("%H", "{h:02d}").replace("%M", "{h:02d}").replace("%S", "{h:02d}")
    years = [2014] if form.prefix else [0, 1899, 1900, 1970, 2000, 2012, 2014, 2099, 2100, 9999]
    texts = [
        shape.format(y=y, m=m, d=d, h=h) for y in years for m in range(14) for d in range(33) for h in (0, 23, 24, 60)
    ]
    block = "".join(text + "\n" for text in texts).encode()
    lines = read_lines(np.frombuffer(block + bytes(ROOM), dtype=np.uint8), range(len(block)), ",", [moment(form)])
    expected = [form.parse(text) for text in texts]
    assert [n for n, _ in lines.odd] == [n for n, seconds in enumerate(expected) if seconds is None]
    assert lines.values[0].tolist() == [seconds for seconds in expected if seconds is not None]


@needs_compiled
def test_a_line_too_long_is_for_the_careful_reader() -> None:
    rows = [b"1," + b"x" * (size - 2) for size in (inputs.LONGEST_LINE, inputs.LONGEST_LINE + 1)]
    block = b"".join(row + b"\n" for row in rows)
    buffer = np.frombuffer(block + bytes(ROOM), dtype=np.uint8)
    lines = read_lines(buffer, range(len(block)), ",", [NUMBER, SKIP])
    assert lines.values[0].tolist() == [1] and lines.odd == [(1, rows[1])]


@given(st.lists(st.integers(0, 30) | st.integers(0, 1 << 31), max_size=40), st.sampled_from([3, 1 << 19]))
@example([5] * 40, 3)
@example([0, 1 << 31, 3], 3)
def test_codes_are_places_among_the_distinct(values: list[int], piece: int) -> None:
    """By table and by sorting, whichever the spread of the values chooses."""
    array = np.array(values, dtype=np.int64)
    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "PIECE", piece)
        distinct, codes = order.coded(array, pool)
    assert distinct.tolist() == sorted(set(values))
    assert distinct[codes].tolist() == values


ROW = st.tuples(st.integers(0, 3), st.sampled_from([-9, 0, 5]), st.sampled_from([0, 2, 7]), st.integers(0, 7))


@given(st.lists(ROW, max_size=30), st.sampled_from([1, 1 << 28]), st.sampled_from([0, 1 << 30]))
def test_rows_by_user_moment_item(rows: list[tuple[int, int, int, int]], far: int, from_user: int) -> None:
    """Packed into one number each, and where moments and items lie too *far* apart for that."""
    rows = [(user + from_user, moment * far * 256, item * far, rank) for user, moment, item, rank in rows]
    user, moment, item, rank = (np.array(column, np.int64) for column in zip(*rows or [(0,) * 4], strict=True))
    at = slice(len(rows))
    found = kept._in_order(user[at].astype(np.int32), moment[at], item[at].astype(np.int32), rank[at])
    told = list(zip(*(column.tolist() for column in found), strict=True))
    # Behaviours of one pair in one moment do not occur: a pair is there once.
    assert [row[:3] for row in told] == sorted((u, t, i) for u, t, i, _ in rows) and sorted(told) == sorted(rows)


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 9))
def test_pieces_part_no_user(users: list[int], piece: int) -> None:
    users = sorted(users)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "PIECE", piece)
        spans = list(kept._spans(np.array(users, dtype=np.int32)))
    assert [user for span in spans for user in users[span]] == users
    assert len({user for span in spans for user in set(users[span])}) == sum(len(set(users[span])) for span in spans)
    assert all(len(users[span]) < piece + users.count(users[span.stop - 1]) for span in spans if users)
