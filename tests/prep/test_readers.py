"""The readers: each gives the same data set of the same log, and the same reasons for what does not parse."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prep_damage import mobile, mutated, userbehavior
from prep_data import ANY, HEADER, READERS, columns, files, mobile_log

from dataset_prep import InputError, PrepError, TooManyRejectsError, UsageError, convert
from dataset_prep.files.streams import ROOM, Block
from dataset_prep.reading.careful import CarefulReader, Found, Rejects
from dataset_prep.reading.fields import compiled, read_lines, time_field
from dataset_prep.reading.grammar import Grammar
from dataset_prep.reading.selection import Selection
from dataset_prep.settings import Settings
from dataset_prep.sources import IJCAI15, MOBILE, USERBEHAVIOR, Source
from dataset_prep.sources.part import LONGEST_LINE, Part
from dataset_prep.sources.times import FORMATS

FILES = 24
needs_compiler = pytest.mark.skipif(compiled() is None, reason="no C compiler was present at installation")
every_reader = pytest.mark.parametrize("reader", READERS)


def outcome(source: str, log: Path, output: Path, **options: Any) -> dict[str, bytes] | str:
    """Every file of the data set, or what was refused, with its reasons."""
    try:
        return files(convert(source, log, output=output, name="x", **(ANY | options)).path)
    except PrepError as error:
        return str(error)


def test_the_same_files_or_the_same_refusal_of_damaged_logs(tmp_path: Path) -> None:
    converted = 0
    for number in range(FILES):
        rng = random.Random(number)
        source = rng.choice(["mobile", "mobile", "userbehavior"])
        log = tmp_path / f"{number}.csv"
        log.write_bytes(mutated(rng, (mobile if source == "mobile" else userbehavior)(rng)))
        options: dict[str, Any] = {
            "max_bad": 1.0,
            "level": rng.choice(["item", "category"]),
            "protocol": rng.choice(["novel", "repeat"]),
        }
        options |= rng.choice([{}, {"split": "ratio 0.6,0.2,0.2", "core_on": "train"}, {"behaviors": "buy,cart"}])
        if source == "mobile" and rng.random() < 0.3:
            options["items"] = tmp_path / f"{number}.items.csv"
            options["items"].write_bytes(mutated(rng, b"item_id,geohash\n" + b"".join(b"%d,\n" % i for i in range(9))))
        made = {r: outcome(source, log, tmp_path / f"{number}-{r}", reader=r, **options) for r in ("auto", "careful")}
        converted += isinstance(made["auto"], dict)
        # A refusal names whole commands; the folder and the reader in them differ.
        plain = {
            r: re.sub(rf"{number}-{r}|--reader \w+ ?", "", m) if isinstance(m, str) else m for r, m in made.items()
        }
        assert re.sub(" +", " ", str(plain["auto"])) == re.sub(" +", " ", str(plain["careful"])), log
    assert FILES // 4 < converted < FILES


def test_a_log_of_several_blocks(tmp_path: Path) -> None:
    """The compiled reader takes 4 MB at a time. Bad and odd lines keep their numbers and values in every block."""
    rng = random.Random(1)
    rows = [
        f"{u},{rng.randrange(4000)},{rng.choice('234')},{'x' * rng.randrange(70)},{u % 9},2014-12-{u % 18 + 1:02} 07"
        for u in range(1, 80_000)
    ]
    for line in range(50, len(rows), 9_973):
        rows[line] += ",bad"
        rows[line + 1] = '"' + rows[line + 1].replace(",", '","') + '"'
        rows[line + 2] += "\r\n"
    log = tmp_path / "log.csv"
    log.write_text("\n".join([HEADER, *rows]))
    assert log.stat().st_size > 4 << 20
    made = {r: outcome("mobile", log, tmp_path / r, reader=r, behaviors="2,3,4") for r in READERS}
    assert isinstance(made["compiled"], dict)
    assert made["compiled"] == made["engine"] == made["careful"]
    rejected = [int(row["line"]) for row in rejects(tmp_path / "compiled" / "x")]
    assert rejected == [n for n, line in enumerate(log.read_bytes().decode().split("\n"), 1) if line.endswith(",bad")]
    assert len(rejected) == 9


DIRT = {
    b"1,2,3,,5": "5 fields, 6 expected",
    b"1,2,3,,5,2014-12-06 02,": "7 fields, 6 expected",
    b"abc,2,3,,5,2014-12-06 02": "user_id 'abc' is no whole number",
    b"1,2.0,3,,5,2014-12-06 02": "item_id '2.0' is no whole number",
    b"-1,2,3,,5,2014-12-06 02": "user_id '-1' is no whole number",
    b",2,3,,5,2014-12-06 02": "blank user_id",
    b"1, ,3,,5,2014-12-06 02": "blank item_id",
    b"1,2,7,,5,2014-12-06 02": "unknown behaviour '7'",
    b"1,2,7,,5,2015-12-06 02": "unknown behaviour '7'",
    b"1,2,33,,5,2014-12-06 02": "unknown behaviour '33'",
    b"1,2,3,,5,2014-02-30 02": "impossible time '2014-02-30 02'",
    b"1,2,3,,5,1899-12-31 23": "impossible time '1899-12-31 23'",
    b"1,2,3,,5,2100-01-01 00": "impossible time '2100-01-01 00'",
    b"1,2,3,,5,2014-12-0": "impossible time '2014-12-0'",
    b"1,2,3,a\0b,5,2014-12-06 02": "NUL byte",
    b"1,2,3,\xff\xfe,5,2014-12-06 02": "broken UTF-8",
    b'1,2,3,"x,5,2014-12-06 02': "stray quote",
    b'1,2,3,"x""y",5,2014-12-06 02': "a quote or a control character inside user_geohash",
    b"1,2,3,a\x0bb,5,2014-12-06 02": "a quote or a control character inside user_geohash",
    b"1,2,3,a\x7fb,5,2014-12-06 02": "a quote or a control character inside user_geohash",
    b"1,2,3," + b"x" * LONGEST_LINE + b",5,2014-12-06 02": f"{LONGEST_LINE + 22:,} bytes in one line",
    HEADER.encode(): "a second header",
}


GOOD = [b"1,1,4,,1,2014-12-01 00", b"1,2,3,,1,2014-12-02 00", b"2,1,2,,1,2014-12-03 00"]
WIDE: dict[str, Any] = ANY | {"behaviors": "1,2,3,4", "since": "1900-01-02", "until": "2014-12-31"}


def rejects(folder: Path) -> list[dict[str, str]]:
    with (folder / "rejects.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("reader", ["compiled", "careful"])
def test_dirt_goes_to_rejects_with_file_line_and_reason(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "dirty.csv"
    log.write_bytes(b"\n".join([HEADER.encode(), GOOD[0], *DIRT, *GOOD[1:]]))
    made = convert("mobile", log, output=tmp_path, name="x", reader=reader, max_bad=1.0, **WIDE)
    assert [row[:2] for row in columns(made.path / "x.inter")] == [["1", "1"], ["1", "2"], ["2", "1"]]
    expected = [{"file": "dirty.csv", "line": str(n), "reason": reason} for n, reason in enumerate(DIRT.values(), 3)]
    assert rejects(made.path) == expected


@pytest.mark.parametrize("dirt", [dirt for dirt in DIRT if dirt.isascii() and dirt.decode().isprintable()])
def test_an_engine_takes_no_line_that_the_grammar_refuses(dirt: bytes, tmp_path: Path) -> None:
    """The file is plain, so only the engine itself can find out."""
    log = tmp_path / "dirty.csv"
    log.write_bytes(b"\n".join([*GOOD, dirt, b""]))
    made = convert("mobile", log, output=tmp_path, name="x", reader="engine", max_bad=0.25, **WIDE)
    assert len(columns(made.path / "x.inter")) == 3
    assert rejects(made.path) == [{"file": "dirty.csv", "line": "4", "reason": DIRT[dirt]}]


@every_reader
def test_the_allowed_share_of_bad_rows_is_still_allowed(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "dirty.csv"
    log.write_bytes(b"\n".join([*GOOD, b"1,2,3", b""]))
    assert convert("mobile", log, output=tmp_path, name="x", reader=reader, max_bad=0.25, **WIDE).rows == 3
    with pytest.raises(TooManyRejectsError, match=r"dirty\.csv: 1 of 4 rows \(25\.0%\) do not parse, more than"):
        convert("mobile", log, output=tmp_path, name="y", reader=reader, max_bad=0.249, **WIDE)


@every_reader
def test_rows_at_the_edges_of_what_is_allowed(reader: str, tmp_path: Path) -> None:
    """The longest line, the largest plain number, the first and the last hour, a leap day, a column of no use."""
    times = ["1900-01-01 00", "2099-12-31 23", "2012-02-29 23", "2014-12-01 00"]
    lines = [f"{u},{10**15 + u},4,,1,{time}" for u, time in enumerate(times)]
    lines[3] = lines[3].replace(",,", f",{'x' * (LONGEST_LINE - len(lines[3]))},")
    log = tmp_path / "log.csv"
    for end in ("\n", "\r\n"):
        log.write_bytes("".join(line + end for line in lines).encode())
        assert len(lines[3]) == LONGEST_LINE
        made = convert("mobile", log, output=tmp_path, name="x", reader=reader, force=True, **ANY)
        assert not (made.path / "rejects.csv").exists()
        # -2208988800 - 8 h, 4102444800 - 9 h and so on: Unix seconds of Beijing's clock.
        seconds = ["-2209017600", "4102412400", "1330527600", "1417363200"]
        assert [row[2] for row in columns(made.path / "x.inter")] == seconds
        assert [row[1] for row in columns(made.path / "x.inter")] == [str(10**15 + u) for u in range(4)]


@pytest.mark.parametrize("reader", ["auto", "engine", "careful"])
def test_ids_stay_exact(reader: str, tmp_path: Path) -> None:
    ids = ["007", "7", "0", "9007199254740993", "99999999999999999", "123456789012345678901234567890"]
    log = mobile_log(tmp_path / "log.csv", [(u, u, 4, 1, "2014-12-01 00") for u in ids])
    made = convert("mobile", log, output=tmp_path, name="x", reader=reader, **ANY)
    assert [row[0] for row in columns(made.path / "x.inter")] == sorted(ids, key=lambda u: (len(u), u))


@every_reader
def test_ids_of_17_digits_stay_exact(reader: str, tmp_path: Path) -> None:
    """More digits than a double holds; the compiled reader hands such a line to the grammar."""
    ids = [10**16, 10**16 + 1, 10**17 + 1, 10**18 - 1]
    log = mobile_log(tmp_path / "log.csv", [(u, 1, 4, 1, "2014-12-01 00") for u in ids])
    made = convert("mobile", log, output=tmp_path, name="x", reader=reader, **ANY)
    assert [row[0] for row in columns(made.path / "x.inter")] == [str(u) for u in ids]


@every_reader
def test_of_several_values_of_a_feature_the_smallest_counts(reader: str, tmp_path: Path) -> None:
    """As text, where one is no plain number; a blank only where there is no other. Dropped rows do not count."""
    values = {1: ["7", "10"], 2: ["", "b", "a"], 3: ["9", "x", "10"], 4: ["", ""], 5: ["05", "5"]}
    rows: list[tuple[object, ...]] = [(u, i, 4, c, "2014-12-01 00") for i in values for u, c in enumerate(values[i])]
    rows += [(8, i, 1, "0", "2014-12-01 00") for i in values]
    for order in (rows, rows[::-1]):
        made = convert("mobile", mobile_log(tmp_path / "log.csv", order), output=tmp_path, name="x", reader=reader,
                       force=True, **ANY)  # fmt: skip
        assert columns(made.path / "x.item") == [["1", "10"], ["2", "a"], ["3", "10"], ["4", ""], ["5", "05"]]


@every_reader
@pytest.mark.parametrize("protocol", ["novel", "repeat"])
def test_both_ends_of_the_dates_are_kept(protocol: str, reader: str, tmp_path: Path) -> None:
    # 1511539200 is 2017-11-25 00:00 in Beijing, 1512316799 the last second of 3 December there.
    times = [1511539199, 1511539200, 1512316799, 1512316800]
    log = tmp_path / "log.csv"
    log.write_text("".join(f"{u},2,3,pv,{t}\n" for u, t in enumerate(times, 1)))
    made = convert("userbehavior", log, output=tmp_path, name="x", reader=reader, protocol=protocol, **ANY)
    assert [row[2] for row in columns(made.path / "x.inter")] == ["1511539200", "1512316799"]
    assert made.funnel.dropped()["outside the dates"] == 2
    one = {"since": "2017-11-25 00:00:01", "until": "2017-12-03 23:59:59"}
    made = convert("userbehavior", log, output=tmp_path, name="y", reader=reader, protocol=protocol, **(ANY | one))
    assert [row[2] for row in columns(made.path / "y.inter")] == ["1512316799"]


@every_reader
def test_of_one_time_the_strongest_behaviour_is_kept(reader: str, tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [
        (1, 1, 4, 1, "2014-12-02 01"), (1, 1, 2, 1, "2014-12-02 00"), (1, 1, 3, 1, "2014-12-02 00"),
        (2, 1, 1, 1, "2014-12-01 00"), (2, 1, 2, 1, "2014-12-02 00"), (2, 1, 2, 1, "2014-12-01 23"),
    ]  # fmt: skip
    made = convert("mobile", mobile_log(tmp_path / "log.csv", rows), output=tmp_path, name="x", reader=reader,
                   behaviors="2,3,4", **ANY)  # fmt: skip
    assert columns(made.path / "x.inter") == [["1", "1", "1417449600", "3"], ["2", "1", "1417446000", "2"]]


def test_more_dirt_than_allowed_stops_with_the_first_ten_reasons(tmp_path: Path) -> None:
    log = tmp_path / "dirty.csv"
    log.write_text("\n".join([*["1,2,4,,1,2014-12-01 00"] * 5, *["1,2,3"] * 12]))
    for reader in READERS:
        with pytest.raises(TooManyRejectsError) as caught:
            convert("mobile", log, output=tmp_path / "out", name="x", reader=reader)
        text = str(caught.value)
        assert "12 of 17 rows" in text and "dirty.csv, line 6: 3 fields, 6 expected" in text
        assert text.count("\n  ") == 10
    assert not (tmp_path / "out").exists()


PLAIN = [b"%d,%d,4,,1,2014-12-01 00" % (n % 99, n % 1_000) for n in range(24_000)]
SHORT = b"1,2"


@needs_compiler
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([*PLAIN, *[b""] * 70_000], "more than 65,536 odd lines in a block"),
        ([*PLAIN, *[SHORT] * 20_001], "20,001 odd lines"),
        ([SHORT, *PLAIN, b"007,1,4,,1,2014-12-01 00"], "an id that is no plain number"),
    ],
    ids=["many blank lines", "many bad lines", "an id with zeros"],
)
def test_where_the_compiled_reader_gives_up(lines: list[bytes], reason: str, tmp_path: Path) -> None:
    """It says why if it was asked for; else another reader starts anew, with a new list of rejects."""
    log = tmp_path / "log.csv"
    log.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UsageError, match=f"--reader compiled cannot read this log: {reason}"):
        convert("mobile", log, output=tmp_path, name="compiled", reader="compiled")
    made = {r: outcome("mobile", log, tmp_path / r, reader=r, max_bad=1.0) for r in ("auto", "careful")}
    assert isinstance(made["auto"], dict) and made["auto"] == made["careful"]
    assert made["auto"].get("rejects.csv", b"\n").count(b"\n") == lines.count(SHORT) + 1


@needs_compiler
@pytest.mark.parametrize("lines", [[*PLAIN, *[SHORT] * 20_000], [*PLAIN * 17, *[SHORT] * 20_200]])
def test_few_odd_lines_or_a_small_share_are_no_reason_to_give_up(lines: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"\n".join(lines))
    made = convert(
        "mobile", tmp_path / "log.csv", output=tmp_path, name="x", reader="compiled", max_bad=1.0, min_known=0
    )
    assert made.rows == len({line[:-17] for line in PLAIN})


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        ("csv", {"user_column": "1", "item_column": "2"}, "ids may be text"),
        ("mobile", {"engine": "spark"}, "Spark was asked for"),
    ],
)
@needs_compiler
def test_logs_that_the_compiled_reader_does_not_take(
    source: str, options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    log = mobile_log(tmp_path / "log.csv", [(1, 1, 4, 1, "2014-12-01 00")])
    with pytest.raises(UsageError, match=f"--reader compiled cannot read this log: {reason}"):
        convert(source, log, output=tmp_path, name="x", reader="compiled", **(ANY | options))
    with pytest.raises(UsageError, match="only an engine reads addresses"):
        convert("mobile", f"file://{log}", output=tmp_path, name="x", reader="compiled", **ANY)


def test_the_careful_reader_reads_blocks_of_16_mb(tmp_path: Path) -> None:
    """A line across the border, and one that is not UTF-8 behind it."""
    row = b"1,2,4,%s,1,2014-12-01 00\n" % (b"x" * 5_000)
    many = (1 << 24) // len(row) + 2
    log = tmp_path / "log.csv"
    log.write_bytes(row * many + b"1,2,4,\xff,1,2014-12-01 00\n" + row)
    with Rejects(tmp_path / "rejects.csv") as kept:
        found = Found()
        CarefulReader(kept, found, "item").part(_part(log), MOBILE, tmp_path / "clean")
    assert (found.rows, found.rejected, found.integers) == (many + 2, 1, True)
    assert found.first_reasons == [f"log.csv, line {many + 1:,}: broken UTF-8"]
    assert (tmp_path / "clean").read_bytes() == (row * (many + 1)).replace(b",", b"\t")


def _part(path: Path) -> Part:
    return Part(str(path), path.name, ",", False, "\n", False, 0, "")


FIELD = st.one_of(
    st.integers(0, 10**18).map(str),
    st.text("0123456789", max_size=18),
    st.text('0123456789 -+.eE,"\t\rxé', max_size=12),
    st.sampled_from(
        ["", "1", "3", "pv", "cart", "2014-12-06 02", "2012-02-29 23", "1899-01-01 00", "0229", "1511544070"]
    ),
)


@needs_compiler
@given(st.sampled_from([MOBILE, USERBEHAVIOR, IJCAI15]), st.sampled_from([",", "\t"]), st.data())
def test_no_line_is_taken_that_the_grammar_refuses(source: Source, delimiter: str, data: st.DataObject) -> None:
    """Neither by the compiled reader nor by the regular expression; what is taken has the values the grammar sees."""
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
    text = b"".join(row + b"\n" for row in rows)
    everything = ",".join(b.value for b in source.behaviors)
    settings = Settings(source, ("log.csv",), Path("out"), "x", behaviors=everything)
    found, lines = Selection(settings, None, whole=True).parse(
        Block(text + bytes(ROOM), len(text), text), delimiter, source.columns
    )
    grammar, place = Grammar(source, delimiter), {column: n for n, column in enumerate(source.columns)}
    odd_lines = dict(lines.odd)
    taken = [row for n, row in enumerate(rows) if n not in odd_lines]
    assert len(taken) == len(found.user) and lines.count == len(rows)
    for n, row in enumerate(taken):
        reason, fields = grammar.examine(row.removesuffix(b"\r"))
        assert reason is None and grammar.is_canonical(fields)
        assert str(found.user[n]) == fields[place["user_id"]] and str(found.item[n]) == fields[place["item_id"]]
        assert found.t[n] == FORMATS[source.time].parse(fields[place["timestamp"]])
        assert source.behaviors[found.rank[n]].value == fields[place["behavior_type"]]
    # A reader that takes nothing would pass all of the above.
    assert not untouched & odd_lines.keys()
    for row in rows:
        for canonical in (True, False):
            match = grammar.run(canonical).match(row + b"\n")
            reason, fields = grammar.examine(row.removesuffix(b"\r"))
            if match is not None and match.end():
                assert reason is None
                assert grammar.is_canonical(fields) or not canonical


@needs_compiler
@pytest.mark.parametrize("name", ["hour", "datetime", "date", "yyyymmdd", "mmdd"])
def test_every_day_and_none_that_is_not(name: str) -> None:
    """By C, by the regular expression and by the definition."""
    form = FORMATS[name]
    assert form.strptime is not None
    shape = form.strptime.replace("%Y", "" if form.prefix else "{y:04d}").replace("%m", "{m:02d}")
    shape = shape.replace("%d", "{d:02d}").replace("%H", "{h:02d}").replace("%M", "{h:02d}").replace("%S", "{h:02d}")
    years = [2014] if form.prefix else [0, 1899, 1900, 1970, 2000, 2012, 2014, 2099, 2100, 9999]
    days, hours = (0, 1, 9, 10, 27, 28, 29, 30, 31, 32), (0, 23, 24, 60) if "%H" in form.strptime else (0,)
    texts = [shape.format(y=y, m=m, d=d, h=h) for y in years for m in range(14) for d in days for h in hours]
    block = "".join(text + "\n" for text in texts).encode()
    lines = read_lines(Block(block + bytes(ROOM), len(block), block), ",", [time_field(form)])
    expected = [form.parse(text) for text in texts]
    assert [n for n, _ in lines.odd] == [n for n, seconds in enumerate(expected) if seconds is None]
    assert lines.values[0].tolist() == [seconds for seconds in expected if seconds is not None]


def test_a_log_needs_rows_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("1,2,3\n4,5,6\n")
    with pytest.raises(
        InputError, match=r"none of the 2 rows is a row of a mobile log \(user_id,item_id,(?s:.*)inspect"
    ):
        convert("mobile", tmp_path / "log.csv", output=tmp_path, name="x", max_bad=1.0)
