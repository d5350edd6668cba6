"""Published splits in LightGCN's form, one line a user and its items, as RecBole's benchmark parts."""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dataset_prep.atomic import replaced
from dataset_prep.core import Size, Thresholds
from dataset_prep.engines import Engine, open_engine
from dataset_prep.facts import Facts, degrees
from dataset_prep.funnel import Funnel, Stage, describe
from dataset_prep.guards import InputError, OutputError, TooManyRejectsError, UsageError
from dataset_prep.inputs import BOM, find, look_over
from dataset_prep.output import check_overwrite, check_target, mark_of
from dataset_prep.pipeline import MISSING
from dataset_prep.recbole_yaml import check_name, dataset_yaml
from dataset_prep.remote import bring
from dataset_prep.report import page
from dataset_prep.scan import Rejects

log = logging.getLogger("dataset_prep")

Pair = tuple[str, str]
TOKEN = re.compile(r'[^\s"\x00-\x1f\x7f]+')


@dataclass(frozen=True)
class PublishedSettings:
    """The words of ``python -m dataset_prep split``.

    valid_share: where there is no validation file, this share of the training pairs is held out at random
    (seeded); 0 lets the test part serve as validation, as the published runs did.
    """

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
    """What was written: pairs of every part."""

    path: Path
    pairs: dict[str, int]
    size: Size
    funnel: Funnel
    fingerprint: str

    def __str__(self) -> str:
        parts = ", ".join(f"{part} {n:,}" for part, n in self.pairs.items())
        return f"{self.path}: {parts} pairs; {describe(self.size)}"


def read_lists(
    option: str, path: str, engine: Engine, workdir: Path, rejects: Rejects, max_bad: float
) -> tuple[list[Pair], list[str], int]:
    """(pairs in the file's order, digests, lines that do not parse). Raises InputError."""
    pairs: list[Pair] = []
    digests, reasons, lines = [], [], 0
    files = bring(engine, find((path,), option), workdir)
    for part in (part for file in files for part in look_over(file, workdir, frozenset())):
        digests.append(part.digest)
        for number, raw in enumerate(Path(part.path).read_bytes().removeprefix(BOM).split(b"\n"), 1):
            if not raw.strip():
                continue
            lines += 1
            reason, tokens = _tokens(raw)
            if reason:
                rejects.add(part.name, number, reason)
                reasons.append(f"{part.name}, line {number:,}: {reason}")
            pairs += [(tokens[0], item) for item in tokens[1:]]
    shown = "".join(f"\n  {reason}" for reason in reasons[:10])
    if not pairs:
        raise InputError(f"{option}: {path} holds no line 'user item item ...'{shown}")
    if len(reasons) > max_bad * lines:
        raise TooManyRejectsError(
            f"{option}: {len(reasons):,} of {lines:,} lines do not parse, more than --max-bad {max_bad:g} allows. A "
            f"line is 'user item item ...'. The first of them:{shown}"
        )
    return pairs, digests, len(reasons)


def _tokens(raw: bytes) -> tuple[str | None, list[str]]:
    try:
        tokens = raw.decode("utf-8").split()
    except UnicodeDecodeError:
        return "broken UTF-8", []
    for token in tokens:
        if not TOKEN.fullmatch(token):
            return f"{token[:40]!r} holds a quote or a control character", []
        if "," in token:
            return f"{token[:40]!r}: ids are separated by blanks, not commas", []
        if token in MISSING:
            return f"{token!r} would be read as a missing value", []
    return None, tokens


def hold_out(pairs: Sequence[Pair], share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """(kept, held out): each pair is held out with probability *share*, but never the last one of its user."""
    draw = np.random.default_rng(seed).random(len(pairs))
    held = draw < share
    luckiest: dict[str, int] = {}
    for place, (user, _) in enumerate(pairs):
        best = luckiest.setdefault(user, place)
        if draw[place] > draw[best]:
            luckiest[user] = place
    held[list(luckiest.values())] = False
    kept = [pair for pair, out in zip(pairs, held, strict=True) if not out]
    return kept, [pair for pair, out in zip(pairs, held, strict=True) if out]


def convert_published(settings: PublishedSettings) -> Published:
    """Write ``output/name``. Raises PrepError (a ValueError) for anything the user can mend."""
    check_target(settings.output / settings.name)
    try:
        with tempfile.TemporaryDirectory(prefix="dataset_prep-") as scratch:
            return _convert(settings, Path(scratch))
    except OSError as error:
        raise OutputError(f"{settings.output / settings.name}: could not be written ({error}).") from error


def _convert(settings: PublishedSettings, workdir: Path) -> Published:
    files = {"train": settings.train, "valid": settings.valid, "test": settings.test}
    parts: dict[str, list[Pair]] = {}
    digests: list[str] = []
    bad = 0
    rejects_path = workdir / "rejects.csv"
    with Rejects(rejects_path) as rejects, open_engine(workdir) as engine:
        for part, path in files.items():
            if path:
                pairs, found, wrong = read_lists(f"--{part}", path, engine, workdir, rejects, settings.max_bad)
                parts[part], bad = pairs, bad + wrong
                digests += found
    if settings.valid_share:
        train, valid = hold_out(list(dict.fromkeys(parts["train"])), settings.valid_share, settings.seed)
        parts = {"train": train, "valid": valid, "test": parts["test"]}
    mark = mark_of(settings.as_dict(), digests)
    check_overwrite(settings.output / settings.name, mark, settings.force)
    funnel, facts = Funnel(), Facts()
    _clean(settings, parts, funnel, facts)
    size = _size(parts)
    names = [part if part in parts else "test" for part in ("train", "valid", "test")]
    if "valid" not in parts:
        log.warning(
            "No validation part was given, so the test part serves as one, as in the published runs. Do not choose "
            "settings by it: --valid-share 0.1 holds out a tenth of training instead."
        )
    with replaced(settings.output, settings.name) as folder:
        for part, pairs in parts.items():
            with (folder / f"{settings.name}.{part}.inter").open("w", encoding="utf-8", newline="\n") as file:
                file.write("user_id:token\titem_id:token\n")
                file.writelines(f"{user}\t{item}\n" for user, item in pairs)
        columns = {"inter": ["user_id", "item_id"]}
        text = dataset_yaml(settings.name, settings.protocol, columns, names, timed=False)
        (folder / f"{settings.name}.yaml").write_text(text, encoding="utf-8")
        if bad:
            shutil.copyfile(rejects_path, folder / "rejects.csv")
        record = {
            "name": settings.name,
            "fingerprint": mark,
            "settings": settings.as_dict(),
            "size": size._asdict(),
            "parts": facts.parts,
            "funnel": funnel.as_dict(),
            "dropped_rows": funnel.dropped(),
            "rejected_lines": bad,
        }
        (folder / "funnel.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        one = Thresholds(1, 1)
        told = page(f"{settings.name}: a published split", funnel, facts, one, None, size, size.pairs)
        (folder / "funnel.html").write_text(told, encoding="utf-8")
    counts = {part: len(pairs) for part, pairs in parts.items()}
    result = Published(settings.output / settings.name, counts, size, funnel, mark)
    log.info("wrote %s", result)
    return result


def _clean(settings: PublishedSettings, parts: dict[str, list[Pair]], funnel: Funnel, facts: Facts) -> None:
    """Drop repeats, pairs that stand in an earlier part, and, if asked, what training never saw; count all of it."""
    funnel.add(Stage("pairs of the files", sum(map(len, parts.values()))))
    for part in parts:
        parts[part] = list(dict.fromkeys(parts[part]))
    funnel.add(Stage("distinct in their part", sum(map(len, parts.values())), None, "a repeat within its part"))
    if settings.protocol == "novel":
        seen: set[Pair] = set()
        for part, pairs in parts.items():
            parts[part] = [pair for pair in pairs if pair not in seen]
            seen.update(pairs)
        funnel.add(Stage("in one part only", len(seen), None, "a pair of an earlier part"))
    users, items = {u for u, _ in parts["train"]}, {i for _, i in parts["train"]}
    for part, pairs in parts.items():
        cold = [(u, i) for u, i in pairs if u not in users or i not in items]
        if settings.cold == "drop":
            parts[part] = [(u, i) for u, i in pairs if u in users and i in items]
        facts.parts[part] = {
            "rows": len(parts[part]),
            "users": len({u for u, _ in parts[part]}),
            "items": len({i for _, i in parts[part]}),
            "cold_rows": len(cold),
            "cold_users": len({u for u, _ in cold} - users),
            "cold_items": len({i for _, i in cold} - items),
        }
    if settings.cold == "drop":
        funnel.add(Stage("known to training", sum(map(len, parts.values())), None, "new to training"))
    for line in funnel.lines():
        log.info(line)
    facts.before = _degrees(parts["train"])
    facts.after = _degrees([pair for pairs in parts.values() for pair in pairs])
    empty = [part for part, pairs in parts.items() if not pairs]
    if empty:
        raise InputError(f"The {empty[0]} part is empty, and RecBole needs all of them.")


def _degrees(pairs: Sequence[Pair]) -> tuple[dict[int, int], dict[int, int]]:
    coded = [np.unique(np.array(column), return_inverse=True)[1] for column in zip(*pairs, strict=True)]
    return (degrees(coded[0]), degrees(coded[1])) if coded else ({}, {})


def _size(parts: dict[str, list[Pair]]) -> Size:
    pairs = {pair for listed in parts.values() for pair in listed}
    return Size(len(pairs), len({u for u, _ in pairs}), len({i for _, i in pairs}))
