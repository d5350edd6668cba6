"""Published splits in LightGCN's form, one line a user with its items, as RecBole's benchmark parts."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dataset_prep.engines import on_demand
from dataset_prep.errors import InputError, OutputError, UsageError
from dataset_prep.pairs.core import Codes, Size, Thresholds
from dataset_prep.pairs.funnel import Funnel, Stage, describe
from dataset_prep.pairs.sorting import Ints, Mask, changes
from dataset_prep.pairs.statistics import Statistics, degrees
from dataset_prep.pairs.table import Column
from dataset_prep.reading.careful import Rejects
from dataset_prep.reading.files import find
from dataset_prep.reading.lists import read_pairs
from dataset_prep.reading.remote import local_copies
from dataset_prep.writing.atomic import replaced
from dataset_prep.writing.dataset import write_json
from dataset_prep.writing.recbole_yaml import check_name, dataset_yaml
from dataset_prep.writing.report import page
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

    def __post_init__(self) -> None:
        check_name(self.name)
        if not 0 <= self.valid_share < 1:
            raise UsageError(f"--valid-share: {self.valid_share:g} is no share below 1; write 0.1 for a tenth.")
        if self.valid and self.valid_share:
            raise UsageError("--valid-share holds out from training; with --valid there is a validation part already.")

    def as_dict(self) -> dict[str, object]:
        left_out = {"train", "test", "valid", "output", "force", "max_bad"}
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


@dataclass(frozen=True)
class _Pairs:
    """Pairs in the order of the file, by codes."""

    u: Codes
    i: Codes

    def where(self, chosen: Mask | Ints) -> _Pairs:
        return _Pairs(self.u[chosen], self.i[chosen])

    @property
    def key(self) -> Ints:
        return self.u.astype(np.int64) << 32 | self.i

    def distinct(self) -> _Pairs:
        """Each pair once, where it occurs first."""
        return self.where(np.sort(np.unique(self.key, return_index=True)[1]))


class _Codes:
    """Codes for tokens, in the order in which they are met."""

    def __init__(self) -> None:
        self.users: dict[str, int] = {}
        self.items: dict[str, int] = {}

    def pairs(self, lines: Sequence[Sequence[str]]) -> _Pairs:
        """lines: [user, item, item, ...]"""
        users, items = self.users, self.items
        u = [users.setdefault(tokens[0], len(users)) for tokens in lines if len(tokens) > 1]
        i = [items.setdefault(item, len(items)) for tokens in lines for item in tokens[1:]]
        many = [len(tokens) - 1 for tokens in lines if len(tokens) > 1]
        return _Pairs(np.repeat(np.array(u, dtype=np.int32), many), np.array(i, dtype=np.int32))


Parts = dict[str, _Pairs]


def hold_out(pairs: tuple[Codes, Codes], share: float, seed: int) -> Mask:
    """True for a pair that is held out: each with probability *share*, but never the last one of its user."""
    draw = np.random.default_rng(seed).random(len(pairs[0]))
    order = np.lexsort((-draw, pairs[0]))  # of one user's pairs the largest draw stays, the earlier of two equal ones
    held = draw < share
    held[order[changes(pairs[0][order])]] = False
    return held


def run_published(settings: PublishedSettings) -> Published:
    """Write ``output/name``. Raises PrepError for anything the user can mend."""
    target = settings.output / settings.name
    check_target(target)
    try:
        with tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
            return _convert(settings, Path(workdir))
    except OSError as error:
        raise OutputError(f"{target}: could not be written ({error}).") from error


def _convert(settings: PublishedSettings, workdir: Path) -> Published:
    files = {"train": settings.train, "valid": settings.valid, "test": settings.test}
    codes, parts, digests, bad = _Codes(), Parts(), list[str](), 0
    rejects_path = workdir / "rejects.csv"
    with on_demand(workdir) as engine, Rejects(rejects_path) as rejects:
        for part, path in files.items():
            if path:
                copies = local_copies(engine, find((path,), f"--{part}"), workdir)
                lines, listed = read_pairs(f"--{part}", copies, rejects, settings.max_bad)
                parts[part], bad = codes.pairs(lines), bad + listed.found.rejected
                digests += listed.digests
    if settings.valid_share:
        train = parts["train"].distinct()
        held = hold_out((train.u, train.i), settings.valid_share, settings.seed)
        parts = {"train": train.where(~held), "valid": train.where(held), "test": parts["test"]}
    fingerprint = fingerprint_of(settings.as_dict(), digests)
    check_overwrite(settings.output / settings.name, fingerprint, settings.force)
    funnel, statistics = Funnel(), Statistics()
    parts = _clean(settings, parts, funnel, statistics)
    size = _size(parts)
    if "valid" not in parts:
        log.warning(
            "No validation part was given, so the test part serves as one, as in the published runs. Do not choose "
            "settings by it: --valid-share 0.1 holds out a tenth of training instead."
        )
    _write(settings, parts, codes, rejects_path if bad else None, {
        "name": settings.name,
        "fingerprint": fingerprint,
        "settings": settings.as_dict(),
        "size": size._asdict(),
        "parts": statistics.parts,
        "funnel": funnel.as_dict(),
        "dropped_rows": funnel.dropped(),
        "rejected_lines": bad,
    }, page(f"{settings.name}: a published split", funnel, statistics, Thresholds(1, 1), None, size, size.pairs))  # fmt: skip
    counts = {part: len(pairs.u) for part, pairs in parts.items()}
    result = Published(settings.output / settings.name, counts, size, funnel, fingerprint)
    log.info("wrote %s", result)
    return result


def _write(
    settings: PublishedSettings,
    parts: Parts,
    codes: _Codes,
    rejects: Path | None,
    record: Mapping[str, object],
    report: str,
) -> None:
    name = settings.name
    ids = {"user_id:token": Column.of_words(list(codes.users)), "item_id:token": Column.of_words(list(codes.items))}
    with replaced(settings.output, name) as folder:
        for part, pairs in parts.items():
            columns = {key: ids[key].rows(rows) for key, rows in zip(ids, (pairs.u, pairs.i), strict=True)}
            write_table(folder / f"{name}.{part}.inter", columns)
        names = [part if part in parts else "test" for part in ("train", "valid", "test")]
        text = dataset_yaml(name, settings.protocol, {"inter": ["user_id", "item_id"]}, names, timed=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        if rejects:
            shutil.copyfile(rejects, folder / "rejects.csv")
        write_json(folder / "funnel.json", record)
        (folder / "funnel.html").write_text(report, encoding="utf-8")


def _clean(settings: PublishedSettings, parts: Parts, funnel: Funnel, statistics: Statistics) -> Parts:
    """Drop repeats, pairs of an earlier part and, if asked, what training never saw; count all of it."""

    def add(name: str, dropped: str = "") -> None:
        funnel.add(Stage(name, sum(len(pairs.u) for pairs in parts.values()), None, dropped))

    add("pairs of the files")
    parts = {part: pairs.distinct() for part, pairs in parts.items()}
    add("distinct in their part", "a repeat within its part")
    if settings.protocol == "novel":
        seen = np.zeros(0, dtype=np.int64)
        for part, pairs in parts.items():
            parts[part] = pairs.where(~np.isin(pairs.key, seen))
            seen = np.concatenate([seen, parts[part].key])
        add("in one part only", "a pair of an earlier part")
    train = parts["train"]
    for part, pairs in parts.items():
        new_user, new_item = ~np.isin(pairs.u, train.u), ~np.isin(pairs.i, train.i)
        cold = new_user | new_item
        if settings.cold == "drop":
            parts[part] = pairs.where(~cold)
        statistics.parts[part] = {
            "rows": len(parts[part].u),
            "users": len(np.unique(parts[part].u)),
            "items": len(np.unique(parts[part].i)),
            "cold_rows": int(cold.sum()),
            "cold_users": len(np.unique(pairs.u[new_user])),
            "cold_items": len(np.unique(pairs.i[new_item])),
        }
    if settings.cold == "drop":
        add("known to training", "new to training")
    for line in funnel.lines():
        log.info(line)
    every = _together(parts)
    statistics.before, statistics.after = degrees((train.u, train.i)), degrees((every.u, every.i))
    empty = [part for part, pairs in parts.items() if not len(pairs.u)]
    if empty:
        raise InputError(f"The {empty[0]} part is empty, and RecBole needs all of them.")
    return parts


def _together(parts: Parts) -> _Pairs:
    return _Pairs(*(np.concatenate([getattr(pairs, side) for pairs in parts.values()]) for side in ("u", "i")))


def _size(parts: Parts) -> Size:
    pairs = _together(parts).distinct()
    return Size(len(pairs.u), len(np.unique(pairs.u)), len(np.unique(pairs.i)))
