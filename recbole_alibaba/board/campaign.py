"""Which trials remain? A model's search is a chain; then come its seeds, with the chosen setting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from recbole_alibaba.board.plan import Entry, Plan
from recbole_alibaba.board.trial import Surveyed, Trial, counted, digest
from recbole_alibaba.settings.merge import deep_update

Record = Mapping[str, Any]
ROUNDING = 1e-9
"""Share of a number within which two are the same setting."""


class Campaign:
    """All trials of a board, as far as their settings are known.

    Args:
        surveyed: by data set.
        records: of trials that have ended; those of other trials are left alone.
    """

    def __init__(self, plan: Plan, surveyed: Mapping[str, Surveyed], records: Iterable[Record]) -> None:
        self.records = {record["id"]: record for record in records}
        self._running: set[str] = set()
        self._chains = [
            Chain(plan, dataset, known, entry) for dataset, known in surveyed.items() for entry in plan.entries
        ]

    def ready(self) -> list[Trial]:
        """The trials that may start now: searches first, since others wait for them."""
        found = [trial for chain in self._chains for trial in chain.remaining(self.records)]
        return sorted(
            (trial for trial in found if trial.id not in self._running), key=lambda trial: trial.purpose == "final"
        )

    def start(self, trial: Trial) -> None:
        """The trial runs."""
        self._running.add(trial.id)

    def finish(self, record: Record) -> None:
        """Its record is written."""
        self._running.discard(record["id"])
        self.records[record["id"]] = record

    def ids(self) -> list[str]:
        """The ids of the board's trials that have a record, in the order of the board."""
        return [one for chain in self._chains for one in chain.ids(self.records)]

    def most(self) -> int:
        """How many trials the whole board has at most."""
        return sum(chain.most() for chain in self._chains)


class Chain:
    """The trials of one model on one data set: its search, one after the other, then a final for each seed."""

    def __init__(self, plan: Plan, dataset: str, surveyed: Surveyed, entry: Entry) -> None:
        self._plan, self._dataset, self._surveyed, self._entry = plan, dataset, surveyed, entry
        self._space = surveyed.spaces.get(entry.label)
        self._budget = self._space.trials(plan.search.trials) if self._space else 0
        self._proposed: list[Trial] = []
        self._final: list[Trial] | None = None

    def most(self) -> int:
        return self._budget + len(self._plan.seeds)

    def remaining(self, records: Mapping[str, Record]) -> list[Trial]:
        """What may start now."""
        search, over = self._searched(records)
        if not over:
            return search[-1:]
        return [trial for trial in self._finals(search, records) if trial.id not in records]

    def ids(self, records: Mapping[str, Record]) -> Iterator[str]:
        """Of the trials that have a record."""
        search, over = self._searched(records)
        finals = self._finals(search, records) if over else []
        yield from (trial.id for trial in (*search, *finals) if trial.id in records)

    def _searched(self, records: Mapping[str, Record]) -> tuple[list[Trial], bool]:
        """The trials of the search so far, and whether it is over; where it is not, the last one has no record."""
        spent = 0.0
        for index in range(self._budget):
            left = None if self._plan.search.seconds is None else self._plan.search.seconds - spent
            if left is not None and left <= 0:
                return self._proposed[:index], True
            if index == len(self._proposed):
                self._proposed.append(self._proposal(index, records, left))
            record = records.get(self._proposed[index].id)
            if record is None:
                return self._proposed[: index + 1], False
            spent += record["seconds"].get("total", 0.0)
        return self._proposed[: self._budget], True

    def _proposal(self, index: int, records: Mapping[str, Record], left: float | None) -> Trial:
        from recbole_alibaba.board.searching.proposals import proposal

        finished = [(trial.searched, records[trial.id]["valid_score"]) for trial in self._proposed]
        assert self._space is not None
        seed = self._plan.seeds[0]
        trial = self._trial("search", proposal(self._space, finished, self._bigger, seed), seed, index, left)
        if trial.id not in records:
            # Logarithms differ in the last digit from processor to processor, and with them TPE's proposals.
            for record in records.values():
                if record["label"] == trial.label and alike(record.get("searched"), trial.searched):
                    recorded = self._trial("search", record["searched"], seed, index, left)
                    if recorded.id == record["id"]:
                        return recorded
        return trial

    def _finals(self, search: list[Trial], records: Mapping[str, Record]) -> list[Trial]:
        """A trial for each seed with the best setting; none where every trial of the search failed."""
        if self._final is None:
            self._final = list(self._chosen(search, records))
        return self._final

    def _chosen(self, search: list[Trial], records: Mapping[str, Record]) -> Iterator[Trial]:
        searched: Mapping[str, Any] = {}
        if search:
            scored = [(records[trial.id]["valid_score"], -trial.index, trial) for trial in search]  # type: ignore[operator]
            scored = [one for one in scored if one[0] is not None]
            if not scored:
                return
            sign = 1 if self._bigger else -1
            searched = max(scored, key=lambda one: (sign * one[0], one[1]))[2].searched
        yield from (self._trial("final", searched, seed, None, None) for seed in self._plan.seeds)

    def _trial(
        self,
        purpose: Literal["search", "final"],
        searched: Mapping[str, Any],
        seed: int,
        index: int | None,
        left: float | None,
    ) -> Trial:
        plan, label = self._plan, self._entry.label
        config = counted(deep_update(dict(self._surveyed.configs[label]), searched))
        identity = {
            "data": self._surveyed.fingerprint,
            "model": self._entry.model,
            "config": config,
            **{"seed": seed, "purpose": purpose, "index": index},
        }
        seconds = [one for one in (plan.limits.train_seconds, left) if one is not None]
        return Trial(
            board=plan.name,
            dataset=self._dataset,
            label=label,
            model=self._entry.model,
            settings=deep_update(dict(self._surveyed.settings[label]), searched),
            own=deep_update(dict(self._entry.settings), searched),
            searched=searched,
            seed=seed,
            purpose=purpose,
            index=index,
            config=config,
            id=digest(identity),
            train_seconds=min(seconds) if seconds else None,
        )

    @property
    def _bigger(self) -> bool:
        return bool(self._surveyed.configs[self._entry.label]["valid_metric_bigger"])


def alike(one: Any, other: Any) -> bool:
    """Whether two settings are the same but for the last digits of their numbers."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=ROUNDING)
    return bool(one == other)
