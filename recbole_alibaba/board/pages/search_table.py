"""What could each search choose from, what did it try, and what did it choose?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dataset_prep.pages.numbers import count
from dataset_prep.pages.parts import Table, table
from recbole_alibaba.board.pages.board_numbers import amount, score
from recbole_alibaba.board.standings.contents import Row, Standings


def search_table(standing: Standings, spaces: Mapping[str, Mapping[str, str]]) -> Table:
    """A row for each setting of each search; the counts and the best score stand in the first row of a model."""
    rows = [line for row in standing.rows if row.trials for line in _lines(row, spaces.get(row.label, {}))]
    head = (
        "model",
        "setting",
        "search range",
        "chosen",
        "trials",
        "ended",
        f"best valid {standing.valid_metric}",
        "seconds",
    )
    return table(f"Searches on {standing.dataset}", head, rows, words=range(4))


def _lines(row: Row, space: Mapping[str, str]) -> list[tuple[str, ...]]:
    names = list(dict.fromkeys([*space, *(name for trial in row.trials for name in trial.settings)]))
    chosen = next((trial for trial in row.trials if trial.chosen), None)
    scores = [trial.score for trial in row.trials if trial.score is not None]
    states = Counter(trial.state for trial in row.trials)
    ended = ", ".join(f"{count(states[state])} {state}" for state in sorted(states))
    seconds = amount(sum(trial.seconds or 0.0 for trial in row.trials))
    totals = (count(len(row.trials)), ended, score(max(scores, default=None)), seconds)
    lines = []
    for place, name in enumerate(names or [""]):
        used = "none" if chosen is None else str(chosen.settings.get(name, ""))
        lines.append(
            ("" if place else row.label, name, space.get(name, ""), used, *(totals if not place else [""] * 4))
        )
    return lines
