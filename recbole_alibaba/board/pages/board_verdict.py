"""Which model is best, in one sentence with its numbers?"""

from __future__ import annotations

from collections.abc import Sequence

from recbole_alibaba.board.pages.board_numbers import figure, score
from recbole_alibaba.board.standings.contents import Standings

NAMED = 4  # tied models that the sentence names


def verdict(standings: Sequence[Standings]) -> tuple[str, str]:
    """The sentence and its tone: "error" where no model has a result, "warning" where one lacks a result or a seed."""
    if not any(one.ranked for one in standings):
        return "No model of this board has a result.", "error"
    lacks = any(row.kind == "failed" for one in standings for row in one.rows)
    doubtful = lacks or any(not one.seed_noise or not one.ranked for one in standings)
    says = "; ".join(_of(one) for one in standings)
    return f"{says[0].upper()}{says[1:]}.", "warning" if doubtful else "well"


def _of(standing: Standings) -> str:
    place, ranked, metric = f"on {standing.dataset}", standing.ranked, standing.metric
    failed = sum(row.kind == "failed" for row in standing.rows)
    also = f"; {failed} {'model has' if failed == 1 else 'models have'} no result" if failed else ""
    if not ranked:
        return f"{place} no model has a result"
    first = [row for row in ranked if row.rank == ranked[0].rank]
    seeds = "" if standing.seed_noise else "; what seeds change is not known"
    if len(first) == 1:
        beaten = f" (next {ranked[1].label}, {score(ranked[1].metrics[metric].mean)})" if len(ranked) > 1 else ""
        says = f"{first[0].label} is best of {len(ranked)} models: {metric} {figure(first[0].metrics[metric])}{beaten}"
        return f"{place} {says}{also}{seeds}"
    names = [row.label for row in first]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    means = [row.metrics[metric].mean for row in first]
    span = f"{metric} {score(max(means))} to {score(min(means))}"
    tied = f"{', '.join(names[:-1])} and {names[-1]} are tied for the best of {len(ranked)} models: {span}"
    return f"{place} {tied}{also}{seeds}"
