"""Which model is best, in one sentence with its numbers?"""

from __future__ import annotations

from collections.abc import Sequence

from recbole_alibaba.board.pages.board_numbers import figure, score
from recbole_alibaba.board.standings.contents import Row, Standings

NAMED = 4  # tied models that the sentence names


def verdict(standings: Sequence[Standings]) -> tuple[str, str]:
    """The sentence and its tone: "error" where no model has a result, "warning" where there is a doubt."""
    if not any(one.ranked for one in standings):
        return "No model of this board has a result.", "error"
    doubtful = any(not one.seed_noise or not one.ranked or _failed(one) or _unpopular(one) for one in standings)
    says = "; ".join(_of(one) for one in standings)
    return f"{says[0].upper()}{says[1:]}.", "warning" if doubtful else "well"


def _of(standing: Standings) -> str:
    place, ranked, metric = f"on {standing.dataset}", standing.ranked, standing.metric
    if not ranked:
        return f"{place} no model has a result"
    failed = _failed(standing)
    doubts = [f"{failed} {'model has' if failed == 1 else 'models have'} no result"] if failed else []
    doubts += _beside_popularity(standing)
    doubts += [] if standing.seed_noise else ["with one seed, what seeds change is not known"]
    also = f" ({'; '.join(doubts)})" if doubts else ""
    first = [row for row in ranked if row.rank == ranked[0].rank]
    if len(first) == 1:
        beaten = f", next is {ranked[1].label} with {score(ranked[1].metrics[metric].mean)}" if len(ranked) > 1 else ""
        says = f"{first[0].label} is best of {len(ranked)} models: {metric} {figure(first[0].metrics[metric])}{beaten}"
        return f"{place} {says}{also}"
    means = [row.metrics[metric].mean for row in first]
    span = f"{metric} {score(max(means))} to {score(min(means))}"
    tied = f"{_list(first)} are tied for the best of {len(ranked)} models: {span}"
    return f"{place} {tied}{also}"


def _beside_popularity(standing: Standings) -> list[str]:
    popular = _popular(standing)
    if popular is None or len(standing.ranked) < 2:
        return []
    worse = _unpopular(standing)
    return [
        f"not shown to be better than {popular.label}: {_list(worse)}"
        if worse
        else f"all other ranked models beat {popular.label}"
    ]


def _unpopular(standing: Standings) -> list[Row]:
    """The models that do not beat the list of the most popular items."""
    popular = _popular(standing)
    if popular is None:
        return []
    return [row for row in standing.ranked if row is not popular and (row.rank or 0) >= (popular.rank or 0)]


def _popular(standing: Standings) -> Row | None:
    return next((row for row in standing.ranked if row.model == "Pop"), None)


def _list(rows: Sequence[Row]) -> str:
    names = [row.label for row in rows]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _failed(standing: Standings) -> int:
    return sum(row.kind == "failed" for row in standing.rows)
