"""How much of a board's time is training and evaluation, and what do two trials at once win?

python -m benchmarks.boards [FILE] [--jobs 1,2]     in a folder whose dataset/ holds the board's data
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import click

from recbole_alibaba.board.records import Records

EIGHT = Path(__file__).with_name("boards.yaml")
WORK = ("train", "validate", "rank")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", default=EIGHT, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--jobs", default="1,2", show_default=True, help="Numbers of trials at once to compare.")
def main(file: Path, jobs: str) -> None:
    """Run the board FILE anew for each number of jobs; by default the eight models of benchmarks/boards.yaml."""
    head = "| jobs | trials | seconds | times the first | training and evaluation, of the time of the jobs |"
    click.echo(f"{head}\n|---:|---:|---:|---:|---:|")
    first = 0.0
    for count in map(int, jobs.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            places = [f"--records={folder}/records", f"--pages={folder}"]
            program = Path(sys.executable).with_name("recbole-alibaba")
            command = [str(program), "board", str(file), f"--jobs={count}", *places]
            clock = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds = perf_counter() - clock
            records = Records(Path(folder, "records"), file.stem).read()
        work = sum(record["seconds"].get(stage, 0.0) for record in records for stage in WORK)
        first = first or seconds
        share = work / seconds / count
        click.echo(f"| {count} | {len(records)} | {seconds:,.0f} | {first / seconds:.2f} | {share:.0%} |")


if __name__ == "__main__":
    main()
