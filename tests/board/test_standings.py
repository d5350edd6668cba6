"""What do records become: rows, ranks, notes, and the pages in Markdown, CSV and LaTeX?"""

import csv
import io
import random
import re
import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_up_board import HEAD, PUBLISHED, SEEDS, made_up_board

from recbole_alibaba.board.pages.markdown_page import markdown
from recbole_alibaba.board.pages.tex_table import tex
from recbole_alibaba.board.pages.tidy_csv import COLUMNS, csv_text
from recbole_alibaba.board.standings.contents import Row, Standings
from recbole_alibaba.board.standings.standings import standings
from recbole_alibaba.host.errors import BadInput

RECORDS, SCORES = made_up_board()
BOARD = standings(RECORDS, lambda record: SCORES[record["id"]], PUBLISHED)


def of(records: list[dict[str, Any]]) -> list[Standings]:
    return standings(records, lambda record: SCORES[record["id"]], PUBLISHED)


def row(label: str, standing: Standings = BOARD[0]) -> Row:
    return next(row for row in standing.rows if row.label == label)


def test_every_kind_of_row_in_order() -> None:
    first = BOARD[0]
    assert [one.dataset for one in BOARD] == ["taobao-buy", "tianchi-slice"]
    assert [(one.label, one.kind, one.rank) for one in first.rows] == [
        ("EASE", "ranked", 1),
        ("AlibabaLightGCN", "ranked", 1),
        ("LightGCN", "ranked", 1),
        ("Pop", "ranked", 4),
        ("Their lists", "outside", None),
        ("LightGCN (He et al. 2020)", "published", None),
        ("MultiVAE", "failed", None),
        ("NGCF", "failed", None),
    ]
    assert row("EASE").tied == ["AlibabaLightGCN", "LightGCN"]
    assert "Their lists: 3 items are not in the data." in first.notes
    assert (first.metric, first.seeds, first.seed_noise) == ("ndcg@20", list(SEEDS), True)
    assert [one.state for one in first.failures] == ["memory", *["failed"] * 3, *["timeout"] * 3]


def test_figures_are_over_the_seeds() -> None:
    values = [
        record["test"]["recall@20"]
        for record in RECORDS
        if (record["dataset"], record["label"], record["purpose"]) == ("taobao-buy", "LightGCN", "final")
    ]
    figure = row("LightGCN").metrics["recall@20"]
    assert (figure.mean, figure.sd) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    assert row("Pop").metrics["recall@20"].sd == 0.0


def test_the_chosen_trial_of_a_search() -> None:
    trials = row("AlibabaLightGCN").trials
    assert [(trial.index, trial.chosen, trial.state) for trial in trials] == [
        (0, False, "done"),
        (1, False, "done"),
        (2, False, "memory"),
        (3, True, "done"),
    ]


def test_a_model_whose_search_has_no_result_is_a_failed_row() -> None:
    searches = [record for record in RECORDS if record["index"] == 2]
    (only, _) = of(searches)
    assert [(one.label, one.kind) for one in only.rows if one.kind != "published"] == [("AlibabaLightGCN", "failed")]


def test_one_seed_says_that_seeds_are_unknown() -> None:
    (one, _) = of([record for record in RECORDS if record["seed"] in (SEEDS[0], 0)])
    assert not one.seed_noise
    assert any(note.startswith("One seed:") for note in one.notes)
    assert row("EASE", one).metrics["ndcg@20"].sd is None
    assert "one seed" in markdown(HEAD, [one])


def test_a_lost_seed_is_a_note() -> None:
    lost = f"taobao-buy-LightGCN-{SEEDS[2]}-final-None"
    none = {"state": "failed", "reason": "It stopped.", "test": None}
    (one, _) = of([record | none if record["id"] == lost else record for record in RECORDS])
    assert "LightGCN: 2 of 3 seeds ended well; its mean is over these." in one.notes
    assert row("LightGCN", one).rank == 1


def test_a_validation_metric_that_is_not_kept_by_user() -> None:
    (one, _) = of([record | {"config": {"valid_metric": "MRR@20"}} for record in RECORDS])
    assert one.metric == "ndcg@20"
    assert any("MRR@20" in note for note in one.notes)


def test_scores_of_other_users_are_refused() -> None:
    odd = f"taobao-buy-Pop-{SEEDS[1]}-final-None"

    def scores(record: dict[str, Any]) -> dict[str, np.ndarray]:
        arrays = dict(SCORES[record["id"]])
        return arrays | {"users": arrays["users"] + 1} if record["id"] == odd else arrays

    with pytest.raises(BadInput, match=r"Pop .*other users"):
        standings(RECORDS, scores)


def test_pages_do_not_depend_on_the_order_of_the_records() -> None:
    mixed = RECORDS[1:]
    random.Random(5).shuffle(mixed)
    again = of([RECORDS[0], *sorted(mixed, key=lambda record: record["dataset"])])
    assert (markdown(HEAD, again), csv_text(again), tex(HEAD, again)) == (
        markdown(HEAD, BOARD),
        csv_text(BOARD),
        tex(HEAD, BOARD),
    )


def test_markdown_tables_are_whole() -> None:
    page = markdown(HEAD, BOARD)
    for block in re.findall(r"(?:^\|.*\n)+", page, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "| EASE " in page and "1 tied" in page and "**0.1170 ± 0.0000**" in page
    assert "&lt;x> & \\|y\\|" in page
    assert "1e-06 to 0.001, log" in page and "3 done, 1 memory" in page
    assert HEAD.command in page and "12 pairs of the test part" in page


def test_a_competition_without_its_purchases_is_said() -> None:
    def page(**competition: str) -> str:
        return markdown(replace(HEAD, plan={"competition": competition}), BOARD)

    assert "only if these are purchases" in page(items="items.csv")
    assert "only if these are purchases" not in page(items="items.csv", before="a.csv", truth="b.csv")


def test_csv_has_every_value_of_every_trial() -> None:
    lines = list(csv.DictReader(io.StringIO(csv_text(BOARD))))
    assert tuple(lines[0]) == COLUMNS
    assert all(None not in line and None not in line.values() for line in lines)
    of_test = [line for line in lines if (line["label"], line["part"], line["name"]) == ("LightGCN", "test", "ndcg@20")]
    here = {line["seed"]: float(line["value"]) for line in of_test if line["dataset"] == "taobao-buy"}
    assert here["mean"] == pytest.approx(statistics.mean(here[str(seed)] for seed in SEEDS))
    searched = {line["trial"]: line["value"] for line in lines if line["name"] == "reg_weight"}
    assert searched == {"search 0": "1e-05", "search 1": "0.0001", "search 2": "0.001", "search 3": "2e-05"}


def test_tex_is_whole_with_the_best_bold_and_ties_marked() -> None:
    page = tex(HEAD, BOARD)
    text = page.replace("\\{", "").replace("\\}", "")
    assert text.count("{") == text.count("}")
    assert re.findall(r"\\begin{(\w+)}", page) == ["table", "tabular"] * len(BOARD)
    assert {line.count("&") for line in page.splitlines() if line.endswith("\\\\")} == {7}
    assert "EASE$^\\dagger$ & 1 & \\textbf{0.1170} $\\pm$ 0.0000" in page
    assert "Pop & 4 & 0.0260" in page
    assert not re.search(r"(?<!\\)[%#_](?! Needs)", page)
