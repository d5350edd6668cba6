"""One conversion from the raw log to a RecBole data set: the steps in their order."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from dataset_prep import pipeline
from dataset_prep.core import Codes, Core, Size, Thresholds
from dataset_prep.engines import open_engine
from dataset_prep.engines.base import Engine
from dataset_prep.facts import Facts, days, degrees
from dataset_prep.funnel import Funnel, Stage, describe, measure
from dataset_prep.guards import EmptyDatasetError, OutputError, ThinDatasetError, UsageError
from dataset_prep.output import Outcome, check_overwrite, check_target, fingerprint, write
from dataset_prep.pipeline import UNDATED
from dataset_prep.reading import Log, read_log
from dataset_prep.settings import Settings
from dataset_prep.splits import PARTS, TRAIN, cold_sql, counts_sql
from dataset_prep.times import day_of
from dataset_prep.weigh import DATED, EVERYTHING, Pairs, Space, bits_of, remedies, slots_of

log = logging.getLogger("dataset_prep")

REPEATED = "a repeat of an earlier interaction"
WEAK = "a user or item below the thresholds"
COLD = "a user or item that training never saw"


@dataclass(frozen=True)
class Conversion:
    """What was written, and how it came about: what was asked and what was used."""

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
    """Convert as *settings* say. Raises PrepError (a ValueError) for anything the user can mend."""
    check_target(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="dataset_prep-") as scratch:
            workdir = Path(scratch)
            with open_engine(settings, workdir) as engine:
                return _Run(engine, settings, read_log(engine, settings, workdir)).convert()
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"--memory-limit: {settings.memory_limit or 'the default'} is too little ({error})."
        ) from error
    except (duckdb.IOException, OSError) as error:
        raise OutputError(f"{settings.output / settings.name}: could not be written ({error}).") from error


class _Run:
    """The steps share the engine, the settings and the funnel they fill."""

    def __init__(self, engine: Engine, settings: Settings, read: Log) -> None:
        self.engine, self.settings, self.read = engine, settings, read
        self.funnel, self.facts = Funnel(), Facts()

    def convert(self) -> Conversion:
        settings, engine = self.settings, self.engine
        mark = fingerprint(settings, [*self.read.digests, *self.read.other_digests])
        check_overwrite(settings, mark)
        self._code()
        self._filters()
        core = self._core_of_training() if settings.core_on == "train" else self._core_of_all()
        size, rows = self._part() if settings.cut else (core.size, self.funnel.stages[-1].rows)
        self._check_sum(rows)
        self._measure_result()
        write(engine, settings, Outcome(self.read, self.funnel, self.facts, core.thresholds, size, rows, mark))
        result = Conversion(
            settings.output / settings.name,
            settings.name,
            settings.asked,
            core.thresholds,
            size,
            rows,
            self.funnel,
            self.facts.parts,
            mark,
        )
        log.info("wrote %s", result)
        return result

    def _code(self) -> None:
        engine, read = self.engine, self.read
        engine.create("users", pipeline.users_sql(read.integers))
        engine.create("items", pipeline.items_sql(read.integers, read.features))
        engine.create("pairs", pipeline.pairs_sql(self.settings.ranks))
        n_users, n_items = (engine.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("users", "items"))
        self.space = Space(n_users, n_items)
        self.pairs = Pairs.of(engine.arrays("SELECT u, i, mask, n FROM pairs"), n_users, n_items)

    def _add(self, stage: Stage) -> Stage:
        self.funnel.add(stage)
        log.info(self.funnel.line(stage))
        for line in stage.weak_lines():
            log.info("  %s", line)
        return stage

    def _filters(self) -> None:
        """The stages before the core, each measured."""
        settings = self.settings
        tally: dict[int, int] = dict(self.engine.rows(pipeline.TALLY))
        events = sum(tally.values())

        def add(name: str, rows: int, bits: int, dropped: str) -> None:
            size, weak = measure(*self.pairs.select(bits), settings.asked)
            self._add(Stage(name, rows, size, dropped, weak))

        if self.read.rejected:
            self._add(Stage("rows of the log", events + self.read.rejected))
        name = "rows that parse" if self.read.rejected else "rows of the log"
        add(name, events, EVERYTHING, "did not parse, see rejects.csv")
        if settings.bounds != (None, None):
            add("inside the dates", events - tally.get(UNDATED, 0), DATED, "outside the dates")
        if settings.kept:
            rows = sum(tally.get(slot, 0) for slot in slots_of(settings.ranks, False))
            bits = bits_of(settings.ranks, False)
            add(f"behaviours {','.join(settings.kept)}", rows, bits, "another behaviour")
        if settings.items:
            rows = sum(tally.get(slot, 0) for slot in slots_of(settings.ranks, True))
            add("items of the subset", rows, bits_of(settings.ranks, True), "not in the item subset")
        self.facts.days = days(self.engine, {n: b.value for n, b in enumerate(settings.source.behaviors)} or {0: "all"})

    def _first_of_each_pair(self) -> None:
        before = self.funnel.stages[-1]
        if self.settings.protocol == "novel" and before.size is not None:
            self._add(Stage("first of each pair", before.size.pairs, before.size, REPEATED, before.weak))

    def _core_of_all(self) -> Core:
        """Fills ``kept`` with the rows of the core of everything the filters left."""
        settings, bits = self.settings, bits_of(self.settings.ranks, True)
        self._first_of_each_pair()

        def pairs_of(ranks: Sequence[int], subset_only: bool) -> tuple[Codes, Codes]:
            return self.pairs.select(bits_of(ranks, subset_only))

        def rows_in(core: Core) -> int:
            return core.size.pairs if settings.protocol == "novel" else self.pairs.rows_in(core)

        pairs = self.pairs.select(bits)
        self.facts.before = degrees(pairs[0]), degrees(pairs[1])
        core, found = self._choose(pairs)
        self._add(Stage(f"k-core {core.thresholds}", rows_in(core), core.size, WEAK))
        if not found:
            self._refuse(core, remedies(self.space, settings, pairs_of))
        self._keep(core)
        self.engine.create("kept", pipeline.core_sql(pipeline.rows_sql(settings.ranks, settings.protocol)))
        return core

    def _core_of_training(self) -> Core:
        """Fills ``kept`` with the split rows: training's core, and all of validation and test."""
        settings, engine = self.settings, self.engine
        assert settings.cut is not None
        cut = settings.cut
        self._first_of_each_pair()

        def training(rows: str) -> tuple[Codes, Codes]:
            arrays = engine.arrays(f"SELECT DISTINCT u, i FROM ({cut.sql(f'({rows}) AS x')}) AS s WHERE part = {TRAIN}")
            return arrays["u"], arrays["i"]

        def pairs_of(ranks: Sequence[int], subset_only: bool) -> tuple[Codes, Codes]:
            slots = slots_of(ranks, subset_only)
            return training(pipeline.first_of_sql(slots) if settings.protocol == "novel" else pipeline.slots_sql(slots))

        rows = pipeline.rows_sql(settings.ranks, settings.protocol)
        engine.create("parted", cut.sql(f"({rows}) AS x"))
        arrays = engine.arrays(f"SELECT DISTINCT u, i FROM parted WHERE part = {TRAIN}")
        pairs = arrays["u"], arrays["i"]
        self.facts.before = degrees(pairs[0]), degrees(pairs[1])
        core, found = self._choose(pairs)
        self._keep(core)
        inside = pipeline.core_sql("SELECT * FROM parted", f"part = {TRAIN}")
        engine.create("kept", f"{inside} UNION ALL SELECT * FROM parted WHERE part <> {TRAIN}")
        rows_left, size = self._size_of("kept")
        self._add(Stage(f"k-core {core.thresholds} of the training part", rows_left, size, WEAK))
        if not found:
            self._refuse(core, remedies(self.space, settings, pairs_of))
        return core

    def _choose(self, pairs: tuple[Codes, Codes]) -> tuple[Core, bool]:
        """(the core asked for or the strictest that leaves enough, True); if none does, (what was reached, False)."""
        settings = self.settings
        asked = self.space.core(pairs, settings.asked)
        if settings.enough.met_by(asked.size):
            log.info("k-core: asked for %s: %s", settings.asked, describe(asked.size))
            return asked, True
        if settings.strict:
            return asked, False
        chosen = self.space.strictest(pairs, settings.asked, settings.enough)
        if chosen is None:
            return self.space.core(pairs, Thresholds(1, 1)), False
        log.info(
            f"k-core: asked for {settings.asked}, which leaves {describe(asked.size)}; "
            f"using {chosen.thresholds}: {describe(chosen.size)}"
        )
        return chosen, True

    def _refuse(self, core: Core, tried: Sequence) -> None:
        settings, need = self.settings, self.settings.enough
        kind: type[ThinDatasetError] = ThinDatasetError if core.size.pairs else EmptyDatasetError
        if not self.funnel.stages[-2].rows:
            empty = next(stage for stage in self.funnel.stages if not stage.rows)
            message = f"Nothing is left after the step '{empty.name}': every row was dropped ({empty.dropped})."
            raise EmptyDatasetError(message, self.funnel, tried)
        relaxed = "" if settings.strict else f" (asked for {settings.asked}, relaxed down to it)"
        raise kind(
            f"The k-core {core.thresholds}{relaxed} leaves {describe(core.size)}; needed are {need.pairs:,} pairs, "
            f"{need.users:,} users, {need.items:,} items (--min-interactions, --min-users, --min-items).",
            self.funnel,
            tried,
        )

    def _keep(self, core: Core) -> None:
        self.engine.upload("keep_users", {"u": np.flatnonzero(core.users).astype(np.int32)})
        self.engine.upload("keep_items", {"i": np.flatnonzero(core.items).astype(np.int32)})

    def _size_of(self, table: str) -> tuple[int, Size]:
        pair = "CAST(u AS BIGINT) * 4294967296 + i"
        counted = f"count(*), count(DISTINCT {pair}), count(DISTINCT u), count(DISTINCT i)"
        rows, *size = self.engine.rows(f"SELECT {counted} FROM {table}")[0]
        return rows, Size(*size)

    def _part(self) -> tuple[Size, int]:
        """Cut ``kept`` (unless it is cut already), count what is cold, and drop it if so asked."""
        settings, engine = self.settings, self.engine
        assert settings.cut is not None
        if settings.core_on == "all":
            engine.create("parted", settings.cut.sql("kept"))
        else:
            engine.create("parted", "SELECT * FROM kept")
        engine.create("warmed", cold_sql("parted"))
        where = " WHERE cold = 0" if settings.cold == "drop" else ""
        engine.create("kept", f"SELECT * FROM warmed{where}")
        self._count_parts()
        rows, size = self._size_of("kept")
        if settings.cold == "drop" and any(part["cold_rows"] for part in self.facts.parts.values()):
            self._add(Stage("known to training", rows, size, COLD))
        for part in PARTS:
            if not self.facts.parts[part]["rows"]:
                self._refuse_split(part)
        return size, rows

    def _count_parts(self) -> None:
        names = ("rows", "pairs", "users", "items", "cold_rows", "cold_users", "cold_items")
        before = {
            part: dict(zip(names, counts, strict=True)) for part, *counts in self.engine.rows(counts_sql("warmed"))
        }
        after = {part: dict(zip(names, counts, strict=True)) for part, *counts in self.engine.rows(counts_sql("kept"))}
        none = dict.fromkeys(names, 0)
        for number, part in enumerate(PARTS):
            cold = {name: n for name, n in before.get(number, none).items() if name.startswith("cold")}
            found = {**after.get(number, none), **cold}
            self.facts.parts[part] = found
            line = f"{part}: {found['rows']:,} rows, {found['users']:,} users, {found['items']:,} items"
            if found["cold_rows"]:
                line += (
                    f"; {found['cold_rows']:,} rows with {found['cold_users']:,} users, {found['cold_items']:,} items "
                    f"new to training, {'dropped' if self.settings.cold == 'drop' else 'kept'}"
                )
            log.info(line)

    def _refuse_split(self, part: str) -> None:
        first, last = self.engine.rows("SELECT min(t), max(t) FROM parted")[0]
        span = ""
        if first is not None:
            span = f" What is left runs from {day_of(first)} to {day_of(last)}."
        raise ThinDatasetError(
            f"--split {self.settings.cut}: the {part} part is empty, and RecBole needs all three.{span} Choose another "
            "--split, or --cold keep if rows were dropped as cold.",
            self.funnel,
        )

    def _check_sum(self, rows: int) -> None:
        """Every row of the input is in the result or in a named count."""
        written = int(self.engine.rows("SELECT count(*) FROM kept")[0][0])
        first = self.funnel.stages[0].rows
        if written != rows or sum(self.funnel.dropped().values()) + rows != first:
            raise AssertionError(
                f"of {first:,} rows {rows:,} are kept, {self.funnel.dropped()} dropped, {written:,} written"
            )

    def _measure_result(self) -> None:
        arrays = self.engine.arrays("SELECT DISTINCT u, i FROM kept")
        self.facts.after = degrees(arrays["u"]), degrees(arrays["i"])
