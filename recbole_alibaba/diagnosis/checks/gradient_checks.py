"""Do gradients reach every parameter at a usable size, and can the model overfit one batch?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from recbole_alibaba.diagnosis.causes.evidence import explained, max_norm
from recbole_alibaba.diagnosis.checks.loss_checks import loss_of_scores, parts
from recbole_alibaba.diagnosis.findings import Finding, Severity, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.monitor.embedding_tables import embedding_tables
from recbole_alibaba.diagnosis.monitor.score_readings import ranking_kind
from recbole_alibaba.diagnosis.monitor.watcher import Watcher
from recbole_alibaba.diagnosis.signs import EPS_SWALLOWS
from recbole_alibaba.diagnosis.signs.gradient_signs import OUTWEIGHED, coupled_decay

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

OVERFITTED, STEPS, RATE = 0.1, 300, 0.05
UPSIDE_DOWN = 0.05  # rise of the scores' loss
FAR_BELOW = 0.1  # of the gradient's norm


def gradients(experiment: Experiment, batch: Any) -> list[Verdict]:
    """6: every parameter gets a gradient and is in the optimiser; eps, decay and clipping fit the gradient's size."""
    model = experiment.model
    model.train()
    model.zero_grad(set_to_none=True)
    total = torch.stack(parts(model, batch)).sum()
    if total.requires_grad:
        total.backward()
    verdicts = [*reach(experiment), *ownership(experiment)]
    norms = [p.grad.double().norm() for p in model.parameters() if p.grad is not None]
    norm = float(torch.stack(norms).norm()) if norms else 0.0
    limit = max_norm(experiment.settings)
    if math.isfinite(limit):
        tight = Finding(
            "clip-too-tight",
            "warning" if limit < FAR_BELOW * norm else "advice",
            norm,
            limit,
            **explained(("clip-too-tight",), experiment.settings),
        )
        verdicts.append(judge("gradients", tight, limit >= norm))
        if norm > limit:
            torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
    verdicts += optimiser_readings(experiment)
    model.zero_grad(set_to_none=True)
    return verdicts


def reach(experiment: Experiment) -> list[Verdict]:
    """6: a backward pass reaches every parameter."""
    named, tables = dict(experiment.model.named_parameters()), _tables(experiment)
    frozen = [name for name in tables if not named[name].requires_grad]
    missed = [
        name
        for name, parameter in named.items()
        if parameter.requires_grad and (parameter.grad is None or not bool((parameter.grad != 0).any()))
    ]
    # A table must get a gradient. Other parameters may belong to a branch that a setting switches off.
    severity: Severity = "error" if set(missed) & set(tables) else "advice"
    still = Finding("frozen-table", "error", len(frozen), 0.0, {"names": ", ".join(frozen)}, causes=("frozen-table",))
    cut = Finding("no-gradient", severity, len(missed), 0.0, {"names": ", ".join(missed[:5])}, causes=("dead-path",))
    return [judge("gradients", still, not frozen), judge("gradients", cut, not missed)]


def ownership(experiment: Experiment) -> list[Verdict]:
    """6: the optimiser holds the model's own parameters."""
    held = {id(parameter) for group in experiment.trainer.optimizer.param_groups for parameter in group["params"]}
    named = experiment.model.named_parameters()
    left = [name for name, parameter in named if parameter.requires_grad and id(parameter) not in held]
    finding = Finding(
        "optimiser-misses-parameters",
        "error",
        len(left),
        0.0,
        {"names": ", ".join(left[:5])},
        causes=("optimiser-misses-parameters",),
    )
    return [judge("gradients", finding, not left)]


def optimiser_readings(experiment: Experiment) -> list[Verdict]:
    """6: the gradient's entries are not below eps, and decay does not outweigh the gradient on most rows."""
    watcher = Watcher(experiment.model, 1)
    watcher.start_epoch()
    watcher.after_backward(experiment.model, experiment.trainer.optimizer)
    record, settings, verdicts = watcher.end_epoch(), experiment.settings, []
    for key, id_, limit, sign in (
        ("below_eps", EPS_SWALLOWS.id, EPS_SWALLOWS.threshold, EPS_SWALLOWS),
        ("decay_share", "coupled-decay", OUTWEIGHED, coupled_decay),
    ):
        if key in record:
            verdicts.append(Verdict("gradients", id_, float(record[key]), limit, sign([record], settings)))
    return verdicts


def overfits(experiment: Experiment, batch: Any, steps: int = STEPS) -> list[Verdict]:
    """6: with a fresh optimiser the model overfits one batch: its loss falls, and so does the loss of its scores."""
    model = experiment.model
    kind = ranking_kind(model, batch)
    if kind is None:
        return [not_examined("gradients", "cannot-overfit", "another-loss")]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = _score_loss(model, batch, kind)
    optimizer = torch.optim.Adam(trained, lr=RATE)
    model.train()
    value, start = math.inf, None
    for _ in range(steps):
        optimizer.zero_grad()
        losses = parts(model, batch)
        value = float(losses[0].detach())
        start = value if start is None else start
        if value < OVERFITTED or not math.isfinite(value) or not losses[0].requires_grad:
            break
        losses[0].backward()
        optimizer.step()
    after = _score_loss(model, batch, kind)
    verdicts = []
    if before is not None and after is not None and start is not None:
        upside = Finding("loss-upside-down", "error", after, before, causes=("loss-upside-down",))
        verdicts.append(judge("gradients", upside, not (value < start and after > before + UPSIDE_DOWN)))
    stuck = Finding("cannot-overfit", "error", value, OVERFITTED, {"steps": steps}, causes=("cannot-overfit",))
    return [*verdicts, judge("gradients", stuck, value < OVERFITTED)]


def _score_loss(model: nn.Module, batch: Any, kind: str) -> float | None:
    model.eval()
    with torch.no_grad():
        value = loss_of_scores(model, batch, kind)
    model.train()
    return value


def _tables(experiment: Experiment) -> list[str]:
    return [name for tables in embedding_tables(experiment.model).values() for name in tables]
