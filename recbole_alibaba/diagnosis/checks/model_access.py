"""How do checks use an experiment's model and loader without changing what the training will do?"""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import KGDataLoaderState
from torch import nn

from recbole_alibaba.diagnosis.findings import Verdict, not_examined

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

# Scores, tables and losses of these models are known: a deviation is a fault.
KNOWN = ("AlibabaLightGCN", "BPR", "LightGCN", "NGCF", "NeuMF", "SimpleX")
# In other models of RecBole a loss may have more terms, a score may be rounded, a part may rest in some batches.
KIND_DECIDES = (
    "constant-scores",
    "init-too-small",
    "rows-start-equal",
    "graph-empty",
    "graph-differs",
    "loss-on-hand-made-scores",
    "fresh-loss",
    "loss-differs",
    "gradient-differs",
    "no-gradient",
    "frozen-table",
    "loss-upside-down",
    "cannot-overfit",
)
SHARED = ("_parameters", "_modules")  # of a module: the optimiser holds the parameters


def is_known(model: nn.Module) -> bool:
    """Whether it is known what a healthy model of this kind shows: one of ``KNOWN``, or a user's own."""
    kind = type(model)
    return not kind.__module__.startswith("recbole.") or kind.__name__ in KNOWN


def of_kind(verdicts: list[Verdict], model: nn.Module) -> list[Verdict]:
    """The verdicts without findings that may be wrong for another model of RecBole: nothing was examined there."""
    if is_known(model):
        return verdicts
    doubtful = [verdict.finding is not None and verdict.id in KIND_DECIDES for verdict in verdicts]
    unknown = [not_examined(verdict.check, verdict.id, "another-model") for verdict in verdicts]
    return [other if doubt else own for own, other, doubt in zip(verdicts, unknown, doubtful, strict=True)]


def is_trained(model: Any) -> bool:
    """Whether gradients train the model. RecBole's Pop and ItemKNN count, NCEPLRec solves with one idle number."""
    kind = str(getattr(getattr(model, "type", None), "name", ""))
    return kind not in ("TRADITIONAL", "DECISIONTREE") and any(values.numel() > 1 for values in model.parameters())


def needs_own_training(model: Any) -> bool:
    """Whether a batch alone gives no loss: MKR has two, RecVAE asks which half is trained, NCL needs clusters."""
    loss = type(model).calculate_loss
    asked = list(inspect.signature(loss).parameters.values())[2:]  # after self and the batch
    more = any(parameter.default is parameter.empty for parameter in asked)
    return more or loss.__module__ == AbstractRecommender.__module__ or hasattr(model, "e_step")


def first_batches(experiment: Experiment, count: int) -> list[Any]:
    """The first ``count`` training batches, on the model's device."""
    return [batch.to(experiment.config["device"]) for batch in islice(experiment.train_data, count)]


@contextmanager
def undisturbed(experiment: Experiment) -> Iterator[None]:
    """Afterwards model, loader and random states are as before: the training goes as if no check had run."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    with _lent_loader(experiment.train_data, experiment.model), _lent_model(experiment):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
            torch.set_rng_state(states[2])
            if cuda:
                torch.cuda.set_rng_state_all(cuda)


@contextmanager
def _lent_model(experiment: Experiment) -> Iterator[None]:
    """The model works with copies of its weights and attributes while the block runs, then has the originals again.

    Models keep more than their weights: LINE its place in a list, DiffRec a history of losses. Data and settings, which
    no model changes, are not copied.
    """
    model, data = experiment.model, (experiment.dataset, experiment.train_data._dataset)
    shared = [experiment.config, *data, *(rows.inter_feat for rows in data), *model.modules(), *model.parameters()]
    memo = {id(part): part for part in shared}
    weights = [(parameter, parameter.data) for parameter in model.parameters()]
    attributes = [(module, dict(vars(module))) for module in model.modules()]
    for parameter, values in weights:
        parameter.data = values.clone()
    for module, own in attributes:
        vars(module).update({name: _copied(value, memo) for name, value in own.items() if name not in SHARED})
    try:
        yield
    finally:
        for module, own in attributes:
            vars(module).clear()
            vars(module).update(own)
        for parameter, values in weights:
            parameter.data = values
        model.zero_grad(set_to_none=True)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except (TypeError, RuntimeError, NotImplementedError):  # a lock, a handle, a tensor with a history
        return value


@contextmanager
def _lent_loader(loader: Any, model: nn.Module) -> Iterator[None]:
    """A knowledge loader gives pairs and triples, one that draws negatives with a model has it; both until the end."""
    inner = [getattr(loader, f"{kind}_dataloader", None) for kind in ("general", "kg")]
    parts = [part for part in (loader, *inner) if part is not None]
    generators = [part.generator for part in parts if isinstance(getattr(part, "generator", None), torch.Generator)]
    drawn = [generator.get_state() for generator in generators]
    asked = [(part, name, getattr(part, name)) for part in parts for name in ("state", "model") if hasattr(part, name)]
    epoch = getattr(loader, "_epoch", None)
    if hasattr(loader, "set_mode"):
        loader.set_mode(KGDataLoaderState.RSKG)
    if hasattr(loader, "get_model"):
        loader.get_model(model)
    try:
        yield
    finally:
        for generator, state in zip(generators, drawn, strict=True):
            generator.set_state(state)
        for part, name, value in asked:
            setattr(part, name, value)
        if epoch is not None:  # this plugin's loader numbers its passes and has no generator
            loader.set_epoch(epoch)
