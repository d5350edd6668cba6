"""A look at a raw file before any choice is made: which log it is, what is in it, and what to run."""

from __future__ import annotations

import logging
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dataset_prep.core import Codes, Core, Enough, Size, Thresholds, strictness
from dataset_prep.engines import open_engine
from dataset_prep.facts import Facts, degrees, density
from dataset_prep.filters import Weighed, tabulate
from dataset_prep.funnel import Funnel, describe, share
from dataset_prep.guards import InputError
from dataset_prep.inputs import find, first_fields
from dataset_prep.remote import LINES, beginning
from dataset_prep.report import page
from dataset_prep.scan import Grammar
from dataset_prep.settings import Settings
from dataset_prep.sources import SOURCES, Source
from dataset_prep.weigh import bits_of

log = logging.getLogger("dataset_prep")

STRICTEST = Thresholds(5, 5)
# Enough to learn from, rather than just enough to convert.
HEALTHY = Enough(5_000, 100, 100)
SHOWN = (STRICTEST, Thresholds(3, 3), Thresholds(2, 2))


class Reached(NamedTuple):
    """A core without its counts, one for every user and item of the log, which nobody asks for once it is weighed."""

    thresholds: Thresholds
    size: Size


@dataclass(frozen=True)
class Choice:
    """One set of behaviours: the pairs it has, some of its cores.

    healthy, enough: the strictest core in which all have two partners, and that is so large; None if none is.
    """

    behaviors: tuple[str, ...]
    subset: bool
    pairs: int
    cores: tuple[Reached, ...]
    healthy: Reached | None
    enough: Reached | None


@dataclass
class Inspection:
    """What a log holds; ``command`` is the recommended conversion, None where nothing leaves enough."""

    source: Source
    size: Size
    rows: int
    funnel: Funnel
    facts: Facts
    choices: list[Choice] = field(default_factory=list)
    command: str | None = None

    def lines(self) -> list[str]:
        days = sorted({day for counts in self.facts.days.values() for day in counts})
        lines = [
            f"{self.source.title}: {self.rows:,} rows, {describe(self.size)}",
            f"days {days[0]} to {days[-1]}, Beijing time" if days and self.source.timed else "no time",
            f"density {density(self.size):.4%}; repeats of a pair: {share(self.rows - self.size.pairs, self.rows)}",
        ]
        for behavior, counts in self.facts.days.items():
            lines.append(f"  {self.facts.labels.get(behavior, behavior):12s} {share(sum(counts.values()), self.rows)}")
        for who, histogram in zip(("a user", "an item"), self.facts.before, strict=True):
            lines.append(f"partners of {who}: {_quantiles(histogram)}")
        lines += ["", "behaviours, items: pairs; what the cores leave (pairs, users, items)"]
        for choice in self.choices:
            where = ",".join(choice.behaviors) or "all"
            cores = "; ".join(f"{c.thresholds}: {', '.join(f'{n:,}' for n in c.size)}" for c in choice.cores)
            lines.append(f"  {where}{', subset' if choice.subset else ''}: {choice.pairs:,}; {cores}")
        lines += [
            "",
            f"Recommended: {self.command}" if self.command else "Too small for a data set, whatever is chosen.",
        ]
        return lines


def _quantiles(histogram: dict[int, int]) -> str:
    total, seen, told = sum(histogram.values()), 0, []
    marks = {"half have at most": 0.5, "nine in ten at most": 0.9, "the most": 1.0}
    for degree in sorted(histogram):
        seen += histogram[degree]
        while marks and seen >= next(iter(marks.values())) * total:
            told.append(f"{next(iter(marks))} {degree:,}")
            marks.pop(next(iter(marks)))
    return ", ".join(told)


def recognise(first: bytes) -> Source | None:
    """The source most of whose grammar a file's beginning fits; None where none fits half of its lines."""
    delimiter = first_fields(first)[1]
    lines = [line.removesuffix(b"\r") for line in first.split(b"\n")[:LINES] if line.strip()]
    # The last line may be cut by the reading, the first may be a header.
    lines = (lines[:-1] if len(lines) > 2 else lines)[1:] or lines
    fits = {
        source: sum(Grammar(source, delimiter).examine(line)[0] is None for line in lines) / len(lines)
        for source in SOURCES.values()
    } if lines else {}  # fmt: skip
    best = max(fits, key=lambda source: fits[source], default=None)
    return best if best is not None and fits[best] >= 0.5 else None


def inspect(
    files: Sequence[str],
    items: Sequence[str] = (),
    source: Source | None = None,
    html: Path | None = None,
    engine: str = "duckdb",
    spark_url: str = "local[2]",
) -> Inspection:
    """Read a whole log and weigh every choice; *engine* and *spark_url* as in ``Settings``.

    Raises InputError where no source fits.
    """
    path = find(files, "FILE")[0]
    if source is None:
        first = beginning(path, engine=engine, spark_url=spark_url)
        source = recognise(first)
        if source is None:
            raise InputError(_unknown(path, first))
    everything = ",".join(b.value for b in source.behaviors) or None
    settings = Settings(
        source,
        tuple(files),
        Path(),
        "inspected",
        tuple(items),
        behaviors=everything,
        max_bad=1.0,
        engine=engine,
        spark_url=spark_url,
    )
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") as scratch:
        workdir = Path(scratch)
        with open_engine(workdir, *settings.engine_words) as opened:
            read, tables = tabulate(opened, settings, workdir, whole=True)
            weighed = Weighed(opened, settings, workdir, read, tables)
    counted = next(stage for stage in weighed.funnel.stages if stage.size is not None)
    assert counted.size is not None
    found = Inspection(source, counted.size, counted.rows, weighed.funnel, weighed.facts)
    found.facts.before = degrees(tables.pairs.users), degrees(tables.pairs.items)
    found.choices = _choices(settings, weighed)
    found.command = _command(found, settings)
    if html:
        title = f"{Path(path).name}: {source.title}"
        html.write_text(
            page(title, found.funnel, found.facts, Thresholds(2, 2), None, counted.size, counted.rows), encoding="utf-8"
        )
    return found


def _choices(settings: Settings, weighed: Weighed) -> list[Choice]:
    """Behaviours strongest first, each time one weaker added; with the subset, where there is one, and without."""
    values = [b.value for b in settings.source.behaviors]
    choices = []
    for weakest in reversed(range(max(len(values), 1))):
        ranks = list(range(weakest, max(len(values), 1)))
        for subset in (True, False) if settings.items else (False,):
            pairs = weighed.tables.pairs.select(bits_of(ranks, subset))
            cores = tuple(_reached(weighed.tables.space.core(pairs, thresholds)) for thresholds in SHOWN)
            healthy, enough = (_strictest(weighed, pairs, least) for least in (HEALTHY, Enough()))
            choices.append(Choice(tuple(values[weakest:]), subset, len(pairs[0]), cores, healthy, enough))
    return choices


def _reached(core: Core) -> Reached:
    return Reached(core.thresholds, core.size)


def _strictest(weighed: Weighed, pairs: tuple[Codes, Codes], least: Enough) -> Reached | None:
    cores = weighed.tables.space.frontier(pairs, STRICTEST, least)
    return max(
        (_reached(core) for core in cores if min(core.thresholds) >= 2),
        key=lambda core: strictness(core.thresholds),
        default=None,
    )


def _command(found: Inspection, settings: Settings) -> str | None:
    """The strongest behaviours that leave enough to learn from; failing that, enough to convert."""
    healthy = [(choice, choice.healthy) for choice in found.choices if choice.healthy]
    enough = [(choice, choice.enough) for choice in found.choices if choice.enough]
    if not enough:
        return None
    chosen, core = (healthy or enough)[0]
    user, item = core.thresholds
    name = "tmall" if found.source.name.startswith("tmall") else found.source.name
    words = ["python", "-m", "dataset_prep", name]
    words += [word for f in settings.users for word in ("--log", shlex.quote(f))]
    if chosen.subset:
        words += [word for f in settings.items for word in ("--items", shlex.quote(f))]
    if chosen.behaviors:
        words += ["--behaviors", ",".join(chosen.behaviors)]
    if settings.engine == "spark":
        words += ["--engine", "spark", "--spark-url", shlex.quote(settings.spark_url)]
    return " ".join([*words, "--min-user", str(user), "--min-item", str(item), "--name", f"my-{name}"])


def _unknown(path: str, first: bytes) -> str:
    fields, _ = first_fields(first)
    shapes = "\n".join(f"  {source.name}: {','.join(source.columns)}" for source in SOURCES.values())
    if len(fields) == 1 and len(fields[0].split()) > 1:
        return (
            f"{path}: this looks like a published split, 'user item item ...' a line. Try: python -m dataset_prep "
            f"split --train {path} --test ..."
        )
    numbered = ", ".join(f"{n} {field[:20]!r}" for n, field in enumerate(fields, 1))
    return (
        f"{path}: no known log has such rows. The known ones are\n{shapes}\nThis file's first line has {numbered}. "
        "If it is a log all the same, name its columns: python -m dataset_prep csv --user-column 1 --item-column 2 ..."
    )
