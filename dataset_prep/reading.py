"""From the files to the table of events: the fast reader where everything is regular, else the careful one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset_prep import pipeline
from dataset_prep.engines.base import Engine, LocalEngine, ReadError
from dataset_prep.guards import InputError, TooManyRejectsError
from dataset_prep.inputs import Part, find, is_remote, look_over
from dataset_prep.memory import memory_of
from dataset_prep.people import upload_people
from dataset_prep.progress import advance, bar
from dataset_prep.remote import bring, local_part, remote_parts
from dataset_prep.scan import Rejects, Scanned, Scanner
from dataset_prep.settings import Settings
from dataset_prep.subset import Subset, read_subset
from dataset_prep.swift.block import BlockReader
from dataset_prep.swift.blocks import GiveUpError
from dataset_prep.swift.reader import Rows, SwiftReader

log = logging.getLogger("dataset_prep")


@dataclass(frozen=True)
class Log:
    """What the table of events was made from.

    integers: ids are whole numbers in the engine; else they are text. rejects: the list of rows that did not parse.
    rows: what the swift reader carried; None where the table of events was filled.
    """

    integers: bool
    features: list[str]
    rejected: int
    names: list[str]
    digests: list[str]
    rejects: Path | None = None
    rows: Rows | None = None
    subset: Subset = field(default_factory=Subset)
    other_digests: list[str] = field(default_factory=list)


def read_log(engine: Engine, settings: Settings, workdir: Path, whole: bool = False, swift: bool = True) -> Log:
    """Read into arrays or, where the swift reader cannot, fill the table ``events``.

    whole: carry the rows of every behaviour and moment. Raises InputError, TooManyRejectsError.
    """
    rejects_path = workdir / "rejects.csv"
    with Rejects(rejects_path) as rejects:
        subset = Subset()
        if settings.items:
            lists = bring(engine, find(settings.items, "--items"), workdir, settings.quiet)
            subset = read_subset(lists, settings, workdir, rejects)
        read = _swift(settings, subset, whole, rejects) if swift and isinstance(engine, LocalEngine) else None
        if read is None:
            parts = _parts(engine, settings, workdir)
            read = _fast(engine, settings, parts, subset) or _careful(engine, settings, parts, subset, workdir, rejects)
    others = list(subset.digests)
    if settings.user_info:
        others += upload_people(engine, settings.user_info, workdir, read.integers)
    wrote = read.rejected or subset.rejected
    return replace(read, rejects=rejects_path if wrote else None, subset=subset, other_digests=others)


def _swift(settings: Settings, subset: Subset, whole: bool, rejects: Rejects) -> Log | None:
    """None where the log is not for the swift reader."""
    paths = find(settings.users, "--users")
    if any(map(is_remote, paths)) or not BlockReader.can_read(settings):
        return None
    wanted = subset.ids(integers=True) if settings.items else None
    reader = SwiftReader(settings, wanted, whole, memory_of(settings.memory_limit))
    with bar("reading", sum(Path(path).stat().st_size for path in paths), "B", settings.quiet) as shown:
        try:
            reader.read(paths, lambda size: advance(shown, size, reader.found.rows))
        except GiveUpError as reason:
            log.info("reading again, with more care: %s", reason)
            return None
    found = reader.found
    found.parts = reader.parts
    judge(settings, found)
    for reject in reader.rejects:
        rejects.add(*reject)
    if found.rejected:
        log.info("%s of %s rows do not parse; see rejects.csv", f"{found.rejected:,}", f"{found.rows:,}")
    return replace(_log(settings, reader.parts, True, found.rejected), rows=reader.rows)


def _parts(engine: Engine, settings: Settings, workdir: Path) -> list[Part]:
    paths = find(settings.users, "--users")
    local = [path for path in paths if not is_remote(path)]
    parts: list[Part] = []
    with bar("looking over the files", sum(Path(p).stat().st_size for p in local), "B", settings.quiet) as shown:
        for path in paths:
            if is_remote(path):
                parts += remote_parts(engine, path, workdir, settings.source.headers)
            else:
                parts += look_over(Path(path), workdir, settings.source.headers, shown.update)
    return parts


def _events(
    engine: Engine, settings: Settings, parts: list[Part], subset: Subset, integers: bool, rows: int | None
) -> tuple[int, int]:
    """Fill the table; returns (rows, of these not understood)."""
    if settings.items:
        engine.upload("subset", {"item_id": subset.ids(integers)})
    reading = pipeline.Reading(settings.source, integers, settings.level, bool(settings.items), *settings.bounds)
    engine.create("events", pipeline.events_sql(engine, parts, reading), rows)
    total, bad = engine.rows(pipeline.BAD_EVENTS)[0]
    return total, bad or 0


def _log(settings: Settings, parts: Iterable[Part], integers: bool, rejected: int = 0) -> Log:
    parts = list(parts)
    return Log(integers, settings.features, rejected, [p.name for p in parts], [p.digest for p in parts])


def _fast(engine: Engine, settings: Settings, parts: list[Part], subset: Subset) -> Log | None:
    """None where a file needs the careful reader."""
    if not all(part.plain for part in parts):
        return None
    expected = sum(part.lines - part.header for part in parts)
    for integers in (True,) if settings.source.digits else (True, False):
        try:
            total, bad = _events(engine, settings, parts, subset, integers, expected)
        except ReadError:
            return None
        if total and not bad and expected == total:
            return _log(settings, parts, integers)
    return None


def _careful(
    engine: Engine, settings: Settings, parts: list[Part], subset: Subset, workdir: Path, rejects: Rejects
) -> Log:
    found = Scanned(integers=settings.source.digits)
    scanner = Scanner(rejects, found, settings.level)
    away = sum(part.remote.size for part in parts if part.remote)
    with bar("fetching", away, "B", settings.quiet) as shown:
        parts = [p for part in parts for p in local_part(engine, part, workdir, settings.source.headers, shown.update)]
    size = sum(Path(part.path).stat().st_size for part in parts)
    with bar("reading line by line", size, "B", settings.quiet) as shown:
        for number, part in enumerate(parts):
            scanner.part(part, settings.source, workdir / f"clean-{number}.tsv", shown.update)
    judge(settings, found)
    total, bad = _events(engine, settings, found.parts, subset, found.integers, found.rows - found.rejected)
    if bad or total != found.rows - found.rejected:
        raise AssertionError(
            f"kept {found.rows - found.rejected:,} rows; of {total:,} read back {bad:,} are not understood"
        )
    if found.rejected:
        log.info("%s of %s rows do not parse; see rejects.csv", f"{found.rejected:,}", f"{found.rows:,}")
    return _log(settings, parts, found.integers, found.rejected)


def judge(settings: Settings, found: Scanned) -> None:
    """Raises where nothing, or too little, of the files parses."""
    names = ", ".join(dict.fromkeys(part.name for part in found.parts))
    if not found.rows:
        raise InputError(f"{names}: the file holds no rows")
    reasons = "".join(f"\n  {reason}" for reason in found.first_reasons)
    columns = ",".join(settings.source.columns)
    if found.rejected == found.rows:
        raise InputError(
            f"{names}: none of the {found.rows:,} rows is a row of a {settings.source.name} log ({columns}):{reasons}\n"
            "Which log is it? Try: python -m dataset_prep inspect FILE"
        )
    share = found.rejected / found.rows
    if share > settings.max_bad:
        raise TooManyRejectsError(
            f"{names}: {found.rejected:,} of {found.rows:,} rows ({share:.1%}) do not parse, more than --max-bad "
            f"{settings.max_bad:g} allows. A row is {columns}. The first of them:{reasons}"
        )
