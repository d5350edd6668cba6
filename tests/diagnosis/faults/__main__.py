"""Run the bank and write results/doctor.md: ``python -m tests.diagnosis.faults [part of a fault's name ...]``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from recbole_alibaba.diagnosis.findings import as_settings

from .bank import FAULTS
from .outcome import Outcome, examine_fault
from .worlds import SHARED

TABLE = Path(__file__).resolve().parents[3] / "results" / "doctor.md"


def table(outcomes: Sequence[Outcome]) -> str:
    """The whole file, without any time or path in it: the same code gives the same bytes."""
    detected = sum(outcome.detected for outcome in outcomes)
    named = sum(outcome.named in (1, 2) for outcome in outcomes)
    curable = [outcome for outcome in outcomes if outcome.fault.curable]
    cured = sum(outcome.cured for outcome in curable)
    false = sum(bool(outcome.twin) for outcome in outcomes)
    lines = [
        "# The doctor on planted faults",
        "",
        "Written by `python -m tests.diagnosis.faults`; the faults are in `tests/diagnosis/faults/bank.py`.",
        "",
        "| | |",
        "|---|---:|",
        f"| faulty set-ups | {len(outcomes)} |",
        f"| detected | {_share(detected, len(outcomes))} |",
        f"| planted cause named first or second | {_share(named, len(outcomes))} |",
        f"| healthy twins with any finding, advice included | {_share(false, len(outcomes))} |",
        f"| curable by a setting, and cured by `--try` | {_share(cured, len(curable))} |",
        "",
        "A twin is the same world, model and settings without the fault. `-` in the last column: no setting cures it.",
        "",
        "| fault | world | model | found | planted cause named | cured by |",
        "|---|---|---|---|---:|---|",
    ]
    return "\n".join([*lines, *map(_line, outcomes)]) + "\n"


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
    outcomes = [examine_fault(fault, trying=True) for fault in tqdm(chosen, desc="faults")]
    text = table(outcomes)
    print(text)
    if not parts:
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(text, encoding="utf-8")
    failed = [o for o in outcomes if not o.detected or o.named not in (1, 2) or o.twin]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
