"""Does one list of the most popular items beat the model, and which causes does the run show? No torch."""

from __future__ import annotations

from dataclasses import dataclass

from recbole_alibaba.diagnosis.causes.evidence import STILL, WILD, likely
from recbole_alibaba.diagnosis.causes.remedies import first_remedy
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned

LATE = 0.2  # share of the epochs: a best validation in the last ones may be followed by better ones
STRONG = 0.2  # share of the training interactions
FEW_PAIRS, FEW_PER_USER = 1_000, 5


@dataclass(frozen=True)
class Standing:
    """A model beside popularity.

    Attributes:
        metric: the metric that early stopping follows.
        part: `test` or `valid`: where both were measured.
        model, popularity: its value for each.
        head: share of the training interactions with the k most popular items, k being the metric's list.
        pairs, users: training interactions, and users that have one.
        trained: whether gradients train the model; ItemKNN is computed.
        rising: whether the validation was still improving at the end.
        bigger: whether more is better.
    """

    metric: str
    part: str
    model: float
    popularity: float
    head: float
    pairs: int
    users: int
    trained: bool = True
    rising: bool = False
    bigger: bool = True

    @property
    def lost(self) -> bool:
        """Whether popularity is better."""
        return (self.popularity > self.model) == self.bigger and self.popularity != self.model


def popularity_wins(standing: Standing, history: History, settings: Settings) -> Finding | None:
    """The finding that popularity is better than the model; None if it is not."""
    if not standing.lost:
        return None
    causes = popularity_causes(standing, history, settings)
    values = {"metric": standing.metric, "part": standing.part, "head": standing.head}
    changes = first_remedy(causes, settings)
    return Finding(
        "popularity-wins", "warning", standing.model, standing.popularity, values, causes=causes, changes=changes
    )


def popularity_causes(standing: Standing, history: History, settings: Settings) -> tuple[str, ...]:
    """Causes that the run gives evidence of, in the order in which to try them; `popularity-wins` if it gives none."""
    found: list[str] = []
    if standing.trained:
        found += ["too-few-epochs"] if standing.rising else []
        found += likely(history, settings, (*STILL, *WILD))
        stuck = len(history) > 1 and not has_learned(history)
        found += ["learning-rate-too-small"] if stuck and not found else []
    found += ["popularity-is-strong"] if standing.head >= STRONG else []
    found += ["thin-data"] if standing.pairs < FEW_PAIRS else []
    found += ["few-pairs-a-user"] if FEW_PAIRS <= standing.pairs < FEW_PER_USER * standing.users else []
    return tuple(found) or ("popularity-wins",)


def still_rising(since_best: int, patience: int, epochs: int, best: float) -> bool:
    """Whether training ended while it was still getting better.

    Args:
        since_best: epochs after the best validation.
        patience: how many of these early stopping allows.
        epochs: epochs that were trained.
        best: the best value; a metric of 0 was never anything else, and RecBole takes a tie for an improvement.
    """
    return 0 < abs(best) < float("inf") and since_best <= min(patience, LATE * epochs)
