"""Run the bank and write results/doctor.md: ``python -m tests.diagnosis.faults [part of a fault's name ...]``.

First each fault in its own world, on which the thresholds were set; then all of them in the other worlds and with
another seed.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from recbole_alibaba.diagnosis.findings import as_settings

from .bank import FAULTS
from .outcome import Outcome, examine_fault
from .setups import Fault
from .worlds import SHARED

OTHER_SEED = 11
TABLE_HEAD = ("| fault | world | model | found | planted cause named | cured by |", "|---|---|---|---|---:|---|")
TABLE = Path(__file__).resolve().parents[3] / "results" / "doctor.md"


def table(outcomes: Sequence[Outcome], elsewhere: Sequence[Outcome]) -> str:
    """The whole file, without any time or path in it: the same code gives the same bytes."""
    lines = [
        "# The doctor on planted faults",
        "",
        "Written by `python -m tests.diagnosis.faults`; the faults are in `tests/diagnosis/faults/bank.py`. A twin is",
        "the same world, model and settings without the fault. Elsewhere: every fault in the worlds it was not made",
        f"for, with seed {OTHER_SEED}. The thresholds were set on the bank; two of them were changed later: how high a",
        "metric may stand still, after a first run elsewhere with seed 7, and what AUC shuffled labels may reach,",
        "after six more shuffles of each world and four real logs with a core and without.",
        "",
        "| | bank | elsewhere |",
        "|---|---:|---:|",
        *_summary(outcomes, elsewhere),
        "",
        *_misses(elsewhere),
        "`-` in the last column: no setting cures it.",
        "",
        *TABLE_HEAD,
    ]
    return "\n".join([*lines, *map(_line, outcomes)]) + "\n"


def _summary(*columns: Sequence[Outcome]) -> Iterator[str]:
    curable = [[outcome for outcome in column if outcome.fault.curable] for column in columns]
    rows: dict[str, list[str]] = {
        "faulty set-ups": [str(len(column)) for column in columns],
        "detected": [_share(sum(o.detected for o in column), len(column)) for column in columns],
        "planted cause named first or second": [
            _share(sum(o.named in (1, 2) for o in column), len(column)) for column in columns
        ],
        "with any finding on the healthy twin, advice included": [
            _share(sum(bool(o.twin) for o in column), len(column)) for column in columns
        ],
        "curable by a setting, and cured by `--try`": [
            _share(sum(o.cured for o in column), len(column)) for column in curable
        ],
    }
    return (f"| {name} | {' | '.join(values)} |" for name, values in rows.items())


def _misses(elsewhere: Sequence[Outcome]) -> list[str]:
    missed = [outcome for outcome in elsewhere if not outcome.good]
    if not missed:
        return []
    return ["Missed elsewhere:", "", *TABLE_HEAD, *map(_line, missed), ""]


def _share(part: int, whole: int) -> str:
    return f"{part} / {whole} ({part / max(whole, 1):.1%})"


def _line(outcome: Outcome) -> str:
    fault, cure = outcome.fault, outcome.cure
    found = ", ".join(finding.id for finding in outcome.examined.findings if finding.severity != "advice")
    kept = "-" if not fault.curable else "not cured"
    if cure is not None and cure.kept is not None:
        kept = f"`{as_settings(cure.kept.changes)}`"
    place = f"{fault.cause}: {outcome.named or 'not named'}"
    return f"| {fault.id} | {fault.world} | {fault.model} | {found or 'nothing'} | {place} | {kept} |"


def main(wanted: Iterable[str]) -> int:
    """Run the faults whose id holds one of ``wanted`` (all when empty); the table is written for all only."""
    torch.set_num_threads(1)  # on worlds this small a second one costs more than it brings
    parts = list(wanted)
    chosen = [fault for fault in FAULTS if not parts or any(part in fault.id for part in parts)]
    if not (SHARED / "userbehavior").is_dir():
        print(f"The real slice is not in {SHARED.name}/: its faults are left out.", file=sys.stderr)
        chosen = [fault for fault in chosen if fault.world != "real-slice"]
    outcomes = [examine_fault(fault, trying=True) for fault in tqdm(chosen, desc="bank")]
    others = [other for fault in chosen for other in moved(fault, {fault.world for fault in chosen})]
    elsewhere = [examine_fault(fault, trying=True) for fault in tqdm(others, desc="elsewhere")]
    text = table(outcomes, elsewhere)
    print(text)
    if not parts:
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(text, encoding="utf-8")
    return 0 if all(outcome.good for outcome in outcomes) else 1


def moved(fault: Fault, worlds: set[str]) -> Iterator[Fault]:
    """The fault in the other worlds, under another seed; NeuMF's evaluation keeps it out of the larger ones."""
    for world in sorted(worlds - {fault.world}) if fault.elsewhere else ():
        if fault.model != "NeuMF" or world == "two-tastes":
            yield dataclasses.replace(fault, world=world, twin={**fault.twin, "seed": OTHER_SEED})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
