"""What is examined: a configuration with its data, model and trainer, seen the same for every RecBole model."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_alibaba.diagnosis.findings import Severity


@dataclass
class Subject:
    """RecBole's own objects; ``experiment.Experiment`` has the same fields and can be passed in its place."""

    config: Any
    dataset: Any
    train_data: Any
    valid_data: Any
    model: nn.Module
    test_data: Any = None
    trainer: Any = None

    @classmethod
    def of(cls, made: Any) -> Subject:
        """A subject from anything that has these fields."""
        return made if isinstance(made, cls) else cls(**{name: getattr(made, name) for name in cls.__annotations__})

    @property
    def settings(self) -> Mapping[str, Any]:
        """RecBole's settings as a plain mapping."""
        return dict(getattr(self.config, "final_config_dict", self.config))

    @property
    def n_users(self) -> int:
        """Users, the padding row included."""
        return int(self.dataset.user_num)

    @property
    def n_items(self) -> int:
        """Items, the padding row included."""
        return int(self.dataset.item_num)

    @cached_property
    def train_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """User and item ids of the training rows, int64 (m,), repeats included."""
        return pairs(self.train_data, self.dataset)

    @cached_property
    def held_out(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """(name, users, items) of the validation and test parts that exist."""
        parts = (("validation", self.valid_data), ("test", self.test_data))
        return [(name, *pairs(part, self.dataset)) for name, part in parts if part is not None]

    def keys(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """One int64 a pair."""
        return users.astype(np.int64) * self.n_items + items

    @cached_property
    def positives(self) -> np.ndarray:
        """Sorted distinct keys of the training pairs."""
        return np.unique(self.keys(*self.train_pairs))


# Their scores, tables and losses are known well enough to call a deviation a fault.
KNOWN = ("AlibabaLightGCN", "BPR", "LightGCN", "NGCF", "NeuMF", "SimpleX")


def severity_for(model: nn.Module) -> Severity:
    """``error`` for a model that is known or somebody's own; advice for RecBole's others, odd on purpose."""
    kind = type(model)
    theirs = kind.__module__.startswith("recbole.") and kind.__name__ not in KNOWN
    return "advice" if theirs else "error"


def pairs(data: Any, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """User and item ids of a loader's rows."""
    rows = data._dataset.inter_feat
    return np.asarray(rows[dataset.uid_field]), np.asarray(rows[dataset.iid_field])


def among(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which ``keys`` are in the sorted array ``known``."""
    if not len(known):
        return np.zeros(len(keys), bool)
    at = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return known[at] == keys


def batches(subject: Subject, count: int) -> list[Any]:
    """The first ``count`` training batches, on the model's device."""
    return [batch.to(subject.config["device"]) for batch in islice(subject.train_data, count)]


@contextmanager
def undisturbed(subject: Subject) -> Iterator[None]:
    """Leave behind what was there: weights, mode, random states, so that training runs as if nobody had looked."""
    model, generator = subject.model, getattr(subject.train_data, "generator", None)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    drawn = generator.get_state() if isinstance(generator, torch.Generator) else None
    training, epoch = model.training, getattr(subject.train_data, "_epoch", None)
    try:
        yield
    finally:
        model.load_state_dict(weights)
        model.zero_grad(set_to_none=True)
        model.train(training)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        if drawn is not None and isinstance(generator, torch.Generator):
            generator.set_state(drawn)
        if epoch is not None:  # this plugin's loader counts its passes in place of a generator's state
            subject.train_data.set_epoch(epoch)
