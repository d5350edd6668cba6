"""One conversion from the raw log to a RecBole data set: the steps in their order."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_prep import pipeline
from dataset_prep.atomic import replaced
from dataset_prep.core import Core, Size, Thresholds
from dataset_prep.engines import open_engine
from dataset_prep.engines.base import Engine
from dataset_prep.funnel import Funnel, Stage, describe, measure
from dataset_prep.guards import EmptyDatasetError, OutputError, PrepError, ThinDatasetError
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.reading import Log, read_log
from dataset_prep.recbole_yaml import dataset_yaml
from dataset_prep.report import funnel_page
from dataset_prep.settings import Settings
from dataset_prep.weigh import Pairs, bits_of, dated_bits, remedies

log = logging.getLogger("dataset_prep")

REPEATED = "a repeat of an earlier interaction"
WEAK = "a user or item below the thresholds"


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
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rows:,} rows, {describe(self.size)}"


def run(settings: Settings, quiet: bool = False) -> Conversion:
    """Convert as *settings* say. Raises PrepError (a ValueError) for anything the user can mend."""
    check_target(settings)
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") as scratch:
        workdir = Path(scratch)
        with open_engine(settings, workdir, quiet) as engine:
            read = read_log(engine, settings, workdir, quiet)
            return _convert(engine, settings, read)


def fingerprint(settings: Settings, digests: Sequence[str]) -> str:
    """Of the files' content and every setting that decides the result."""
    told = json.dumps({"settings": settings.as_dict(), "files": list(digests)}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def check_target(settings: Settings) -> None:
    """Refuse a folder that holds what this program did not write, before any work is done."""
    target = settings.output / settings.name
    if target.exists() and not (target / "funnel.json").is_file() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists and was not written by dataset_prep. Choose another --name or --output.")


def check_overwrite(settings: Settings, mark: str) -> None:
    """Refuse to replace a data set of another source or other settings, unless forced."""
    former = settings.output / settings.name / "funnel.json"
    if settings.force or not former.is_file():
        return
    try:
        known = json.loads(former.read_text()).get("fingerprint")
    except (OSError, ValueError):
        known = None
    if known != mark:
        raise OutputError(
            f"{former.parent} holds a data set of another source or other settings (fingerprint {known}, this would "
            f"be {mark}). Add --force to replace it, or choose another --name."
        )


def _convert(engine: Engine, settings: Settings, read: Log) -> Conversion:
    mark = fingerprint(settings, read.digests)
    check_overwrite(settings, mark)
    engine.create("users", pipeline.users_sql(read.integers))
    engine.create("items", pipeline.items_sql(read.integers, read.features))
    engine.create("pairs", pipeline.pairs_sql(settings.ranks))
    arrays = engine.arrays("SELECT u, i, mask, n FROM pairs")
    n_users = engine.rows("SELECT count(*) FROM users")[0][0]
    n_items = engine.rows("SELECT count(*) FROM items")[0][0]
    pairs = Pairs.of(arrays, n_users, n_items)
    funnel = _filters(settings, read, pairs, dict(engine.rows(pipeline.TALLY)))
    core = _choose_core(settings, pairs, funnel)
    kept_rows = _keep(engine, settings, funnel, core, arrays)
    return _write(engine, settings, read, funnel, core, kept_rows, mark)


def _filters(settings: Settings, read: Log, pairs: Pairs, tally: dict[int, int]) -> Funnel:
    """The stages before the core, each measured."""
    funnel = Funnel()

    def add(name: str, rows: int, bits: int, dropped: str) -> None:
        size, weak = measure(*pairs.select(bits), settings.asked)
        stage = funnel.add(Stage(name, rows, size, dropped, weak))
        _say(funnel, stage)

    everything = (1 << (UNDATED + 1)) - 1
    events = sum(tally.values())
    if read.rejected:
        stage = funnel.add(Stage("rows of the log", events + read.rejected))
        _say(funnel, stage)
    add("rows that parse" if read.rejected else "rows of the log", events, everything, "did not parse, see rejects.csv")
    if settings.bounds != (None, None):
        add("inside the dates", events - tally.get(UNDATED, 0), dated_bits(), "outside the dates")
    slots = {slot for rank in settings.ranks for slot in (rank, rank + INSIDE)}
    if settings.source.behaviors:
        name = f"behaviours {','.join(settings.kept)}"
        add(name, sum(tally.get(s, 0) for s in slots), bits_of(settings.ranks, False), "another behaviour")
    if settings.items:
        rows = sum(tally.get(rank + INSIDE, 0) for rank in settings.ranks)
        add("items of the subset", rows, bits_of(settings.ranks, True), "not in the item subset")
    return funnel


def _say(funnel: Funnel, stage: Stage) -> None:
    log.info(funnel.line(stage))
    for line in stage.weak_lines():
        log.info("  %s", line)


def _choose_core(settings: Settings, pairs: Pairs, funnel: Funnel) -> Core:
    """The core asked for, or the strictest that leaves enough; raises with remedies that were tried."""
    bits = bits_of(settings.ranks, True)
    asked = pairs.core(bits, settings.asked)
    if settings.enough.met_by(asked.size):
        log.info("k-core: asked for %s: %s", settings.asked, describe(asked.size))
        return asked
    chosen = None if settings.strict else pairs.strictest(bits, settings.asked, settings.enough)
    if chosen is not None:
        log.info(
            "k-core: asked for %s, which leaves %s; using %s: %s",
            settings.asked, describe(asked.size), chosen.thresholds, describe(chosen.size),
        )  # fmt: skip
        return chosen
    tried = asked if settings.strict else pairs.core(bits, Thresholds(1, 1))
    before = funnel.stages[-1]
    if settings.protocol == "novel" and before.size is not None:
        before = funnel.add(Stage("first of each pair", before.size.pairs, before.size, REPEATED))
        _say(funnel, before)
    # Under repeat the rows of a core are counted when it is kept; this one is not.
    rows = tried.size.pairs if settings.protocol == "novel" or not tried.size.pairs else before.rows
    _say(funnel, funnel.add(Stage(f"k-core {tried.thresholds}", rows, tried.size, WEAK)))
    need = settings.enough
    kind: type[ThinDatasetError] = ThinDatasetError if tried.size.pairs else EmptyDatasetError
    last = "" if settings.strict else f" (asked for {settings.asked}, relaxed down to it)"
    raise kind(
        f"The k-core {tried.thresholds}{last} leaves {describe(tried.size)}; needed are {need.pairs:,} pairs, "
        f"{need.users:,} users, {need.items:,} items (--min-interactions, --min-users, --min-items).",
        funnel,
        remedies(pairs, settings),
    )


def _keep(engine: Engine, settings: Settings, funnel: Funnel, core: Core, arrays: dict[str, np.ndarray]) -> int:
    """Tables keep_users, keep_items and kept; the last stages of the funnel. Returns the rows kept."""
    engine.upload("keep_users", {"u": np.flatnonzero(core.users).astype(np.int32)})
    engine.upload("keep_items", {"i": np.flatnonzero(core.items).astype(np.int32)})
    before = funnel.stages[-1]
    if settings.protocol == "novel":
        assert before.size is not None
        stage = Stage("first of each pair", before.size.pairs, before.size, REPEATED)
        _say(funnel, funnel.add(stage))
        rows = core.size.pairs
    else:
        inside = core.users[arrays["u"]] & core.items[arrays["i"]]
        rows = int(arrays["n"][inside].sum())
    _say(funnel, funnel.add(Stage(f"k-core {core.thresholds}", rows, core.size, WEAK)))
    engine.create("kept", pipeline.kept_sql(settings.ranks, settings.protocol))
    written = int(engine.rows("SELECT count(*) FROM kept")[0][0])
    if written != rows:
        raise AssertionError(f"the core keeps {rows:,} rows, the engine wrote {written:,}")
    return rows


def _write(
    engine: Engine, settings: Settings, read: Log, funnel: Funnel, core: Core, rows: int, mark: str
) -> Conversion:
    name = settings.name
    with replaced(settings.output, name) as folder:
        engine.write(pipeline.inter_sql(settings.source), folder / f"{name}.inter")
        columns = {"inter": ["user_id", "item_id", "timestamp"]}
        features = read.features
        if features:
            engine.write(pipeline.item_sql(features), folder / f"{name}.item")
            columns["item"] = ["item_id", *features]
        (folder / f"{name}.yaml").write_text(dataset_yaml(name, settings.protocol, columns))
        record: dict[str, Any] = {
            "name": name,
            "fingerprint": mark,
            "files": [{"name": n, "digest": d} for n, d in zip(read.names, read.digests, strict=True)],
            "settings": settings.as_dict(),
            "asked": settings.asked._asdict(),
            "used": core.thresholds._asdict(),
            "size": core.size._asdict(),
            "rows": rows,
            "funnel": funnel.as_dict(),
        }
        (folder / "funnel.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        (folder / "funnel.html").write_text(funnel_page(name, funnel, settings.asked, core.thresholds))
    result = Conversion(settings.output / name, name, settings.asked, core.thresholds, core.size, rows, funnel, mark)
    log.info("wrote %s", result)
    return result


__all__ = ["Conversion", "PrepError", "run"]
