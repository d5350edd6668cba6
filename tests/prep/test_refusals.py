"""A log that is refused is told why, and the option that reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prep_data import ANY, HEADER

from dataset_prep import InputError, TooManyRejectsError, convert

CSV = {"user_column": "u", "item_column": "i", "time_column": "t"}


def refused(log: str, tmp_path: Path, source: str = "csv", **options: object) -> str:
    (tmp_path / "log.csv").write_text(log)
    columns = CSV if source == "csv" else {}
    with pytest.raises(InputError) as error:
        convert(source, tmp_path / "log.csv", output=tmp_path, name="x", **(ANY | columns | options))  # type: ignore[arg-type]
    return str(error.value)


def times(*texts: str) -> str:
    return "u,i,t\n" + "".join(f"{n},{n},{text}\n" for n, text in enumerate(texts))


@pytest.mark.parametrize(
    ("text", "asked", "advice"),
    [
        ("1417392000", "datetime", "Times such as '1417392000' are read with --time-format unix."),
        ("1417392000000", "datetime", "Times such as '1417392000000' are read with --time-format ms."),
        ("2014-12-01", "unix", "Times such as '2014-12-01' are read with --time-format date."),
        ("31/12/2014", "datetime", "--time-format '%d/%m/%Y' where the day is first, or '%m/%d/%Y'."),
        ("31.12.2014 10", "datetime", "--time-format '%d.%m.%Y %H' where the day is first, or '%m.%d.%Y %H'."),
        ("1-2-2014 9:20", "datetime", "--time-format '%d-%m-%Y %H:%M' where the day is first, or '%m-%d-%Y %H:%M'."),
        ("31/12/2014 10:20:30", "datetime", "--time-format '%d/%m/%Y %H:%M:%S' where the day is first, or '%m/%d/%Y"),
        ("never", "datetime", "Times such as 'never' are not datetime. --time-format takes "),
        ("never", "datetime", "or a pattern such as '%d/%m/%Y %H:%M'."),
    ],
)
def test_times_of_another_format(text: str, asked: str, advice: str, tmp_path: Path) -> None:
    said = refused(times(text, text), tmp_path, time_format=asked)
    assert "none of the 2 rows is a row of a csv log (user_id,item_id,timestamp)" in said and advice in said


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["20141202", "20141218"], ": these are days such as 20141202, no Unix seconds. Add --time-format yyyymmdd."),
        (["20141202", "5"], "1970-08-22: these are no Unix seconds. Say how the times are written (--time-format), "),
        (["1", "2"], "all times lie between 1970-01-01 and 1970-01-01: these are no Unix seconds."),
        (["9000000000", "9000000001"], "2255-03-15. Say how the times are written: --time-format."),
    ],
)
def test_times_outside_the_years_of_logs(texts: list[str], why: str, tmp_path: Path) -> None:
    said = refused(times(*texts), tmp_path, time_format="unix")
    assert (
        said.startswith("csv: all times lie between 1970" if texts[0] < "9" else "csv: all times lie") and why in said
    )


def test_one_time_in_those_years_is_enough(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(times("1", "1417392000"))
    columns = {**CSV, "time_format": "unix"}
    assert convert("csv", tmp_path / "log.csv", output=tmp_path, name="x", **(ANY | columns)).size.pairs == 2
    (tmp_path / "log.csv").write_text(times("1", "2"))
    columns["time_format"] = "order"  # the numbers are no times
    assert convert("csv", tmp_path / "log.csv", output=tmp_path, name="y", **(ANY | columns)).size.pairs == 2


def test_a_log_of_which_too_much_or_nothing_parses(tmp_path: Path) -> None:
    good, bad = "1,2,4,,1,2014-12-01 00\n", "1,2,4\n"
    said = refused(good + bad * 3, tmp_path, "mobile")
    assert said.startswith(
        "log.csv: 3 of 4 rows (75.0%) do not parse, more than --max-bad 0.01 allows. A row is user_id"
    )
    assert "The first of them:\n  log.csv, line 2: " in said and not said.endswith("\n")
    assert "none of the 3 rows is a row of a mobile log" in refused(bad * 3, tmp_path, "mobile")
    assert "Which log is it? Try: python -m dataset_prep inspect FILE" in refused(bad * 3, tmp_path, "mobile")
    assert "log.csv: the file holds no rows" in refused(HEADER + "\n", tmp_path, "mobile")
    (tmp_path / "log.csv").write_text(good + bad)
    half = convert("mobile", tmp_path / "log.csv", output=tmp_path, name="x", **(ANY | {"max_bad": 0.5}))
    assert half.size.pairs == 1
    with pytest.raises(TooManyRejectsError):
        convert("mobile", tmp_path / "log.csv", output=tmp_path, name="y", **(ANY | {"max_bad": 0.49}))


def test_files_whose_columns_stand_in_another_order(tmp_path: Path) -> None:
    other = ",".join(["item_id", "user_id", *HEADER.split(",")[2:]])
    (tmp_path / "1.csv").write_text(f"{other}\n2,1,4,,1,2014-12-01 00\n")
    (tmp_path / "2.csv").write_text("1,2,4,,1,2014-12-01 00\n")
    both = [tmp_path / "1.csv", tmp_path / "2.csv"]
    why = (
        r"2\.csv has no header, and .*1\.csv has its columns in an order of its own \(item_id,user_id,.*Give .*2\.csv a"
    )
    with pytest.raises(InputError, match=why):
        convert("mobile", both, output=tmp_path, name="x", **ANY)
    (tmp_path / "2.csv").write_text(f"{HEADER}\n1,2,4,,1,2014-12-01 00\n")
    assert convert("mobile", both, output=tmp_path, name="x", **ANY).size.pairs == 1
    # What is not needed may be missing at the end: the order is the same.
    (tmp_path / "1.csv").write_text(re.sub("$", ",more", HEADER) + "\n1,2,4,,1,2014-12-01 00,x\n")
    (tmp_path / "2.csv").write_text("1,2,4,,1,2014-12-01 00\n")
    assert convert("mobile", both, output=tmp_path, name="y", **ANY).size.pairs == 1
