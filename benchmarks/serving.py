"""How many lists a second does `serve` answer, and how late? On Gowalla, beside faiss's own search as the bound.

python -m benchmarks.serving [--seconds 10] [--connections 4] [--data ../shared/data/gowalla] [--output FILE.md]
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import faiss
import numpy as np

from dataset_prep import convert_published
from recbole_alibaba import load, run
from recbole_alibaba.recommending.model import SavedModel

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "gowalla"
K = 10


def trained(data: Path) -> Path:
    """The folder of a run of one epoch on Gowalla, in the current folder."""
    split = {"train": data / "train.txt.gz", "test": data / "test.txt.gz"}
    convert_published(**split, name="gowalla", output="dataset", valid_share=0.05)
    parts = {"benchmark_filename": ["train", "valid", "test"], "epochs": 1, "train_batch_size": 65536}
    return Path(run(dataset="gowalla", config_dict={**parts, "show_progress": False})["run"]).resolve()


def search(model: SavedModel, users: np.ndarray, duration: float) -> float:
    """Searches a second: faiss's exact index on one thread, one user a call, items already had included."""
    vectors = model.vectors()
    index = faiss.IndexFlatIP(vectors.items.shape[1])
    index.add(vectors.items)
    faiss.omp_set_num_threads(1)
    started, calls = time.perf_counter(), 0
    while time.perf_counter() - started < duration:
        row = users[calls % len(users)]
        index.search(vectors.users[row : row + 1], K)
        calls += 1
    return calls / (time.perf_counter() - started)


async def ask(port: int, paths: list[str], duration: float) -> list[float]:
    """Ask one after the other on one connection; the seconds of each answer. An own client: httpx takes as long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken, began = [], time.perf_counter()
    for path in itertools.cycle(paths):
        started = time.perf_counter()
        if started - began > duration:
            break
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise click.ClickException(f"{path}: {head.decode()}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append(time.perf_counter() - started)
    writer.close()
    return taken


async def ask_all(port: int, tokens: list[str], connections: int, duration: float) -> list[float]:
    """`ask` on several connections at once, each with its own users."""
    parts = [[f"/recommend/{token}?k={K}" for token in tokens[start::connections]] for start in range(connections)]
    answers = await asyncio.gather(*(ask(port, part, duration) for part in parts))
    return [one for part in answers for one in part]


def served(folder: Path, tokens: list[str], connections: int, duration: float) -> dict[str, float]:
    """Requests a second, and the milliseconds in which 50 and 99 of 100 are answered."""
    command = [sys.executable, "-c", "from recbole_alibaba.cli import main; main()", "serve", str(folder), "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            port = int(server.stdout.readline().split("/docs")[0].rsplit(":", 1)[1])
            asyncio.run(ask_all(port, tokens[:100], connections, 1.0))
            started = time.perf_counter()
            taken = asyncio.run(ask_all(port, tokens, connections, duration))
            rate = len(taken) / (time.perf_counter() - started)
        finally:
            server.terminate()
    late = np.percentile(taken, [50, 99]) * 1e3
    return {"rate": rate, "p50": float(late[0]), "p99": float(late[1])}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", "duration", default=10.0, show_default=True, help="Of each measurement.")
@click.option("--connections", default="1,4,16", show_default=True, help="Open at once; each waits for its answer.")
@click.option("--data", default=SHARED, type=click.Path(path_type=Path, exists=True), help="LightGCN's Gowalla split.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the page is written; else it is printed only.")
def main(duration: float, connections: str, data: Path, output: Path | None) -> None:
    """Time the server. The client runs on the same cores."""
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        folder = trained(data.resolve())
        model = load(folder)
        rows = np.random.default_rng(0).permutation(len(model.users) - 1)
        tokens = [str(token) for token in model.users.texts[1:][rows]]
        bound = search(model, rows, duration)
        lines = [
            f"Gowalla, {len(tokens):,} users, {len(model.items) - 1:,} items, {os.cpu_count()} cores, client included.",
            f"faiss, exact search, one user a call, one thread: {bound:,.0f} a second, {1e3 / bound:.2f} ms.\n",
            "| connections | requests a second | median ms | p99 ms | of faiss's calls on one thread |",
            "|---:|---:|---:|---:|---:|",
        ]
        for count in map(int, connections.split(",")):
            one: dict[str, Any] = served(folder, tokens, count, duration)
            lines.append(
                f"| {count} | {one['rate']:,.0f} | {one['p50']:.1f} | {one['p99']:.1f} | {one['rate'] / bound:.2f} |"
            )
    text = "\n".join(lines) + "\n"
    click.echo(text)
    if output is not None:
        output.write_text(f"# Serving\n\nWritten by `python -m benchmarks.serving`.\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    words, sys.argv[1:] = sys.argv[1:], []  # RecBole's Config reads them
    main(words)
