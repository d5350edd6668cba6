"""One conversion, from the raw log to a RecBole data set: read, filter, core, split, write."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_prep.errors import EmptyDatasetError, OutputError, ThinDatasetError
from dataset_prep.pairs.core import Codes, Core, Size, Thresholds
from dataset_prep.pairs.filters import FilteredLog
from dataset_prep.pairs.funnel import Funnel, Stage, describe
from dataset_prep.pairs.kept import Rows, earliest_rows, in_order, kept_rows
from dataset_prep.pairs.remedies import Remedy, remedies
from dataset_prep.pairs.split import PARTS, TRAIN, PartOf, Split, cold_rows, count_parts
from dataset_prep.pairs.statistics import degrees, histogram
from dataset_prep.pairs.table import Table, bits_of, classes_of
from dataset_prep.reading.log import Log, read_log
from dataset_prep.settings import Settings
from dataset_prep.sources.times import day_of
from dataset_prep.writing.dataset import Outcome, write
from dataset_prep.writing.lock import locked
from dataset_prep.writing.target import check_overwrite, check_target, fingerprint_of

log = logging.getLogger("dataset_prep")

WEAK = "a user or item below the thresholds"
COLD = "a user or item that training never saw"


@dataclass(frozen=True)
class Conversion:
    """What was written, what was asked for and what was used.

    parts: train, valid, test -> counts, where a split was asked for.
    """

    path: Path
    name: str
    asked: Thresholds
    used: Thresholds
    size: Size
    rows: int
    funnel: Funnel
    parts: dict[str, dict[str, int]]
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rows:,} rows, {describe(self.size)}"


def run(settings: Settings) -> Conversion:
    """Convert as *settings* say. Raises PrepError for anything the user can mend."""
    target = settings.output / settings.name
    check_target(target)
    try:
        with locked(target), tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
            read = read_log(settings, Path(workdir))
            fingerprint = fingerprint_of(settings.as_dict(), read.digests)
            check_overwrite(target, fingerprint, settings.force)
            return _Conversion(settings, read, Path(workdir)).run(fingerprint)
    except OSError as error:
        raise OutputError(f"{target}: could not be written ({error}).") from error


class _Conversion:
    """The steps after reading, all over arrays."""

    def __init__(self, settings: Settings, read: Log, workdir: Path) -> None:
        self.settings, self.read, self.workdir = settings, read, workdir
        self.log = FilteredLog(settings, read.table, read.rejected)

    def run(self, fingerprint: str) -> Conversion:
        settings, filtered = self.settings, self.log
        part: PartOf | None = None
        if settings.core_on == "train":
            core, rows, part = self._core_of_training()
        else:
            core, rows = self._core_of_all()
            if settings.cut:
                part = settings.cut.part_of(rows)
        size = core.size
        if part is not None:
            rows, part = self._parts(rows, part)
            size = rows.size()
            filtered.statistics.after = degrees(rows.pairs())
        else:
            filtered.statistics.after = histogram(core.degrees[0]), histogram(core.degrees[1])
        self._check_sum(len(rows))
        funnel, statistics = filtered.funnel, filtered.statistics
        outcome = Outcome(self.read, rows, part, funnel, statistics, core.thresholds, size, fingerprint)
        write(settings, outcome)
        target = settings.output / settings.name
        result = Conversion(
            target,
            settings.name,
            settings.asked,
            core.thresholds,
            size,
            len(rows),
            funnel,
            statistics.parts,
            fingerprint,
        )
        log.info("wrote %s", result)
        return result

    def _core_of_all(self) -> tuple[Core, Rows]:
        """(the core of everything the filters left, its rows in order)"""
        settings, table = self.settings, self.log.table
        pairs = table.pairs
        core, found = self._choose(pairs.select(bits_of(settings.ranks, True)))
        n = core.size.pairs if settings.protocol == "novel" else pairs.rows_in(core)
        self.log.add(Stage(f"k-core {core.thresholds}", n, core.size, WEAK))
        if not found:
            whole = self._whole().pairs
            tried = remedies(whole, settings, lambda ranks, inside: whole.select(bits_of(ranks, inside)))
            raise self._refusal(core, tried)
        rows = kept_rows(table, self.log.classes, settings.protocol)
        return core, in_order(rows.where(rows.inside(core)))

    def _core_of_training(self) -> tuple[Core, Rows, PartOf]:
        """(the core of the training part, its rows and all of validation and test, the part of each row)"""
        settings = self.settings
        assert settings.cut is not None
        rows = in_order(kept_rows(self.log.table, self.log.classes, settings.protocol))
        part = settings.cut.part_of(rows)
        training = rows.where(part == TRAIN)
        pairs = training.pairs()
        self.log.statistics.before = degrees(pairs)
        core, found = self._choose(pairs)
        stays = rows.inside(core) | (part != TRAIN)
        rows, part = rows.where(stays), part[stays]
        self.log.add(Stage(f"k-core {core.thresholds} of the training part", len(rows), rows.size(), WEAK))
        if not found:
            whole = self._whole()
            tried = remedies(
                whole.pairs, settings, lambda ranks, inside: _training_pairs(whole, settings, ranks, inside)
            )
            raise self._refusal(core, tried)
        return core, rows, part

    def _choose(self, pairs: tuple[Codes, Codes]) -> tuple[Core, bool]:
        """(the core asked for or the strictest that leaves enough, True); if none does, (the loosest, False)"""
        settings, all_pairs = self.settings, self.log.table.pairs
        asked = all_pairs.core(pairs, settings.asked)
        if settings.enough.met_by(asked.size):
            log.info(f"k-core: asked for {settings.asked}: {describe(asked.size)}")
            return asked, True
        if settings.strict:
            return asked, False
        chosen = all_pairs.strictest(pairs, settings.asked, settings.enough)
        if chosen is None:
            return all_pairs.core(pairs, Thresholds(1, 1)), False
        log.info(
            f"k-core: asked for {settings.asked}, which leaves {describe(asked.size)}; "
            f"using {chosen.thresholds}: {describe(chosen.size)}"
        )
        return chosen, True

    def _whole(self) -> Table:
        """The log again, with the pairs of every behaviour: to try other choices."""
        with tempfile.TemporaryDirectory(dir=self.workdir) as workdir:
            return read_log(self.settings, Path(workdir), whole=True).table

    def _refusal(self, core: Core, tried: Sequence[Remedy]) -> ThinDatasetError:
        settings, need, funnel = self.settings, self.settings.enough, self.log.funnel
        if not funnel.stages[-2].rows:
            empty = next(stage for stage in funnel.stages if not stage.rows)
            message = f"Nothing is left after the step '{empty.name}': every row was dropped ({empty.dropped})."
            return EmptyDatasetError(message, funnel, tried)
        kind: type[ThinDatasetError] = ThinDatasetError if core.size.pairs else EmptyDatasetError
        relaxed = "" if settings.strict else f" (asked for {settings.asked}, relaxed down to it)"
        return kind(
            f"The k-core {core.thresholds}{relaxed} leaves {describe(core.size)}; needed are {need.pairs:,} pairs, "
            f"{need.users:,} users, {need.items:,} items (--min-interactions, --min-users, --min-items).",
            funnel,
            tried,
        )

    def _parts(self, rows: Rows, part: PartOf) -> tuple[Rows, PartOf]:
        """The rows that stay in each part. Raises ThinDatasetError where a part is empty: RecBole needs all three."""
        settings, cold = self.settings, cold_rows(rows, part)
        drop = settings.cold == "drop"
        stays = ~cold.either if drop else np.ones(len(rows), dtype=bool)
        parts = self.log.statistics.parts = count_parts(rows, part, cold, stays)
        for name, counts in parts.items():
            line = f"{name}: {counts['rows']:,} rows, {counts['users']:,} users, {counts['items']:,} items"
            if counts["cold_rows"]:
                line += (
                    f"; {counts['cold_rows']:,} rows with {counts['cold_users']:,} users, {counts['cold_items']:,} "
                    f"items new to training, {'dropped' if drop else 'kept'}"
                )
            log.info(line)
        kept = rows.where(stays)
        if drop and cold.either.any():
            self.log.add(Stage("known to training", len(kept), kept.size(), COLD))
        for name in PARTS:
            if not parts[name]["rows"]:
                raise ThinDatasetError(
                    f"--split {settings.cut}: the {name} part is empty, and RecBole needs all three. What is left runs "
                    f"from {day_of(int(rows.t.min()))} to {day_of(int(rows.t.max()))}. Choose another --split"
                    + (", or --cold keep." if parts[name]["cold_rows"] else "."),
                    self.log.funnel,
                )
        return kept, part[stays]

    def _check_sum(self, rows: int) -> None:
        """Every row of the input is in the result or in a named count."""
        first, dropped = self.log.funnel.stages[0].rows, self.log.funnel.dropped()
        if sum(dropped.values()) + rows != first:
            raise AssertionError(f"of {first:,} rows {rows:,} are kept, {dropped} dropped")


def _training_pairs(whole: Table, settings: Settings, ranks: Sequence[int], subset_only: bool) -> tuple[Codes, Codes]:
    """The training pairs that another choice of behaviours would have."""
    split: Split | None = settings.cut
    assert split is not None
    classes = classes_of(ranks, subset_only)
    novel = settings.protocol == "novel"
    rows = in_order(earliest_rows(whole, classes) if novel else kept_rows(whole, classes, settings.protocol))
    return rows.where(split.part_of(rows) == TRAIN).pairs()
