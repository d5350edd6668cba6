"""The parts of a training that run on a GPU, each as one function of a device.

The tests run them under torch's FakeTensorMode, `python -m benchmarks.gpu` runs them on a real GPU and compares the
results with the CPU's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from benchmarks import worlds
from benchmarks.contestants import SETTINGS

SIZE = 256  # pairs in a batch
Run = Callable[[], list[Tensor]]


@cache
def pairs() -> tuple[np.ndarray, np.ndarray]:
    """Of items with far more than 64 users, and of others with none."""
    return worlds.made_up(20_000, 4_000, 2_000)


class Column(np.ndarray[Any, Any]):
    """An array where RecBole has a tensor: under FakeTensorMode a tensor has no values."""

    def numpy(self) -> np.ndarray:
        """The array."""
        return np.asarray(self)


def dataset() -> Any:
    """The pairs as RecBole holds them."""
    made = worlds.as_dataset(*pairs())
    made.inter_feat = dict(zip(("user_id", "item_id"), (ids.view(Column) for ids in pairs()), strict=True))
    return made


def model_on(device: torch.device, **settings: Any) -> Any:
    """AlibabaLightGCN with the same weights on each device."""
    from recbole_alibaba.model.alibabalightgcn import AlibabaLightGCN

    torch.manual_seed(0)
    config = {**SETTINGS, "embedding_size": 16, "device": device, **settings}
    model = AlibabaLightGCN(config, dataset())
    for table in (model.user_embedding, model.item_embedding):
        table.weight = torch.nn.Parameter(table.weight.detach().to(device))  # `Module.to` swaps no fake tensors
    return model


def batch_on(device: torch.device, number: int = 0) -> Any:
    """A batch of `SIZE` pairs with negatives."""
    from recbole.data.interaction import Interaction

    users, items = pairs()
    rng = np.random.default_rng(number)
    rows = rng.integers(0, len(users), SIZE)
    columns = {"user_id": users[rows], "item_id": items[rows], "neg_item_id": rng.integers(1, items.max() + 1, SIZE)}
    return Interaction({name: torch.from_numpy(column) for name, column in columns.items()}).to(device)


def propagation(device: torch.device) -> Run:
    """Final embeddings, as a prediction needs them."""
    model = model_on(device)
    return lambda: list(model.forward())


def loss_and_backward(device: torch.device, **settings: Any) -> Run:
    """Both parts of the loss, and the gradient of their sum."""
    model, batch = model_on(device, **settings), batch_on(device)

    def run() -> list[Tensor]:
        parts = model.calculate_loss(batch)
        return [*parts, *torch.autograd.grad(sum(parts), list(model.parameters()))]

    return run


def shared_loss(device: torch.device) -> Run:
    """The loss of a batch that uses the propagation of the batch before it."""
    model, batches = model_on(device, shared_propagation=2), [batch_on(device, number) for number in range(2)]

    def run() -> list[Tensor]:
        model.calculate_loss(batches[0])
        parts = model.calculate_loss(batches[1])
        return [*parts, *torch.autograd.grad(sum(parts), list(model.parameters()))]

    return run


def softmax_loss(device: torch.device) -> Run:
    """The softmax over the items of a batch."""
    return loss_and_backward(device, loss="softmax")


def softmax_scores(device: torch.device) -> Run:
    """The vectors whose products are the scores of a model of the softmax."""
    model = model_on(device, loss="softmax")
    return lambda: list(model.score_vectors())


def half_precision(device: torch.device) -> Run:
    """The loss under autocast: it stays in float32."""
    run = loss_and_backward(device)

    def inside() -> list[Tensor]:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            return run()

    return inside


def batches(device: torch.device) -> Run:
    """An epoch's batches, users drawn alike, two negatives for each pair."""
    from recbole_alibaba.data.negatives import NegativeSampler, item_weights
    from recbole_alibaba.data.train_loader import TrainLoader

    users, items = pairs()
    config = {
        "device": device, "seed": 1, "NEG_PREFIX": "neg_", "train_batch_size": 2 * SIZE, "positive_sampling": "users",
        "train_neg_sample_args": {"sample_num": 2},
    }  # fmt: skip
    weights = item_weights("popularity", items, dataset().item_num, 0.5)
    loader = TrainLoader(config, dataset(), NegativeSampler(users, items, weights, dataset().user_num))
    return lambda: [column for batch in loader for column in batch.interaction.values()]


def negatives(device: torch.device) -> Run:
    """Items that users do not have, found from random numbers."""
    from recbole_alibaba.data.negatives import NegativeSampler, item_weights

    users, items = pairs()
    sampler = NegativeSampler(users, items, item_weights("uniform", items, items.max() + 1), users.max() + 1)
    number = sampler.draw(users, np.random.default_rng(0))
    there = [torch.from_numpy(array).to(device) for array in (users, number)]
    finder = sampler.on(device)
    return lambda: [finder.find(*there)]


def ranking(device: torch.device) -> Run:
    """The best items of all users, in several tiles: their keys, before they come to the CPU."""
    from recbole_alibaba.data.user_lists import UserLists
    from recbole_alibaba.evaluation.top_k import best_keys

    users, items = pairs()
    generator = torch.Generator().manual_seed(0)
    # Whole numbers: many equal scores, and no rounding.
    tables = [
        torch.randint(-3, 4, (int(ids.max()) + 1, 8), generator=generator).float().to(device) for ids in (users, items)
    ]
    hidden = UserLists.from_pairs(users, items, len(tables[0]), len(tables[1]))
    return lambda: [best_keys(*tables, hidden, 20, 1_000)]


def optimiser_step(device: torch.device) -> Run:
    """Two steps as the trainer makes them: loss, gradient, its norm, AdamW."""
    from recbole_alibaba.trainer.optimizer import adamw

    model = model_on(device)
    optimizer, made = adamw(model.parameters(), 0.01, 1e-5), [batch_on(device, number) for number in range(2)]

    def run() -> list[Tensor]:
        norms = []
        for batch in made:
            optimizer.zero_grad()
            sum(model.calculate_loss(batch)).backward()
            norms.append(get_total_norm([weight.grad for weight in model.parameters()]))
            optimizer.step()
        return [*norms, *(weight.detach() for weight in model.parameters())]

    return run


def meter(device: torch.device) -> Run:
    """The losses of as many batches as a GPU keeps before it is asked for them."""
    from recbole_alibaba.trainer.meter import READ_EVERY, EpochMeter

    values = [torch.full((), 0.5, device=device), torch.full((1,), 0.25, device=device)]

    def run() -> list[Tensor]:
        kept = EpochMeter(("bpr", "reg"), 0, 1.0, device, read_every=READ_EVERY)
        for _ in range(READ_EVERY - 1):
            kept.add(values, values[0])
        return list(kept.pending)

    return run


CHECKS: dict[str, Callable[[torch.device], Run]] = {
    one.__name__: one
    for one in (
        propagation, loss_and_backward, shared_loss, softmax_loss, softmax_scores, half_precision, batches, negatives,
        ranking, optimiser_step, meter,
    )
}  # fmt: skip
