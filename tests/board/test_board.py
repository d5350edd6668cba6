"""A board by its command: what it writes, again, elsewhere, and what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from recbole_alibaba.board.records import Records
from recbole_alibaba.board.trial import digest
from recbole_alibaba.host.errors import BadInput
from tests.board.tiny_boards import BOARD, TRIALS, files, lay_out, records

Board = Callable[..., Result]


def test_each_model_is_searched_on_validation_and_tested_with_each_seed(ran: Path) -> None:
    found = records(ran)
    assert len(found) == TRIALS
    assert {record["state"] for record in found} == {"done"}
    search = [record for record in found if record["purpose"] == "search"]
    assert [record["test"] for record in search] == [None, None]
    best = max(search, key=lambda record: record["valid_score"])
    finals = [record for record in found if record["purpose"] == "final"]
    assert {json.dumps(one["searched"]) for one in finals if one["label"] == "AlibabaLightGCN"} == {
        json.dumps(best["searched"])
    }
    assert sorted((one["label"], one["seed"]) for one in finals) == [
        (label, seed) for label in ("AlibabaLightGCN", "BPR", "EASE", "ItemKNN", "Pop") for seed in (1, 2)
    ]
    assert len({json.dumps(one["data"]) for one in found}) == 1
    assert all(digest(one["config"]) == one["config_hash"] for one in found)
    of_final = Records(ran / "results" / "records", "tiny").scores(finals[0])
    assert of_final["ndcg@10"].mean() == pytest.approx(finals[0]["test"]["ndcg@10"], rel=1e-5)


def test_again_nothing_is_trained_and_the_bytes_are_the_same(ran: Path, board: Board) -> None:
    before = files(ran)
    assert {Path(name).suffix for name in before} == {".md", ".csv", ".tex", ".html", ".json", ".jsonl", ".npz"}
    again = board(ran)
    assert "nothing was run" in again.output
    assert board(ran, "--render").exit_code == 0
    assert files(ran) == before


def test_one_job_gives_the_same_records(ran: Path, board: Board, tmp_path: Path) -> None:
    assert board(lay_out(tmp_path), "--jobs=1").exit_code == 0
    assert records(tmp_path) == records(ran)


def test_records_of_another_machine_are_taken_over_and_wrong_ones_named(
    ran: Path, board: Board, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(ran / "results" / "records", other)
    lines = [json.loads(line) for line in (other / "tiny.jsonl").read_text().splitlines()]
    pop, knn = (next(one for one in lines if one["model"] == model) for model in ("Pop", "ItemKNN"))
    pop["data"]["fingerprint"], knn["config"]["k"] = "elsewhere", 7
    (other / "tiny.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = board(lay_out(tmp_path), "--add=other")
    assert result.exit_code == 2
    assert f"Pop, seed {pop['seed']} ({pop['id']}): its two-tastes has other content" in result.output
    assert f"ItemKNN, seed {knn['seed']} ({knn['id']}): its configuration does not have the hash" in result.output
    wrong = {pop["id"], knn["id"]}
    assert records(tmp_path) == [record for record in records(ran) if record["id"] not in wrong]


@pytest.mark.parametrize("option", ["--add=other", "--submit=lists.csv"])
def test_pages_alone_and_something_to_add_are_refused(ran: Path, board: Board, option: str) -> None:
    before = files(ran)
    result = board(ran, "--render", option)
    assert (result.exit_code, files(ran)) == (2, before)
    assert "leave --render out" in result.output


def test_lists_made_elsewhere_stand_on_the_board(ran: Path, board: Board, tmp_path: Path) -> None:
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    rows = [f"u{user},i{item},{-item}" for user in range(60) for item in range(20)]
    (tmp_path / "lists.csv").write_text("\n".join(["user,item,score", *rows]) + "\n")
    assert board(tmp_path, "--submit=lists.csv", "--label=First twenty").exit_code == 0
    outside = next(record for record in records(tmp_path) if record["purpose"] == "outside")
    assert outside["label"] == "First twenty" and 0 < outside["test"]["recall@10"] < 1
    assert "First twenty" in (tmp_path / "results" / "tiny.md").read_text()


def test_a_torn_line_is_no_record(tmp_path: Path) -> None:
    mine = Records(tmp_path, "tiny")
    mine.append({"id": "a"}, {})
    with mine.file.open("a") as file:
        file.write('{"id": "b", "boa')
    assert [record["id"] for record in mine.read()] == ["a"]
    mine.append({"id": "c"}, {})
    assert [record["id"] for record in mine.read()] == ["a", "c"]


def test_records_that_cannot_be_read_say_what_to_do(tmp_path: Path) -> None:
    mine, there = Records(tmp_path / "here", "tiny"), Records(tmp_path / "there", "tiny")
    config = {"epochs": 1}
    record = {
        "id": "0" * 16, "dataset": "log", "label": "BPR", "seed": 1, "purpose": "final", "config": config,
        "config_hash": digest(config), "data": {"fingerprint": "f"}, "scores": None,
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"there is no tiny\.jsonl"):
        mine.add(tmp_path / "absent", {})
    others = [
        {**record, "dataset": "other"},
        {**record, "data": {"fingerprint": "g"}},
        {**record, "config": {}},
        record,
    ]
    for number, one in enumerate(others):
        there.append({**one, "id": f"{number:016}"}, {})
    taken, refused = mine.add(there.file.parent, {"log": "f"})
    assert taken == 1 and [one["id"] for one in mine.read()] == [f"{3:016}"]
    assert "this board has no data set other" in refused[0] and "its log has other content" in refused[1]
    assert len(refused) == 3 and mine.add(there.file.parent, {"log": "f"})[0] == 0
    with pytest.raises(BadInput, match=r"board\.json is missing or damaged\. Run the board without --render"):
        mine.read_board()
    mine.write_board(["a"], {"BPR": {}})
    assert mine.read_board() == {"ids": ["a"], "spaces": {"BPR": {}}}
    with pytest.raises(BadInput, match=r"lost\.npz is missing or damaged; it holds the scores of BPR, seed 1"):
        mine.scores({**record, "scores": "lost.npz"})
    assert mine.scores(record) == {}
    mine.file.write_text('{"id": "a"}\nnothing\n')
    with pytest.raises(BadInput, match=r"tiny\.jsonl:2: this line is no record"):
        mine.read()


def test_a_long_torn_line_is_cut_off(tmp_path: Path) -> None:
    mine = Records(tmp_path, "tiny")
    mine.append({"id": "a"}, {})
    with mine.file.open("a") as file:
        file.write("x" * 200_000)
    mine.append({"id": "b"}, {})
    assert mine.file.read_text().count("\n") == 2 and [one["id"] for one in mine.read()] == ["a", "b"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0.8, 0.1, 0.1]", "[0.9, 0.0, 0.1]", "leave the validation part empty"),
        ("RS: [0.8, 0.1, 0.1]", "LS: test_only", "leave the validation part empty"),
        ("BPR:", "BPR: {settings: {lerning_rate: 1}}", "Did you mean 'learning_rate'?"),
        ("BPR:", "SASRec:", "is a sequential model"),
        ("embedding_size: 8", "embeding_size: 8", "Did you mean 'embedding_size'?"),
    ],
)
def test_a_board_that_cannot_be_fair_is_refused(board: Board, tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in BOARD
    result = board(lay_out(tmp_path, BOARD.replace(old, new)))
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "results" / "records" / "tiny.jsonl").exists()


def test_a_second_board_on_the_same_records_waits(board: Board, tmp_path: Path) -> None:
    with Records(lay_out(tmp_path) / "results" / "records", "tiny").held():
        result = board(tmp_path)
    assert result.exit_code == 2 and "Another process runs this board" in result.output
