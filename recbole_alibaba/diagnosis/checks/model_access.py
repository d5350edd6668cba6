"""How do checks use an experiment's model and loader without changing what the training will do?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recbole_alibaba.diagnosis.findings import Severity

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

# Scores, tables and losses of these models are known: a deviation is a fault.
KNOWN = ("AlibabaLightGCN", "BPR", "LightGCN", "NGCF", "NeuMF", "SimpleX")


def severity_for(model: nn.Module) -> Severity:
    """``error`` for a known model or a user's own; ``advice`` for other models of RecBole, which may be special."""
    kind = type(model)
    special = kind.__module__.startswith("recbole.") and kind.__name__ not in KNOWN
    return "advice" if special else "error"


def is_trained(model: Any) -> bool:
    """Whether gradients train the model. RecBole's Pop and ItemKNN only count."""
    kind = str(getattr(getattr(model, "type", None), "name", ""))
    return kind not in ("TRADITIONAL", "DECISIONTREE")


def first_batches(experiment: Experiment, count: int) -> list[Any]:
    """The first ``count`` training batches, on the model's device."""
    return [batch.to(experiment.config["device"]) for batch in islice(experiment.train_data, count)]


@contextmanager
def undisturbed(experiment: Experiment) -> Iterator[None]:
    """Restore weights, mode and random states afterwards: the training goes as if no check had run."""
    model, generator = experiment.model, getattr(experiment.train_data, "generator", None)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    drawn = generator.get_state() if isinstance(generator, torch.Generator) else None
    training, epoch = model.training, getattr(experiment.train_data, "_epoch", None)
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
        if epoch is not None:  # this plugin's loader numbers its passes and has no generator
            experiment.train_data.set_epoch(epoch)
