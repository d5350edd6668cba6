"""The HTML page of a board: what it says and draws, that it is safe and small, and that a browser sorts its table."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from recbole_alibaba.board.pages.board_verdict import verdict
from recbole_alibaba.board.pages.html_page import html
from recbole_alibaba.board.pages.markdown_page import markdown
from recbole_alibaba.board.standings.contents import Figure, Standings
from recbole_alibaba.board.standings.standings import standings
from tests.board.made_up_board import HEAD, PUBLISHED, made_up_board

LIMIT = 1_200_000  # bytes
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made() -> list[Standings]:
    records, scores = made_up_board()
    return standings(records, lambda record: scores[record["id"]], PUBLISHED)


def ranked(standing: Standings, *means: float, seeds: bool = True) -> Standings:
    """The standing with these means for its first models and no others; models of one mean are tied."""
    rows = []
    for row, mean in zip(standing.ranked, means, strict=False):
        tied = [other.label for other, same in zip(standing.ranked, means, strict=False) if same == mean]
        rank = 1 + sum(one > mean for one in means)
        rows.append(replace(row, rank=rank, tied=tied[1:], metrics={standing.metric: Figure(mean, 0.001, 3)}))
    return replace(standing, rows=rows, seed_noise=seeds)


def test_the_verdict_names_the_best_the_tied_and_what_is_missing(made: list[Standings]) -> None:
    one = made[0]
    first, second = (row.label for row in one.ranked[:2])
    name = f"On {one.dataset}"
    assert verdict([ranked(one, 0.3, 0.2)]) == (
        f"{name} {first} is best of 2 models: {one.metric} 0.3000 ± 0.0010, next is {second} with 0.2000.",
        "well",
    )
    says, tone = verdict([ranked(one, 0.3, 0.3, seeds=False)])
    assert f"{name} {first} and {second} are tied for the best of 2 models" in says and tone == "warning"
    assert "with one seed" in says
    popular = ranked(one, 0.3, 0.2, 0.2)
    popular = replace(popular, rows=[replace(row, model="Pop" if row.label == second else "X") for row in popular.rows])
    says, tone = verdict([popular])
    assert f"(not shown to be better than {second}: {one.ranked[2].label})" in says and tone == "warning"
    assert "all other ranked models beat Pop" in verdict(made)[0]
    assert verdict([replace(one, rows=[])]) == ("No model of this board has a result.", "error")
    assert "(2 models have no result; all other ranked models beat Pop); on tianchi-slice" in verdict(made)[0]


@pytest.mark.parametrize("draw", [html, markdown])
def test_both_pages_say_that_a_day_of_the_data_may_not_be_the_competition_s(draw, made: list[Standings]) -> None:
    plan = {**HEAD.plan, "competition": {"items": "items.csv"}}
    purchases = {**plan, "competition": {"items": "items.csv", "truth": "day.csv"}}
    said = [only.replace("&#39;", "'") for only in (draw(replace(HEAD, plan=one), made) for one in (plan, purchases))]
    assert ["own only if these are purchases" in page for page in said] == [True, False]


def test_the_page_shows_every_row_trial_and_reason(made: list[Standings]) -> None:
    shown = html(HEAD, made)
    assert shown == html(HEAD, made) and len(shown.encode()) < LIMIT
    assert shown.index(f"<h1>{verdict(made)[0]}") < shown.index("<dl") < shown.index("<table")
    for standing in made:
        for row in standing.rows:
            assert f"<td>{row.label}</td>" in shown
        for row in standing.ranked:
            assert f"{row.metrics[standing.metric].mean:.4f} ± " in shown
        for failure in standing.failures:
            assert failure.reason.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in shown
        for note in standing.notes:
            assert note in shown
    assert "Published figures, not measured here" in shown and "lists made elsewhere" in shown
    trials = shown.partition('aria-label="The trials of AlibabaLightGCN"')[2].partition("</table>")[0]
    assert trials.count("<tr>") == 1 + 4 and trials.count("chosen") == 1
    titles = re.findall(r"<title>([^<]*)</title><desc>[^<]+</desc>", shown)
    assert {"Accuracy against training time", "Difference to the best", "BPR loss", "L2 loss", "By trial"} <= set(
        titles
    )
    assert titles.count("users: least active third (100 users)") == len(made)
    assert HEAD.command in shown and "valid_metric: NDCG@20" in shown and "1e-06 to 0.001, log" in shown


def test_labels_and_reasons_are_text(made: list[Standings]) -> None:
    one = made[0]
    trials = [replace(trial, settings={EVIL: EVIL}, reason=EVIL) for row in one.rows for trial in row.trials]
    rows = [replace(row, label=EVIL, source=EVIL, trials=trials, settings={EVIL: EVIL}) for row in one.rows]
    failures = [replace(failure, label=EVIL, reason=EVIL, state=EVIL) for failure in one.failures]
    head = replace(HEAD, title=EVIL, text=EVIL, command=EVIL, plan={EVIL: EVIL}, spaces={EVIL: {EVIL: EVIL}})
    shown = html(head, [replace(one, dataset=EVIL, notes=[EVIL], rows=rows, failures=failures, fingerprint=EVIL)])
    assert EVIL not in shown and shown.count("<script>") == 1  # the one that sorts


def test_a_large_board_is_small(made: list[Standings]) -> None:
    """12 models, 3 seeds of 200 epochs, 8 trials."""
    one, first = made[0], next(row for row in made[0].ranked if row.trials)
    epochs = [
        {"epoch": at, "loss": 0.7 / (at + 1), "bpr": 0.6 / (at + 1), "reg": at * 1e-5, "valid": {"ndcg@20": at / 999}}
        for at in range(200)
    ]
    runs = [replace(run, history=epochs) for run in first.runs]
    trials = [replace(first.trials[at % 4], index=at, chosen=at == 0) for at in range(8)]
    rows = [replace(first, label=f"Model {at}", rank=at, runs=runs, trials=trials) for at in range(1, 13)]
    assert len(html(HEAD, [replace(one, rows=rows)]).encode()) < LIMIT


def test_a_board_without_any_result_has_a_page(made: list[Standings]) -> None:
    rows = [row for row in made[0].rows if row.kind == "failed"]
    shown = html(HEAD, [replace(made[0], rows=rows)])
    assert "<h1>No model of this board has a result." in shown and "not ended after 1,800 s" in shown
    assert "Difference to the best" not in shown


LOOK = """
onload = () => {
  const page = document.querySelector("iframe").contentDocument, table = page.querySelector("table.sortable");
  const buttons = [...table.querySelectorAll("th button")], heads = [...table.querySelectorAll("thead th")];
  const names = () => [...table.tBodies[0].rows].map(row => row.cells[0].textContent);
  const state = () => [heads.map(head => head.getAttribute("aria-sort")).join(), ...names()].join("|");
  const seen = [page.documentElement.clientWidth, page.documentElement.scrollWidth, state()];
  for (const at of [2, 2, 0]) { buttons[at].focus(); page.activeElement.click(); seen.push(state()); }
  document.body.textContent = JSON.stringify(seen);
};
"""


def test_a_browser_sorts_the_table_and_shows_the_page_on_a_phone(made: list[Standings], tmp_path: Path) -> None:
    """390 pixels wide: the page does not scroll sideways, headings are buttons, and the console stays empty."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium")
    (tmp_path / "board.html").write_text(html(HEAD, made), "utf-8")
    frame = f'<iframe width=390 height=800 src="{(tmp_path / "board.html").as_uri()}"></iframe>'
    (tmp_path / "look.html").write_text(f"<body>{frame}<script>{LOOK}</script>", "utf-8")
    options = "--headless --no-sandbox --disable-gpu --enable-logging=stderr --allow-file-access-from-files --dump-dom"
    asked = [browser, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "look.html").as_uri()]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r"<body>\[(\d+),(\d+),(.*)\]</body>", done.stdout)
    assert found is not None, done.stdout[-500:]
    assert int(found[2]) <= int(found[1]) and int(found[1]) in (375, 390)
    states = [state.split("|") for state in re.findall(r'"([^"]*)"', found[3])]
    rows, metric = [row for row in made[0].rows if row.kind != "published"], made[0].metric
    lost = [row.label for row in rows if metric not in row.metrics]
    having = sorted((row for row in rows if metric in row.metrics), key=lambda row: row.metrics[metric].mean)
    up, down = ([row.label for row in order] for order in (having, having[::-1]))
    assert [state[0].strip(",") for state in states] == ["ascending", "ascending", "descending", "ascending"]
    assert states[0][1:] == [row.label for row in rows] and states[3][1:] == sorted(up + lost, key=str.lower)
    assert states[1][1:] == up + lost and states[2][1:] == down + lost  # rows without a value stay below
