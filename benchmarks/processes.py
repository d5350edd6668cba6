"""How many pairs a second do one and two processes train? The same batches, each process its rows of them.

python -m benchmarks.processes [--world gowalla] [--nproc 1,2] [--gpu-id '']
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from time import perf_counter

import click

from benchmarks import worlds
from recbole_alibaba.processes import group
from recbole_alibaba.processes.launch import launch, layout


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--world", default="gowalla", show_default=True, help="See benchmarks/worlds.py: 3 is 3 M pairs.")
@click.option("--nproc", default="1,2", show_default=True, help="Numbers of processes to compare.")
@click.option("--batch", default="2048,65536", show_default=True, help="Pairs in a batch of all processes together.")
@click.option("--steps", default=10, show_default=True, help="Steps that are timed, after two that are not.")
@click.option("--gpu-id", default="", help="GPUs, one a process: 0,1. Empty for the CPU.")
def main(world: str, nproc: str, batch: str, steps: int, gpu_id: str) -> None:
    """Print samples a second. On the CPU all processes together have as many threads as one alone."""
    worlds.world(world)  # made here, once
    click.echo("| batch | processes | samples/s | times the first |\n|---:|---:|---:|---:|")
    for size in map(int, batch.split(",")):
        first = 0.0
        for count in map(int, nproc.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "rate"
                launch(rate, (world, size, steps, str(file)), layout(count, -1, "localhost", None, 0, gpu_id))
                found = float(file.read_text())
            first = first or found
            click.echo(f"| {size:,} | {count} | {found:,.0f} | {found / first:.2f} |")


def rate(world: str, size: int, steps: int, file: str, gpu: str) -> None:
    """Train some batches as the trainer does; the first process writes the pairs a second of all."""
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    import torch

    import recbole_alibaba  # noqa: F401  (makes RecBole importable)
    from benchmarks import contestants
    from recbole_alibaba.data.negatives import NegativeSampler, item_weights
    from recbole_alibaba.data.train_loader import TrainLoader
    from recbole_alibaba.model.alibabalightgcn import AlibabaLightGCN
    from recbole_alibaba.trainer.optimizer import adamw

    device = torch.device("cuda" if gpu else "cpu")
    users, items = worlds.world(world)
    data = worlds.as_dataset(users, items)
    config = {
        **contestants.SETTINGS, "device": device, "seed": 0, "train_batch_size": size,
        "train_neg_sample_args": {"sample_num": 1}, "positive_sampling": "interactions",
    }  # fmt: skip
    torch.manual_seed(0)
    model = AlibabaLightGCN(config, data).to(device)
    optimizer = adamw(model.parameters(), 0.001, 0.0)
    sampler = NegativeSampler(users, items, item_weights("uniform", items, data.item_num), data.user_num)
    loader, started, pairs = TrainLoader(config, data, sampler), 0.0, 0
    batches = iter(loader)
    for number in range(steps + 2):
        if number == 2:
            group.add_up([torch.ones(1, device=device)])
            started = perf_counter()
        batch = next(batches, None)
        if batch is None:  # a large batch: the next epoch
            batches = iter(loader)
            batch = next(batches)
        optimizer.zero_grad()
        (sum(model.calculate_loss(batch)) * loader.share).backward()
        group.add_up([weight.grad for weight in model.parameters()])
        optimizer.step()
        pairs += size * (number >= 2)
    group.add_up(done := [torch.ones(1, device=device)])
    if group.rank() == 0 and done[0].item():  # reading waits for a GPU
        Path(file).write_text(str(pairs / (perf_counter() - started)))


if __name__ == "__main__":
    main()
