"""Every row of the input is kept or in a named count, and what is kept is what the slow definition keeps."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tempfile
from pathlib import Path

import prep_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from prep_data import ENOUGH, HEADER

from dataset_prep import EmptyDatasetError, InputError, convert

GOOD = st.builds(
    lambda u, i, b, g, c, d, h: f"{u},{i},{b},{g},{c},2014-12-{d:02d} {h:02d}",
    st.sampled_from(["1", "2", "3", "4", "10", "007", "7"]),
    st.sampled_from(["1", "2", "3", "4", "5", "100", "01"]),
    st.integers(1, 4),
    st.sampled_from(["", "", "97lk14c", "9.9019999999999996E+37"]),
    st.integers(1, 3),
    st.integers(1, 18),
    st.integers(0, 23),
).map(str.encode)
BAD = st.sampled_from(
    [
        b"1,2,3,,5",
        b"1,2,3,,5,2014-12-06 02,9",
        b"x,2,3,,5,2014-12-06 02",
        b",2,3,,5,2014-12-06 02",
        b"1,,3,,5,2014-12-06 02",
        b"1,2,5,,5,2014-12-06 02",
        b"1,2,3,,5,2014-02-30 02",
        b"1,2,3,,5,2014-12-06 24",
        b"1,2,3,,5,2014-00-06 02",
        b"1,2,3,,5,2014-13-06 02",
        b"1,2,3,,5,2014-99-06 02",
        b"1,2,3,,5,2014-12",
        b"1,2,3,a\0b,5,2014-12-06 02",
        b"1,2,3,\xff\xfe,5,2014-12-06 02",
        HEADER.encode(),
        b'1,2,3,"x,5,2014-12-06 02',
        b"1.0,2,3,,5,2014-12-06 02",
        b"-1,2,3,,5,2014-12-06 02",
        b" 1,2,3,,5,2014-12-06 02",
        b"1e3,2,3,,5,2014-12-06 02",
    ]
)
FINE_BUT_ODD = st.sampled_from(
    [
        b'"1","2","3","","5","2014-12-06 02"',
        b"1,2,3,\xe6\xb7\x98,5,2014-12-06 02",
        b"99999999999999999999,2,3,,5,2014-12-06 02",
        b"1,2,3,,5,2012-02-29 02",
        b"",
    ]
)
LINES = st.lists(st.one_of(GOOD, GOOD, GOOD, BAD, FINE_BUT_ODD), min_size=1, max_size=40)
CLEAN = st.lists(GOOD, min_size=1, max_size=40)


def compare(
    content: bytes,
    behaviors: str,
    subset: set[str] | None,
    k: tuple[int, int],
    protocol: str,
    since: str | None,
    reader: str,
) -> None:
    bounds = None
    if since:
        first, last = dt.datetime.fromisoformat(since), dt.datetime(2014, 12, 18) - dt.timedelta(seconds=1)
        bounds = (oracle.beijing(first), oracle.beijing(last))
    kinds = {int(b) for b in behaviors.split(",")}
    expected = oracle.convert(content, kinds, subset, k, protocol, bounds)
    with tempfile.TemporaryDirectory() as folder:
        log, output = Path(folder, "log.csv"), Path(folder, "out")
        log.write_bytes(content)
        items = None
        if subset is not None:
            items = Path(folder, "items.csv")
            items.write_text("item_id,item_geohash,item_category\n" + "".join(f"{i},,1\n" for i in sorted(subset)))
        options = ENOUGH | {"strict": True, "max_bad": 1.0, "behaviors": behaviors, "protocol": protocol}
        options |= {"min_user": k[0], "min_item": k[1], "items": items, "reader": reader}
        if since:
            options |= {"since": since, "until": "2014-12-17"}
        try:
            result = convert("mobile", log, output=output, name="x", **options)
        except EmptyDatasetError as error:
            assert not expected.kept
            dropped = error.funnel.dropped()
            assert not output.exists() or not list(output.iterdir())
        except InputError:
            assert len(expected.rejected) == expected.rows  # nothing parses
            return
        else:
            dropped = result.funnel.dropped()
            written = oracle.read_inter((result.path / "x.inter").read_text())
            assert written == oracle.in_order(expected.kept)
            rejects = result.path / "rejects.csv"
            lines = [int(r["line"]) for r in csv.DictReader(rejects.open())] if rejects.exists() else []
            assert lines == expected.rejected
            record = json.loads((result.path / "funnel.json").read_text())
            assert record["funnel"][0]["rows"] == expected.rows
            assert sum(record["dropped_rows"].values()) + record["rows"] == expected.rows
        named = {
            "did not parse, see rejects.csv": len(expected.rejected),
            "outside the dates": expected.outside,
            "another behaviour": expected.other_behavior,
            "not in the item subset": expected.not_in_subset,
            "a repeat of an earlier interaction": expected.repeats,
            "a user or item below the thresholds": expected.weak,
        }
        assert {k: n for k, n in dropped.items() if n} == {k: n for k, n in named.items() if n}


FEW = settings(max_examples=25)
CHOICES = (
    st.sampled_from(["4", "3,4", "1,2,3,4"]),
    st.one_of(st.none(), st.sets(st.sampled_from(["1", "2", "01", "100", "77"]), min_size=1)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.sampled_from(["novel", "repeat"]),
    st.sampled_from([None, None, "2014-12-05"]),
    st.sampled_from(["auto", "auto", "engine", "careful"]),
)


@FEW
@given(LINES, st.booleans(), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), *CHOICES)
def test_dirty_logs(lines, header, end, finished, behaviors, subset, k, protocol, since, reader) -> None:  # type: ignore[no-untyped-def]
    head = [HEADER.encode()] if header else []
    content = end.join([*head, *lines]) + (end if finished else b"")
    if content.strip():
        compare(content, behaviors, subset, k, protocol, since, reader)


@FEW
@given(CLEAN, *CHOICES)
def test_clean_logs(lines, behaviors, subset, k, protocol, since, reader) -> None:  # type: ignore[no-untyped-def]
    compare(b"\n".join(lines) + b"\n", behaviors, subset, k, protocol, since, reader)
