"""Published splits in LightGCN's form, one line a user with its items, as RecBole's benchmark parts."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dataset_prep.engines import on_demand
from dataset_prep.errors import InputError, OutputError, UsageError, not_written
from dataset_prep.files.streams import find
from dataset_prep.pairs.core import Codes, Size, Thresholds
from dataset_prep.pairs.funnel import Funnel, Stage, describe
from dataset_prep.pairs.kept import Rows
from dataset_prep.pairs.sorting import Mask, changes
from dataset_prep.pairs.split import PARTS, TEST, TRAIN, VALID, PartOf, cold_rows, count_parts
from dataset_prep.pairs.statistics import Statistics, degrees
from dataset_prep.pairs.table import Column
from dataset_prep.reading.careful import Rejects
from dataset_prep.reading.pairs_file import FORMS, PairsFile, form_of, read_pairs
from dataset_prep.reading.remote import local_copies
from dataset_prep.settings import check_name
from dataset_prep.writing.atomic import replaced
from dataset_prep.writing.dataset import load_report, write_json, write_source
from dataset_prep.writing.lock import locked
from dataset_prep.writing.recbole_yaml import dataset_yaml
from dataset_prep.writing.target import check_overwrite, check_target, fingerprint_of
from dataset_prep.writing.text import write_table

log = logging.getLogger("dataset_prep")


@dataclass(frozen=True)
class PublishedSettings:
    """The options of ``python -m dataset_prep split``; ``dataset_prep.convert_published`` documents them."""

    train: str
    test: str
    output: Path
    name: str
    valid: str | None = None
    valid_share: float = 0.0
    seed: int = 2020
    protocol: str = "novel"
    cold: str = "keep"
    max_bad: float = 0.01
    force: bool = False
    form: str = "auto"

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.form not in FORMS:
            raise UsageError(f"--form: {self.form!r} is not one of {', '.join(FORMS)}.")
        if not 0 <= self.valid_share < 1:
            raise UsageError(f"--valid-share: {self.valid_share:g} is no share below 1; write 0.1 for a tenth.")
        if self.valid and self.valid_share:
            raise UsageError("--valid-share holds out from training; with --valid there is a validation part already.")

    def as_dict(self) -> dict[str, object]:
        left_out = {"train", "test", "valid", "output", "force", "max_bad", "form"}
        return {"source": "split", **{k: v for k, v in asdict(self).items() if k not in left_out}}


@dataclass(frozen=True)
class Published:
    """What was written. pairs: train, valid, test -> number of pairs."""

    path: Path
    pairs: dict[str, int]
    size: Size
    funnel: Funnel
    fingerprint: str

    def __str__(self) -> str:
        parts = ", ".join(f"{part} {n:,}" for part, n in self.pairs.items())
        return f"{self.path}: {parts} pairs; {describe(self.size)}"


class _Codes:
    """Codes for tokens, in the order in which they are met."""

    def __init__(self) -> None:
        self.users: dict[str, int] = {}
        self.items: dict[str, int] = {}

    def pairs(self, lines: Sequence[Sequence[str]]) -> Rows:
        """The pairs of [user, item, item, ...] in their order; time and rank are 0."""
        users, items = self.users, self.items
        many = [len(tokens) - 1 for tokens in lines if len(tokens) > 1]
        u = [users.setdefault(tokens[0], len(users)) for tokens in lines if len(tokens) > 1]
        i = [items.setdefault(item, len(items)) for tokens in lines for item in tokens[1:]]
        none = np.zeros(len(i), dtype=np.int64)
        return Rows(np.repeat(np.array(u, dtype=np.int32), many), np.array(i, dtype=np.int32), none, none)


def hold_out(users: Codes, share: float, seed: int) -> Mask:
    """True for a pair that is held out: each with probability *share*, but never the last one of its user.

    Args:
        users: the user of each distinct pair.
    """
    draw = np.random.default_rng(seed).random(len(users))
    order = np.lexsort((-draw, users))  # of one user's pairs the one with the largest draw stays
    held = draw < share
    held[order[changes(users[order])]] = False
    return held


def run_published(settings: PublishedSettings) -> Published:
    """Write ``output/name``. Raises PrepError for anything the user can mend."""
    target = settings.output / settings.name
    try:
        check_target(target)
        with locked(target), tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
            return _convert(settings, Path(workdir))
    except OSError as error:
        raise OutputError(not_written(target, error)) from error


def _convert(settings: PublishedSettings, workdir: Path) -> Published:
    files = {TRAIN: settings.train, VALID: settings.valid, TEST: settings.test}
    codes, given_files, digests, bad = _Codes(), dict[int, PairsFile](), list[str](), 0
    rejects_path = workdir / "rejects.csv"
    with on_demand(workdir) as engine, Rejects(rejects_path) as rejects:
        for part, path in files.items():
            if path:
                option = f"--{PARTS[part]}"
                copies = local_copies(engine, find((path,), option), workdir)
                file = given_files[part] = read_pairs(option, copies, rejects, settings.max_bad)
                bad += file.listed.found.rejected
                digests += file.listed.digests
    form, why = form_of(list(given_files.values()), settings.form)
    log.info(f"read as {form}: {why}")
    for file in given_files.values():
        if file.header:
            log.info(f"{file.option}: the first line, {' '.join(file.header)}, is a header")
    read, pieces = list(given_files), [codes.pairs(file.pairs(form)) for file in given_files.values()]
    fingerprint = fingerprint_of(settings.as_dict(), digests)
    check_overwrite(settings.output / settings.name, fingerprint, settings.force)
    funnel, statistics = Funnel(), Statistics()
    every = Rows(*(np.concatenate([getattr(piece, side) for piece in pieces]) for side in ("u", "i", "t", "rank")))
    part_of = np.repeat(np.array(read, dtype=np.int8), list(map(len, pieces)))
    _check_valid(settings, every, part_of)
    rows, part_of = _clean(settings, every, part_of, funnel)
    statistics.parts = _counts(settings, rows, part_of)
    if settings.cold == "drop":
        stays = ~cold_rows(rows, part_of).either
        rows, part_of = rows.where(stays), part_of[stays]
        funnel.add(Stage("known to training", len(rows), None, "new to training"))
    for line in funnel.lines():
        log.info(line)
    given = [part for part in (TRAIN, VALID, TEST) if files[part] or (part == VALID and settings.valid_share)]
    for part in given:
        if part not in part_of:
            raise InputError(f"The {PARTS[part]} part is empty, and RecBole needs all of them.")
    statistics.before, statistics.after = degrees(rows.where(part_of == TRAIN).pairs()), degrees((rows.u, rows.i))
    if VALID not in given:
        log.warning(
            "No validation part was given, so the test part serves as one, as in the published runs. Do not choose "
            "settings by it: --valid-share 0.1 holds out a tenth of training instead."
        )
    size = rows.size()
    record = {
        "name": settings.name,
        "fingerprint": fingerprint,
        "settings": settings.as_dict(),
        "size": size._asdict(),
        "parts": statistics.parts,
        "funnel": funnel.as_dict(),
        "dropped_rows": funnel.dropped(),
        "rejected_lines": bad,
    }
    title = f"{settings.name}: a published split"
    report = load_report()(title, funnel, statistics, Thresholds(1, 1), None, size, size.pairs)
    name, ids = settings.name, [Column.of_words(list(words)) for words in (codes.users, codes.items)]
    with replaced(settings.output, name) as folder:
        for part in given:
            chosen = rows.where(part_of == part)
            columns = {"user_id:token": ids[0].rows(chosen.u), "item_id:token": ids[1].rows(chosen.i)}
            write_table(folder / f"{name}.{PARTS[part]}.inter", columns)
        names = [PARTS[part if part in given else TEST] for part in (TRAIN, VALID, TEST)]
        text = dataset_yaml(name, settings.protocol, {"inter": ["user_id", "item_id"]}, names, timed=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        if bad:
            shutil.copyfile(rejects_path, folder / "rejects.csv")
        write_json(folder / "funnel.json", record)
        (folder / "funnel.html").write_text(report, encoding="utf-8")
        write_source(
            folder, "split", {k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items() if v}
        )
    counts = {PARTS[part]: int((part_of == part).sum()) for part in given}
    result = Published(settings.output / name, counts, size, funnel, fingerprint)
    log.info("wrote %s", result)
    return result


def _check_valid(settings: PublishedSettings, rows: Rows, part_of: PartOf) -> None:
    """Raises InputError where training holds the validation pairs, too: as novel pairs none would be left."""
    if not settings.valid or settings.protocol != "novel":
        return
    key = rows.u.astype(np.int64) << 32 | rows.i
    known = np.isin(key[part_of == VALID], key[part_of == TRAIN])
    if known.all():
        raise InputError(
            f"All {len(known):,} pairs of --valid stand in --train as well, so no validation part is left. Leave "
            "--valid out and hold out a part of training: --valid-share 0.1. Or take the lines of --valid out "
            "of the training file."
        )
    if known.mean() > 0.5:
        log.warning(f"{known.sum():,} of {len(known):,} pairs of --valid stand in --train as well and are dropped.")


def _clean(settings: PublishedSettings, rows: Rows, part_of: PartOf, funnel: Funnel) -> tuple[Rows, PartOf]:
    """Hold out a validation part if asked; drop repeats within a part and pairs of an earlier part."""
    key = rows.u.astype(np.int64) << 32 | rows.i
    if settings.valid_share:
        first = np.sort(np.unique(key[part_of == TRAIN], return_index=True)[1])
        rest = np.flatnonzero(part_of != TRAIN)
        held = np.flatnonzero(hold_out(rows.u[first], settings.valid_share, settings.seed))
        part_of = part_of.copy()
        part_of[first[held]] = VALID
        order = np.concatenate([np.setdiff1d(first, first[held]), first[held], rest])
        rows, part_of, key = rows.where(order), part_of[order], key[order]
    funnel.add(Stage("pairs of the files", len(rows)))
    by_part = np.lexsort((np.arange(len(key)), key, part_of))
    stays = np.sort(by_part[changes(key[by_part]) | changes(part_of[by_part])])
    rows, part_of, key = rows.where(stays), part_of[stays], key[stays]
    funnel.add(Stage("distinct in their part", len(rows), None, "a repeat within its part"))
    if settings.protocol == "novel":
        stays = np.sort(np.unique(key, return_index=True)[1])  # parts are in their order, so the earliest one stays
        rows, part_of = rows.where(stays), part_of[stays]
        funnel.add(Stage("in one part only", len(rows), None, "a pair of an earlier part"))
    return rows, part_of


def _counts(settings: PublishedSettings, rows: Rows, part_of: PartOf) -> dict[str, dict[str, int]]:
    """Counts of each part that is there; its pairs are its rows."""
    cold = cold_rows(rows, part_of)
    stays = ~cold.either if settings.cold == "drop" else np.ones(len(rows), dtype=bool)
    counts = count_parts(rows, part_of, cold, stays)
    given = {PARTS[part] for part in np.unique(part_of)}
    return {part: {k: n for k, n in c.items() if k != "pairs"} for part, c in counts.items() if part in given}
