"""The commands recommend, export and score-tianchi: files of ids, forms of output, the competition's file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.files.id_files import read_columns
from recbole_alibaba.recommending.files.output import _reasons_as_text
from recbole_alibaba.recommending.files.tianchi import best_number, last_known_day

Command = Callable[..., Result]


@pytest.mark.parametrize(
    "text",
    [
        "196\n186\n",
        "\ufeffuser_id\r\n196 \r\n\r\n  186\r\n",
        "age,User_ID:token\n3,196\n4,186",
        '"196"\t1\n"186"\t2\n',
        "id\n196\n186",
        '"age", "user_id"\n3, "196"\n4, "186"\n',
    ],
)
def test_files_of_ids(command: Command, trained: dict[str, Any], tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.txt"
    file.write_bytes(text.encode())
    named = command("recommend", trained["run"], "--users=196,186", "--k=2")
    assert named.exit_code == 0 and "History: full, all interactions" in named.stderr
    assert command("recommend", trained["run"], f"--users={file}", "--k=2").stdout == named.stdout
    from recbole_alibaba.cli import main

    piped = CliRunner().invoke(main, ["recommend", trained["run"], "--users=-", "--k=2"], input=text.encode())
    assert piped.stdout == named.stdout


def test_forms_of_output_hold_the_same(command: Command, trained: dict[str, Any], model: Any) -> None:
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        done = command("recommend", trained["run"], f"--output={name}", "--users=196,186,22", "--k=3", "--explain")
        assert done.exit_code == 0 and not done.stdout, done.output
    expected = model.recommend(["196", "186", "22"], k=3, explain=True)
    lines = [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    tables = [pd.read_csv("a.csv"), pd.DataFrame(lines), duckdb.sql("FROM 'a.parquet'").df()]
    for table in tables:
        assert table["item"].astype(str).tolist() == expected["item"].tolist()
        assert table["score"].to_numpy() == pytest.approx(expected["score"].to_numpy())
        because = [json.loads(one) if isinstance(one, str) else one for one in table["because"]]
        assert because == [[list(pair) for pair in one] for one in expected["because"]]


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("a x\nb  y\n", ("user", "item"), [["a", "x"], ["b", "y"]]),
        ("item_id user_id\nx a\n", ("user", "item"), [["a", "x"]]),
        ("two words\n b \n", ("user",), [["two words"], ["b"]]),  # one column: blanks belong to the id
        ("a;x;1\n", ("item", "user"), [["a", "x"]]),
        ("a\tx,y\n", ("user", "item"), [["a", "x,y"]]),
        ("", ("user",), []),
    ],
)
def test_columns_of_files(tmp_path: Path, text: str, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    (tmp_path / "file").write_text(text)
    assert read_columns(tmp_path / "file", columns).to_numpy().tolist() == rows


@pytest.mark.parametrize("option", ["--new-users", "--history"])
def test_new_users_in_a_file(command: Command, trained: dict[str, Any], tmp_path: Path, option: str) -> None:
    (tmp_path / "baskets.tsv").write_text("item_id\tuser_id\n50\tx\n172\tx\nnope\ty\n", encoding="utf-8")
    done = command("recommend", trained["run"], option, tmp_path / "baskets.tsv", "--k=2", "--output=new.csv")
    assert done.exit_code == 0 and "New users: the items in" in done.stderr
    assert pd.read_csv("new.csv")[["user", "popular"]].to_numpy().tolist() == [["x", False]] * 2 + [["y", True]] * 2


def test_what_the_lists_know_is_said(command: Command, trained: dict[str, Any], tmp_path: Path) -> None:
    plain = command("recommend", trained["run"], "--users=196", "--k=3", "--output=a.csv")
    assert "History: full, " in plain.stderr and plain.stderr.rstrip().endswith("Items already had are left out.")
    again = command("recommend", trained["run"], "--users=196", "--k=3", "--history=train", "--seen", "--output=b.csv")
    assert "History: train, " in again.stderr and "Items already had may come again." in again.stderr
    (tmp_path / "new.csv").write_text("user,item\nx,50\n", encoding="utf-8")
    both = command("recommend", trained["run"], "--new-users=new.csv", "--users=196", "--k=3", "--output=c.csv")
    assert "New users: the items in new.csv. Items already had are left out." in both.stderr
    assert pd.read_csv("c.csv", dtype=str)["user"].tolist() == ["x"] * 3 + ["196"] * 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--users=1960"], "does not know the user '1960' (nearest: 196"),
        (["--users=1960", "--unknown=popular", "--k=2000"], "use 1 to 1,682"),
        (["--users=absent.txt"], "no file absent.txt"),
        (["--users=empty.txt"], "names no user"),
        (["--users=latin.txt"], "no UTF-8 text"),
        (["--new-users=short.csv"], "short.csv, line 2: user and item are needed"),
        (["--history=all"], "use full or train, or name a file"),
        (["--output=x.xls"], "must end in .csv"),
        (["--output=absent/x.csv"], "no folder absent"),
        (["--output=x.csv", "--users=1960"], "does not know"),
        (["--pairs=3"], "belong to --format=tianchi"),
        (["--truth=short.csv"], "belong to --format=tianchi"),
        (["--history=-"], "The history has no row"),
        (["--history=nowhere.csv"], "or name a file; there is none of that name"),
        (["--format=tianchi", "--new-users=short.csv"], "no place for --new-users and --explain"),
        (["--format=tianchi", "--explain"], "no place for --new-users and --explain"),
        (["--new-users=short.csv", "--history=empty.txt"], "use full or train; the new users are in --new-users"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    command: Command, trained: dict[str, Any], words: list[str], sentence: str
) -> None:
    Path("empty.txt").write_text("user_id\n")
    Path("latin.txt").write_bytes("é\n".encode("latin-1"))
    Path("short.csv").write_text("a,1\nb\n")
    before = set(Path().rglob("*"))
    done = command("recommend", trained["run"], *words)
    assert done.exit_code == 2 and done.output.count("Error:") == 1 and sentence in done.output, done.output
    assert set(Path().rglob("*")) == before


def test_the_number_of_pairs_by_hand() -> None:
    """Hits at places 1 and 3 of 5, three bought: F1 after 1, 2, 3, 4, 5 pairs is 2/4, 2/5, 4/6, 4/7, 4/8."""
    pairs = pd.DataFrame({"user": list("abcde"), "item": list("12345")})
    bought = pd.DataFrame({"user": ["a", "c", "z"], "item": ["1", "3", "9"]})
    found = best_number(pairs, bought)
    assert (found.pairs, found.hits, found.f1) == (3, 2, pytest.approx(4 / 6))
    with pytest.raises(SavedRunError, match="--pairs N"):
        best_number(pairs, bought[2:])


def test_the_competitions_file(command: Command, trained: dict[str, Any], model: Any) -> None:
    Path("items.csv").write_text(
        "item_id,item_category\n" + "".join(f"{item},0\n" for item in model.items.texts[1:500])
    )
    done = command("recommend", trained["run"], "--format=tianchi", "--items=items.csv", "--output=s.csv")
    assert done.exit_code == 0 and "pairs have the best F1" in done.stderr, done.output
    handed_in = pd.read_csv("s.csv", dtype=str)
    assert handed_in.columns.tolist() == ["user_id", "item_id"] and not handed_in.duplicated().any()
    assert f"{len(handed_in):,} pairs have" in done.stderr
    assert handed_in["item_id"].isin(model.items.texts[1:500]).all()
    day, _ = last_known_day(model)
    columns = model.history.interactions
    trained_on = columns["part"].astype(str) == "train"
    users, items = (getattr(model, f"{kind}s").texts[columns[kind][trained_on]] for kind in ("user", "item"))
    known = set(zip(users.tolist(), items.tolist(), strict=True))
    assert len(day) and not known & set(zip(day["user"], day["item"], strict=True))
    day[day["item"].isin(model.items.texts[1:500])].to_csv("truth.csv", index=False)
    before = command(
        "recommend", trained["run"], "--format=tianchi", "--items=items.csv", "--history=train", "--output=t.csv"
    )
    scored = command("score-tianchi", "t.csv", "--truth=truth.csv", "--items=items.csv")
    assert before.exit_code == scored.exit_code == 0
    shown = float(scored.stdout.split("F1:")[1])
    assert f"best F1, {shown:.4f}" in before.stderr
    words = ["--format=tianchi", "--items=items.csv", "--history=train", "--truth=truth.csv"]
    named = command("recommend", trained["run"], *words, "--output=u.csv")
    assert ", on truth.csv: precision " in named.stderr and Path("u.csv").read_text() == Path("t.csv").read_text()
    some = command("recommend", trained["run"], "--format=tianchi", "--pairs=7", "--output=v.csv")
    assert "best F1" not in some.stderr and len(pd.read_csv("v.csv")) == 7


def test_a_submission_is_scored_by_distinct_pairs(command: Command) -> None:
    Path("s.csv").write_text("user_id,item_id\n1,1\n1,1\n1,2\n2,5\n2,6\n")
    Path("truth.csv").write_text("1,1\n2,5\n3,7\n3,7\n3,8\n3,9\n3,10\n")
    done = command("score-tianchi", "s.csv", "--truth=truth.csv")
    numbers = [float(line.split(":")[1].replace(",", "")) for line in done.stdout.splitlines()]
    assert numbers == [4, 6, 2, 0.5, pytest.approx(1 / 3, abs=1e-6), 0.4]
    assert done.stdout.startswith("pairs handed in: 4\npairs bought:    6\npairs in both:   2\nprecision: 0.5")
    Path("subset.csv").write_text("item_id\n1\n5\n")
    done = command("score-tianchi", "s.csv", "--truth=truth.csv", "--items=subset.csv")
    assert "pairs bought:    2\npairs in both:   2\n" in done.stdout
    Path("subset.csv").write_text("item_id\n77\n")
    done = command("score-tianchi", "s.csv", "--truth=truth.csv", "--items=subset.csv")
    assert done.exit_code == 2 and "truth.csv: no purchase of an item in the subset, so nothing" in done.output
    Path("none.csv").write_text("user_id,item_id\n")
    done = command("score-tianchi", "s.csv", "--truth=none.csv")
    assert done.exit_code == 2 and "Error" in done.output


def test_an_index_of_faiss_gives_the_same_ten(command: Command, trained: dict[str, Any], model: Any) -> None:
    faiss = pytest.importorskip("faiss")
    assert command("export", trained["run"], "--format=faiss", "--output=vectors").exit_code == 0

    index = faiss.read_index("vectors/items.faiss")
    items = np.array(Path("vectors/items.txt").read_text("utf-8").split("\n")[:-1])
    users = dict(
        zip(Path("vectors/users.txt").read_text("utf-8").split("\n"), np.load("vectors/users.npy"), strict=False)
    )
    scores, places = index.search(users["196"][None], 10)

    expected = model.recommend(["196"], k=10, seen=True)
    assert items[places[0]].tolist() == expected["item"].tolist()
    assert scores[0] == pytest.approx(expected["score"].to_numpy(), abs=1e-5)


def test_reasons_in_a_table_of_text_are_json_that_people_can_read() -> None:
    table = _reasons_as_text(pd.DataFrame({"because": [[("用户é", 0.5)], []]}))
    assert table["because"].tolist() == ['[["用户é", 0.5]]', "[]"]
    assert _reasons_as_text(table[[]]).columns.tolist() == []


def test_vectors_as_files(command: Command, trained: dict[str, Any], model: Any) -> None:
    vectors = model.vectors()
    for form in ("npy", "parquet"):
        assert command("export", trained["run"], f"--format={form}", f"--output={form}").exit_code == 0
    assert (np.load("npy/items.npy") == vectors.items).all()
    assert Path("npy/users.txt").read_text("utf-8").splitlines() == vectors.user_tokens.tolist()
    rows = duckdb.sql("FROM 'parquet/users.parquet'").fetchall()
    assert [token for token, _ in rows] == vectors.user_tokens.tolist()
    assert (np.array([vector for _, vector in rows], np.float32) == vectors.users).all()
    again = command("export", trained["run"], "--output=npy")
    assert again.exit_code == 2 and "exists already" in again.output
