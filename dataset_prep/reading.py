"""From the files to the table of events: the fast reader where everything is regular, else the careful one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_prep import pipeline
from dataset_prep.engines.base import Engine, ReadError
from dataset_prep.guards import InputError
from dataset_prep.inputs import Part, find, look_over
from dataset_prep.progress import bar
from dataset_prep.settings import Settings
from dataset_prep.sources.base import Source


@dataclass(frozen=True)
class Log:
    """The events table is there; this says what it was made from."""

    integers: bool
    features: list[str]
    rejected: int
    names: list[str]
    digests: list[str]


def read_log(engine: Engine, settings: Settings, workdir: Path, quiet: bool) -> Log:
    paths = find(settings.users, "--users")
    parts: list[Part] = []
    with bar("looking over the files", sum(p.stat().st_size for p in paths), "B") as shown:
        for path in paths:
            parts += look_over(path, workdir, settings.source.headers, shown.update)
    items = find(settings.items, "--items") if settings.items else []
    subset = _subset(items, settings.source, workdir)
    features = (
        []
        if settings.level == "category"
        else [f for f in settings.source.item_features if f in settings.source.columns]
    )
    for integers in (True,):
        if subset is not None:
            engine.upload("subset", {"item_id": np.array(sorted(subset), dtype=np.int64)})
        reading = pipeline.Reading(settings.source, integers, settings.level, bool(items), *settings.bounds)
        lines = sum(part.lines - part.header for part in parts)
        if all(part.plain for part in parts):
            try:
                engine.create("events", pipeline.events_sql(engine, parts, reading), rows=lines)
            except ReadError as error:
                raise InputError(str(error).split("\n")[0]) from error
            total, bad = engine.rows(pipeline.BAD_EVENTS)[0]
            if total and not bad:
                return Log(True, features, 0, [p.name for p in parts], [p.digest for p in parts])
    raise InputError(f"{', '.join(p.name for p in parts)}: no row parses")


def _subset(paths: list[Path], source: Source, workdir: Path) -> set[int] | None:
    if not paths:
        return None
    ids: set[int] = set()
    for path in paths:
        for part in look_over(path, workdir, frozenset({"item_id"})):
            for line in part.path.read_bytes().splitlines()[int(part.header) :]:
                ids.add(int(line.split(part.delimiter.encode())[0]))
    return ids
