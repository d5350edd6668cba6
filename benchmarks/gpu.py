"""What a GPU does: the device's own checks, a step and an epoch against RecBole and PyG, evaluation, memory, metrics.

    python -m benchmarks.gpu --data ../shared/data/gowalla --output results

Under eight minutes on one GPU, `--quick` under two. Each part has a process of its own. What it found is written to
OUTPUT/records/gpu.json at once and OUTPUT/gpu.md is rendered from it, so a part that fails or takes too long leaves the
others whole: its row has the reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from threading import Timer
from time import perf_counter
from typing import Any

import click

from benchmarks.gpu_page import page

ROOT = Path(__file__).resolve().parent.parent
SECONDS = {
    "machine": 60, "checks": 90, "products": 60, "step": 90,
    "convert": 60, "epoch": 150, "evaluation": 90, "sides": 150,
}  # fmt: skip
WHOLE, WHOLE_QUICK = 460, 115


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path), default=ROOT.parent / "shared" / "data" / "gowalla")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "results", show_default="results")
@click.option("--quick", is_flag=True, help="Fewer repeats, under two minutes.")
@click.option("--device", default="cuda", show_default=True, help="cpu tries the script itself.")
@click.option("--part", "parts", multiple=True, type=click.Choice(list(SECONDS)), help="Only these, beside the others.")
@click.option("--render", is_flag=True, help="Only write the page again, from the record.")
def main(data: Path, output: Path, quick: bool, device: str, parts: tuple[str, ...], render: bool) -> None:
    """Measure on a GPU and write OUTPUT/gpu.md."""
    record = output / "records" / "gpu.json"
    known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    if not render:
        if not (data / "train.txt.gz").is_file():
            raise click.BadParameter(f"no train.txt.gz in {data}; it holds LightGCN's split", param_hint="--data")
        record.parent.mkdir(parents=True, exist_ok=True)
        known = known if parts else {}
        known["at"], known["quick"] = datetime.now().astimezone().isoformat(timespec="seconds"), quick
        ends = perf_counter() + (WHOLE_QUICK if quick else WHOLE)
        with tempfile.TemporaryDirectory() as folder:
            for part in _with_data(parts) if parts else SECONDS:
                known[part] = {}
                words = (part, str(data.resolve()), folder, device, "quick" if quick else "whole")
                measure(words, min(SECONDS[part], ends - perf_counter()), known, record)
                (output / "gpu.md").write_text(page(known), encoding="utf-8")
    (output / "gpu.md").write_text(page(known), encoding="utf-8")
    click.echo(page(known))


def _with_data(parts: tuple[str, ...]) -> list[str]:
    """These parts, after the conversion that some of them read."""
    needed = {"convert", *parts} if {"epoch", "evaluation", "sides"} & set(parts) else set(parts)
    return [part for part in SECONDS if part in needed]


def _environment() -> dict[str, str]:
    """The search path in full: the parts work in another folder."""
    paths = [
        str(ROOT),
        *(str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path),
    ]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def measure(words: tuple[str, ...], limit: float, known: dict[str, Any], record: Path) -> None:
    """Run a part in its process; each line it prints goes into the record at once."""
    found, started = known[words[0]], perf_counter()
    if limit < 10:
        found["reason"] = "no time was left"
        return
    with tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-m", "benchmarks.gpu_part", *words]
        options: dict[str, Any] = {"stderr": errors, "text": True, "cwd": words[2], "env": _environment()}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
        stop = Timer(limit, process.kill)
        stop.start()
        for line in process.stdout or ():
            if line.startswith("{"):
                found.update(json.loads(line))
                record.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        code = process.wait()
        late = not stop.is_alive() and code < 0
        stop.cancel()
        errors.seek(0)
        if code:
            last = (errors.read().strip().splitlines() or [""])[-1][:500]
            found["reason"] = f"stopped after {limit:.0f} s" if late else f"exit code {code}: {last}"
    found["process seconds"] = perf_counter() - started
    record.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{words[0]}: {found['process seconds']:.0f} s {found.get('reason', '')}", err=True)


if __name__ == "__main__":
    main()
