"""How fast are recommendations? Against RecBole's `full_sort_topk`, and against the bare product of the vectors.

python -m benchmarks.recommend [--threads 1,2] [--items 1000000] [--users 5000] [--rounds 5] [--output FILE.md]
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from benchmarks import worlds
from benchmarks.evaluating import made_up_pairs, products, settings
from benchmarks.timing import Numbers, forget_peak, in_turns, peak_gb, seconds

warnings.filterwarnings("ignore")
K, WIDTH = 10, 64
NEEDED = {"against full_sort_topk": ">= 10 times", "against the bare product": "<= 1.3 times"}


def against_recbole(n_items: int, n_users: int) -> Numbers:
    """Seconds for the top 10 of every test user, once each: RecBole's function at RecBole's batch, then ours."""
    from recbole.utils.case_study import full_sort_topk

    from recbole_alibaba.experiment import build_config, prepare
    from recbole_alibaba.recommending.checkpoint import model_of

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        worlds.write_atomic(Path(folder), "listed", *made_up_pairs(n_items, n_users))
        split = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}
        chosen = {**settings(folder), "eval_args": split, "fast_loader": False}
        made = prepare(build_config("BPR", "listed", config_dict=chosen))
        model = model_of(made, {"model": "BPR", "dataset": "listed"})
        users = made.test_data.uid_list.numpy()
        batch, lists = max(made.config["eval_batch_size"] // made.dataset.item_num, 1), []
        names, results = made.dataset.id2token("user_id", users), {}

        def recboles() -> None:
            for start in range(0, len(users), batch):
                lists.append(full_sort_topk(users[start : start + batch], made.model, made.test_data, k=K)[1])

        taken: Numbers = {"users": len(users), "items": made.dataset.item_num - 1, "users a batch": batch}
        taken["full_sort_topk"] = seconds(recboles)
        model.recommend(names[:1], history="train")  # builds the lists of items already had, once
        before = forget_peak()
        taken["ours"] = seconds(lambda: results.update(ours=model.recommend(names, k=K, history="train")))
        taken["ours, GB more"] = peak_gb() - before
        theirs = made.dataset.id2token("item_id", torch.cat(lists).numpy()).ravel()
        if (results["ours"]["item"].to_numpy() == theirs).mean() < 0.999:  # rounding may swap equal scores
            raise click.ClickException("The lists differ.")
    return taken


def against_the_product(rounds: int) -> Numbers:
    """Median seconds for all users of Gowalla: their lists as a table, and every score once, forgotten."""
    from recbole_alibaba.recommending.model import SavedModel
    from recbole_alibaba.recommending.ranking import VectorRanker
    from recbole_alibaba.saved.read_run import SavedRun

    users, items = worlds.world("gowalla")
    torch.manual_seed(0)
    tables = {"user": torch.randn(users.max() + 1, WIDTH), "item": torch.randn(items.max() + 1, WIDTH)}
    tokens = [np.array([f"{side}{number}" for number in range(len(table))], object) for side, table in tables.items()]
    pairs = {"user": users, "item": items, "part": np.full(len(users), "train", object)}
    run = SavedRun({"model": "made up", "dataset": "gowalla"}, tables, 0, *tokens, pairs)
    model = SavedModel(run, VectorRanker(**{f"{side}s": table for side, table in tables.items()}))
    tasks: dict[str, Any] = {
        "the bare product": lambda _: products(tables["user"][1:], tables["item"]),
        "ours": lambda _: model.recommend(k=K),
    }
    return {"users": int(users.max()), "items": int(items.max()), **in_turns(tasks, rounds)}


def page(found: dict[str, tuple[str, Numbers, float]]) -> str:
    """The table of all measurements."""
    lines = [
        "| | users | items | seconds, ours | seconds, the other | ratio | target |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for name, (other, taken, ratio) in found.items():
        target = next(words for part, words in NEEDED.items() if part in name)
        lines.append(
            f"| {name} | {taken['users']:,} | {taken['items']:,} | {taken['ours']:.2f} | {taken[other]:.2f} | "
            f"{ratio:.2f} | {target} |"
        )
    return "\n".join(lines) + "\n"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--threads", default="1,2", show_default=True, help="Numbers of threads.")
@click.option("--items", default=1_000_000, show_default=True, help="Items of the made-up catalogue.")
@click.option("--users", default=5_000, show_default=True, help="Its users.")
@click.option("--rounds", default=5, show_default=True, help="Repeats on Gowalla; medians are shown.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the page is written; else it is printed only.")
def main(threads: str, items: int, users: int, rounds: int, output: Path | None) -> None:
    """Time recommendations. Use a quiet machine: RecBole's side takes minutes at a million items."""
    found = {}
    for count in map(int, threads.split(",")):
        torch.set_num_threads(count)
        few = against_the_product(rounds)
        found[f"all of Gowalla, {count}t, against the bare product"] = (
            "the bare product", few, few["ours"] / few["the bare product"],
        )  # fmt: skip
        many = against_recbole(items, users)
        found[f"top {K}, {count}t, against full_sort_topk ({many['users a batch']} user a batch)"] = (
            "full_sort_topk", many, many["full_sort_topk"] / many["ours"],
        )  # fmt: skip
        click.echo(f"{count} threads: {few} {many}", err=True)
    text = page(found)
    click.echo(text)
    if output is not None:
        title = f"# Recommendations\n\nWritten by `python -m benchmarks.recommend`; {os.cpu_count()} cores.\n\n"
        output.write_text(title + text, encoding="utf-8")


if __name__ == "__main__":
    words, sys.argv[1:] = sys.argv[1:], []  # RecBole's Config reads them
    main(words)
