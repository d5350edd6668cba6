"""One conversion from the raw log to a RecBole data set: read, filter, take the core, cut, write."""

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
from dataset_prep.engines.base import Engine, LocalEngine
from dataset_prep.facts import degrees, histogram
from dataset_prep.filters import Weighed, tabulate
from dataset_prep.funnel import Funnel, Stage, describe
from dataset_prep.guards import EmptyDatasetError, OutputError, Remedy, ThinDatasetError, UsageError
from dataset_prep.output import Outcome, check_overwrite, check_target, mark_of, write
from dataset_prep.parting import part, size_of
from dataset_prep.settings import Settings
from dataset_prep.splits import TRAIN
from dataset_prep.swift.kept import kept_rows
from dataset_prep.weigh import bits_of, remedies, slots_of

log = logging.getLogger("dataset_prep")

WEAK = "a user or item below the thresholds"


@dataclass(frozen=True)
class Conversion:
    """What was written, and how it came about: what was asked and what was used.

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
    """Convert as *settings* say. Raises PrepError (a ValueError) for anything the user can mend."""
    check_target(settings.output / settings.name)
    try:
        with tempfile.TemporaryDirectory(prefix="dataset_prep-") as scratch:
            workdir = Path(scratch)
            with open_engine(workdir, *settings.engine_words) as engine:
                return _convert(engine, settings, workdir)
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"--memory-limit: {settings.memory_limit or 'the default'} is too little ({error})."
        ) from error
    except (duckdb.IOException, OSError) as error:
        raise OutputError(f"{settings.output / settings.name}: could not be written ({error}).") from error


def _convert(engine: Engine, settings: Settings, workdir: Path) -> Conversion:
    target = settings.output / settings.name
    read, tables = tabulate(engine, settings, workdir)
    mark = mark_of(settings.as_dict(), [*read.digests, *read.other_digests])
    check_overwrite(target, mark, settings.force)
    weighed = Weighed(engine, settings, workdir, read, tables)
    core = _core_of_training(weighed) if settings.core_on == "train" else _core_of_all(weighed)
    rows, size = part(weighed) if settings.cut else (weighed.funnel.stages[-1].rows, core.size)
    _check_sum(weighed, rows)
    weighed.facts.after = _degrees_after(weighed, core)
    told = weighed.funnel, weighed.facts, core.thresholds, size, rows, mark
    write(engine, settings, Outcome(read, *told, None if settings.cut else weighed.in_order))
    result = Conversion(
        target, settings.name, settings.asked, core.thresholds, size, rows, weighed.funnel, weighed.facts.parts, mark
    )
    log.info("wrote %s", result)
    return result


def _degrees_after(weighed: Weighed, core: Core) -> tuple[dict[int, int], dict[int, int]]:
    if weighed.settings.cut:
        kept = weighed.engine.arrays("SELECT DISTINCT u, i FROM kept")
        return degrees(kept["u"]), degrees(kept["i"])
    return histogram(core.degrees[0]), histogram(core.degrees[1])


def _core_of_all(weighed: Weighed) -> Core:
    """Fills ``kept`` with the rows of the core of everything the filters left."""
    settings, engine, tables = weighed.settings, weighed.engine, weighed.tables
    pairs = tables.pairs

    core, found = _choose(weighed, pairs.select(bits_of(settings.ranks, True)))
    rows = core.size.pairs if settings.protocol == "novel" else pairs.rows_in(core)
    weighed.add(Stage(f"k-core {core.thresholds}", rows, core.size, WEAK))
    if not found:
        whole = weighed.whole()
        tried = remedies(whole.space, settings, lambda ranks, inside: whole.pairs.select(bits_of(ranks, inside)))
        raise _refusal(weighed, core, tried)
    _keep(engine, core)
    if (firsts := weighed.firsts) is not None and isinstance(engine, LocalEngine):
        weighed.in_order = kept_rows(firsts, core)
        engine.lend("kept", {name: weighed.in_order[name] for name in ("u", "i", "t", "b")})
        return core
    engine.create("kept", pipeline.core_sql(pipeline.rows_sql(settings.ranks, settings.protocol, tables.coded)))
    engine.drop("events")
    return core


def _core_of_training(weighed: Weighed) -> Core:
    """Fills ``kept`` with the rows, cut already: training's core, and all of validation and test."""
    settings, engine = weighed.settings, weighed.engine
    assert settings.cut is not None
    cut = settings.cut

    def training(parted: str) -> tuple[Codes, Codes]:
        arrays = engine.arrays(f"SELECT DISTINCT u, i FROM {parted} WHERE part = {TRAIN}")
        return arrays["u"], arrays["i"]

    rows = pipeline.rows_sql(settings.ranks, settings.protocol, weighed.tables.coded)
    engine.create("parted", cut.sql(f"({rows}) AS x"))
    pairs = training("parted")
    weighed.facts.before = degrees(pairs[0]), degrees(pairs[1])
    core, found = _choose(weighed, pairs)
    _keep(engine, core)
    inside = pipeline.core_sql("SELECT * FROM parted", f"part = {TRAIN}")
    engine.create("kept", f"{inside} UNION ALL SELECT * FROM parted WHERE part <> {TRAIN}")
    weighed.add(Stage(f"k-core {core.thresholds} of the training part", *size_of(engine, "kept"), WEAK))
    if not found:
        whole = weighed.whole()

        def pairs_of(ranks: Sequence[int], subset_only: bool) -> tuple[Codes, Codes]:
            make = pipeline.first_of_sql if settings.protocol == "novel" else pipeline.slots_sql
            rows = make(slots_of(ranks, subset_only), whole.coded)
            return training(f"({cut.sql(f'({rows}) AS x')}) AS s")

        raise _refusal(weighed, core, remedies(whole.space, settings, pairs_of))
    return core


def _choose(weighed: Weighed, pairs: tuple[Codes, Codes]) -> tuple[Core, bool]:
    """(the core asked for or the strictest that leaves enough, True); if none does, (what was reached, False)."""
    settings, space = weighed.settings, weighed.tables.space
    asked = space.core(pairs, settings.asked)
    if settings.enough.met_by(asked.size):
        log.info(f"k-core: asked for {settings.asked}: {describe(asked.size)}")
        return asked, True
    if settings.strict:
        return asked, False
    chosen = space.strictest(pairs, settings.asked, settings.enough)
    if chosen is None:
        return space.core(pairs, Thresholds(1, 1)), False
    log.info(
        f"k-core: asked for {settings.asked}, which leaves {describe(asked.size)}; "
        f"using {chosen.thresholds}: {describe(chosen.size)}"
    )
    return chosen, True


def _refusal(weighed: Weighed, core: Core, tried: Sequence[Remedy]) -> ThinDatasetError:
    settings, need = weighed.settings, weighed.settings.enough
    stages = weighed.funnel.stages
    if not stages[-2].rows:
        empty = next(stage for stage in stages if not stage.rows)
        message = f"Nothing is left after the step '{empty.name}': every row was dropped ({empty.dropped})."
        return EmptyDatasetError(message, weighed.funnel, tried)
    kind: type[ThinDatasetError] = ThinDatasetError if core.size.pairs else EmptyDatasetError
    relaxed = "" if settings.strict else f" (asked for {settings.asked}, relaxed down to it)"
    return kind(
        f"The k-core {core.thresholds}{relaxed} leaves {describe(core.size)}; needed are {need.pairs:,} pairs, "
        f"{need.users:,} users, {need.items:,} items (--min-interactions, --min-users, --min-items).",
        weighed.funnel,
        tried,
    )


def _keep(engine: Engine, core: Core) -> None:
    engine.upload("keep_users", {"u": np.flatnonzero(core.users).astype(np.int32)})
    engine.upload("keep_items", {"i": np.flatnonzero(core.items).astype(np.int32)})


def _check_sum(weighed: Weighed, rows: int) -> None:
    """Every row of the input is in the result or in a named count."""
    written = int(weighed.engine.rows("SELECT count(*) FROM kept")[0][0])
    first, dropped = weighed.funnel.stages[0].rows, weighed.funnel.dropped()
    if written != rows or sum(dropped.values()) + rows != first:
        raise AssertionError(f"of {first:,} rows {rows:,} are kept, {dropped} dropped, {written:,} written")
