"""One conversion, from the raw log to a RecBole data set: read, filter, core, split, write."""

from __future__ import annotations

import logging
import tempfile
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dataset_prep.choices.choice import Judged, judge, strictest
from dataset_prep.choices.remedies import Options, Remedy, remedies
from dataset_prep.errors import EmptyDatasetError, OutputError, ThinDatasetError, not_written
from dataset_prep.pairs.core import Codes, Core, Enough, Size, Thresholds
from dataset_prep.pairs.filters import FilteredLog
from dataset_prep.pairs.funnel import Funnel, Stage, describe
from dataset_prep.pairs.kept import Rows, in_order, kept_rows
from dataset_prep.pairs.split import PARTS, TRAIN, PartOf, cold_rows, count_parts
from dataset_prep.pairs.statistics import degrees, histogram
from dataset_prep.pairs.table import Table, bits_of
from dataset_prep.reading.log import Log, read_log
from dataset_prep.settings import Settings
from dataset_prep.sources.base import CATEGORY
from dataset_prep.sources.times import day_of
from dataset_prep.writing.dataset import Outcome, load_report, write
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
    try:
        check_target(target)
        with (
            locked(target),
            tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir,
            ThreadPoolExecutor(1) as beside,
        ):
            read = read_log(settings, Path(workdir))
            beside.submit(load_report)  # takes a tenth of the time of a million rows
            fingerprint = fingerprint_of(settings.as_dict(), read.digests)
            check_overwrite(target, fingerprint, settings.force)
            try:
                return _Conversion(settings, settings, read, Path(workdir), beside).run(fingerprint)
            except ThinDatasetError as refusal:
                wider = _wider(settings, refusal)
                if wider is None:
                    raise
                log.warning(
                    f"Too thin to learn from: {refusal.message} --behaviors was not given, so more are used: "
                    f"{','.join(wider.kept)} in place of {','.join(settings.kept)}."
                )
            read = read_log(wider, Path(workdir))
            return _Conversion(wider, settings, read, Path(workdir), beside).run(fingerprint)
    except OSError as error:
        raise OutputError(not_written(target, error)) from error


def _wider(settings: Settings, refusal: ThinDatasetError) -> Settings | None:
    """With the fewest more behaviours that are enough. What was typed stays: behaviours, items, ``strict``."""
    if settings.behaviors is not None or settings.strict:
        return None
    for remedy in refusal.remedies:
        lower = remedy.thresholds.user <= settings.min_user and remedy.thresholds.item <= settings.min_item
        if lower and "behaviors" in remedy.options and not {"items", "level"} & remedy.options.keys():
            return replace(settings, behaviors=str(remedy.options["behaviors"]))
    return None


class _Conversion:
    """The steps after reading, all over arrays.

    asked: the settings before the behaviours were widened. beside: draws the report.
    """

    def __init__(self, settings: Settings, asked: Settings, read: Log, workdir: Path, beside: Executor) -> None:
        self.settings, self.asked, self.read, self.workdir, self.beside = settings, asked, read, workdir, beside
        self.log = FilteredLog(settings, read.table, read.rejected)

    def run(self, fingerprint: str) -> Conversion:
        settings, filtered = self.settings, self.log
        core, rows, part, _ = self._core_of_training() if settings.core_on == "train" else self._core_of_all()
        used, size = core.thresholds, core.size
        if part is not None:
            rows, part = self._parts(rows, part)
            size = rows.size()
            filtered.statistics.after = degrees(rows.pairs())
        else:
            filtered.statistics.after = histogram(core.degrees[0]), histogram(core.degrees[1])
        self._check_sum(len(rows))
        funnel, statistics = filtered.funnel, filtered.statistics
        outcome = Outcome(self.asked, self.read, rows, part, funnel, statistics, used, size, fingerprint)
        write(settings, outcome, self.beside)
        target = settings.output / settings.name
        result = Conversion(
            target, settings.name, settings.asked, used, size, len(rows), funnel, statistics.parts, fingerprint
        )
        log.info("wrote %s", result)
        return result

    def _core_of_all(self) -> Judged:
        """The core of everything the filters left."""
        settings, table = self.settings, self.log.table
        rows = kept_rows(table, self.log.classes, settings.protocol)
        found, lacks = self._choose(table.pairs.select(bits_of(settings.ranks, True)), rows)
        core = found.core
        n = core.size.pairs if settings.protocol == "novel" else table.pairs.rows_in(core)
        self.log.add(Stage(f"k-core {core.thresholds}", n, core.size, WEAK))
        if lacks:
            raise self._refusal(core, lacks)
        return found

    def _core_of_training(self) -> Judged:
        """The core of the training part; all of validation and test stay."""
        settings = self.settings
        assert settings.cut is not None
        rows = in_order(kept_rows(self.log.table, self.log.classes, settings.protocol))
        part = settings.cut.part_of(rows)
        pairs = rows.where(part == TRAIN).pairs()
        self.log.statistics.before = degrees(pairs)
        found, lacks = self._choose(pairs, rows, part)
        name = f"k-core {found.core.thresholds} of the training part"
        self.log.add(Stage(name, len(found.rows), found.rows.size(), WEAK))
        if lacks:
            raise self._refusal(found.core, lacks)
        return found

    def _choose(self, pairs: tuple[Codes, Codes], rows: Rows, part: PartOf | None = None) -> tuple[Judged, str]:
        """(the core asked for or the strictest that is enough, ""); if none is, (the largest, what it lacks)"""
        settings, space = self.settings, self.log.table.pairs
        need = settings.enough
        asked = judge(settings, space.core(pairs, settings.asked), rows, part)
        large = need.met_by(asked.core.size)
        lacks = asked.held.lacks(need) if large else _too_small(need)
        if not lacks:
            log.info(f"k-core: asked for {settings.asked}: {describe(asked.core.size)}")
            return asked, ""
        if settings.strict:
            return asked, lacks
        chosen = strictest(settings, space, pairs, rows, settings.asked, part)
        if chosen is not None:
            log.info(
                f"k-core: asked for {settings.asked}, which leaves {describe(asked.core.size)}; "
                f"using {chosen.core.thresholds}: {describe(chosen.core.size)}"
            )
            return chosen, ""
        if large:
            return asked, lacks
        loosest = judge(settings, space.core(pairs, Thresholds(1, 1)), rows, part)
        return loosest, loosest.held.lacks(need) if need.met_by(loosest.core.size) else lacks

    def _refusal(self, core: Core, lacks: str) -> ThinDatasetError:
        settings, funnel, tried = self.settings, self.log.funnel, other_choices(self.settings, self.workdir)
        if not funnel.stages[-2].rows:
            empty = next(stage for stage in funnel.stages if not stage.rows)
            message = f"Nothing is left after the step '{empty.name}': every row was dropped ({empty.dropped})."
            return EmptyDatasetError(message, funnel, tried)
        kind: type[ThinDatasetError] = ThinDatasetError if core.size.pairs else EmptyDatasetError
        relaxed = f" (asked for {settings.asked}, relaxed down to it)" if core.thresholds != settings.asked else ""
        return kind(f"The k-core {core.thresholds}{relaxed} leaves {describe(core.size)}; {lacks}.", funnel, tried)

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


def other_choices(settings: Settings, workdir: Path) -> list[Remedy]:
    """Other choices that are enough, by category, too. The log is read again, with the pairs of every behaviour."""

    def whole(settings: Settings) -> Table:
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            return read_log(settings, Path(folder), whole=True).table

    found = remedies(whole(settings), settings)
    if CATEGORY in settings.source.columns and settings.level == "item":
        level: Options = {"level": "category", "item_geohash": None}
        by_category = replace(settings, level="category", item_geohash=False)
        found += remedies(whole(by_category), by_category, level)[:1]
    return found


def _too_small(need: Enough) -> str:
    return (
        f"needed are {need.pairs:,} pairs, {need.users:,} users, {need.items:,} items "
        "(--min-interactions, --min-users, --min-items)"
    )
