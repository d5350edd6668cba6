"""Did the model learn, and does it beat popularity? In one sentence with its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recbole_alibaba.diagnosis.readings import LEARNED, ranking_part
from recbole_alibaba.diagnosis.signs.loss_signs import LN2, NEAR
from recbole_alibaba.run_page.record import Run

SCORE = ".4f"  # of a metric, as in RecBole's own results


def verdict(runs: Sequence[Run]) -> tuple[str, str]:
    """The sentence and its tone."""
    return _of_one(runs[0]) if len(runs) == 1 else _of_several(runs)


def _of_one(run: Run) -> tuple[str, str]:
    learned, tone = learning(run)
    name = f"{run.record['model']} on {run.record['dataset']}"
    if not run.finished:
        epochs = f"{len(run.history):,} of {run.settings.get('epochs', '?'):,} epochs"
        return f"{name} is not finished ({epochs}): it {learned}.", "warning"
    stands, beaten = standing(run)
    joined = "but" if beaten == "warning" and tone == "well" else "and"
    worst = next(one for one in ("error", "warning", "", "well") if one in (tone, beaten))
    return f"{name} {learned}" + (f", {joined} {stands}." if stands else "."), worst


def learning(run: Run) -> tuple[str, str]:
    """What the training loss did, and the tone of that."""
    if not run.history:
        return "was trained without a record of its losses", ""
    part = ranking_part(run.history[0])
    read = [epoch.get(part) for epoch in run.history]
    values = [math.nan if value is None else float(value) for value in read]
    if not all(map(math.isfinite, values)):
        return "had a loss that was NaN or infinite", "error"
    if not any(values):
        return "was computed, not trained", ""
    # An epoch's loss is the mean of its batches: on large data the first epoch has already learned.
    first = max(values[0], LN2) if part == "bpr" else values[0]
    fall, course = first - values[-1], f"({first:.4f} to {values[-1]:.4f})"
    if fall > LEARNED * abs(first):
        return f"learned {course}", "well"
    if fall > NEAR:
        return f"learned little {course}", "warning"
    return f"did not learn {course}", "error"


def standing(run: Run) -> tuple[str, str]:
    """The run beside popularity, in the metric of early stopping; empty where it was not measured."""
    part, ours = run.result
    mine, theirs = ours.get(run.metric), run.popularity.get(run.metric)
    if mine is None:
        return "", ""
    if theirs is None:
        return f"has {run.metric} {mine:{SCORE}} on {part}; popularity was not measured", ""
    numbers = f"{run.metric} on {part} is {mine:{SCORE}}, popularity has {theirs:{SCORE}}"
    if mine == theirs:
        return f"is as good as popularity: {numbers}", "warning"
    wins = (mine > theirs) == run.bigger
    return (f"beats popularity: {numbers}", "well") if wins else (f"loses to popularity: {numbers}", "warning")


def _of_several(runs: Sequence[Run]) -> tuple[str, str]:
    metric, data = runs[0].metric, {str((run.record.get("data") or {}).get("fingerprint")) for run in runs}
    scored = [run for run in runs if run.result[1].get(metric) is not None]
    if len(data) > 1:
        return f"{len(runs)} runs on different data: their results cannot be compared.", "warning"
    if not scored:
        return f"{len(runs)} runs, none of which has a result.", "warning"
    choose = max if runs[0].bigger else min
    best = choose(scored, key=lambda run: run.result[1][metric])
    stands, tone = standing(best)
    return f"The best of {len(runs)} runs is {best.name}: it {stands}.", tone
