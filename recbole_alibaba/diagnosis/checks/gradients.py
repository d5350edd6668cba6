"""Do gradients reach every parameter, at a size the optimiser can use, and can the model learn one batch by heart."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from recbole_alibaba.diagnosis.causes import SWALLOWED, explained, max_norm
from recbole_alibaba.diagnosis.checks.loss import loss_of_scores, parts
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.scores import ranking_kind
from recbole_alibaba.diagnosis.signs import gradients as signs
from recbole_alibaba.diagnosis.subject import Subject, severity_for
from recbole_alibaba.diagnosis.tables import embedding_tables
from recbole_alibaba.diagnosis.watcher import Watcher

BY_HEART, STEPS, RATE = 0.1, 300, 0.05
FAR_BELOW = 0.1


def gradients(subject: Subject, batch: Any) -> list[Verdict]:
    """6: every parameter gets a gradient and is the optimiser's; eps, decay and clipping against its size."""
    model = subject.model
    model.train()
    model.zero_grad(set_to_none=True)
    total = torch.stack(parts(model, batch)).sum()
    if total.requires_grad:
        total.backward()
    verdicts = [*reach(subject), *ownership(subject)]
    norms = [p.grad.double().norm() for p in model.parameters() if p.grad is not None]
    norm = float(torch.stack(norms).norm()) if norms else 0.0
    limit = max_norm(subject.settings)
    if math.isfinite(limit):
        tight = Finding(
            "clip-too-tight",
            "warning" if limit < FAR_BELOW * norm else "advice",
            norm,
            limit,
            **explained(("clip-too-tight",), subject.settings),
        )
        verdicts.append(judge("gradients", tight, limit >= norm))
        if norm > limit:
            torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
    verdicts += weighed(subject)
    model.zero_grad(set_to_none=True)
    return verdicts


def reach(subject: Subject) -> list[Verdict]:
    """6: which parameters a backward pass reaches."""
    named = dict(subject.model.named_parameters())
    frozen = [name for name in _tables(subject) if not named[name].requires_grad]
    missed = [
        name
        for name, parameter in named.items()
        if parameter.requires_grad and (parameter.grad is None or not bool((parameter.grad != 0).any()))
    ]
    # Other parameters may rest by design (a branch that a setting switches off); a table may not.
    severity = severity_for(subject.model) if set(missed) & set(_tables(subject)) else "advice"
    return [
        judge(
            "gradients",
            Finding("frozen-table", "error", len(frozen), 0.0, {"names": ", ".join(frozen)}, causes=("frozen-table",)),
            not frozen,
        ),
        judge(
            "gradients",
            Finding(
                "no-gradient",
                severity,
                len(missed),
                0.0,
                {"names": ", ".join(missed[:5])},
                causes=("dead-path",),
            ),
            not missed,
        ),
    ]


def ownership(subject: Subject) -> list[Verdict]:
    """6: the optimiser holds the model's own parameters."""
    optimizer = getattr(subject.trainer, "optimizer", None)
    if optimizer is None:
        return []
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    named = subject.model.named_parameters()
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


def weighed(subject: Subject) -> list[Verdict]:
    """6: gradient entries against eps, rows of gradient against rows of decay."""
    optimizer = getattr(subject.trainer, "optimizer", None) or optimizer_of(subject)
    watcher = Watcher(subject.model, 1)
    watcher.start_epoch()
    watcher.after_backward(subject.model, optimizer)
    read = watcher.end_epoch()
    record = {key: value for key, value in read.items() if key != "unmoved"}
    verdicts = []
    for id_, key, limit, sign in (
        ("eps-swallows-gradient", "below_eps", SWALLOWED, signs.eps_swallows),
        ("coupled-decay", "decay_share", signs.OUTWEIGHED, signs.coupled_decay),
    ):
        if key in record:
            found = sign([record], subject.settings)
            verdicts.append(Verdict("gradients", id_, float(record[key]), limit, found))
    return verdicts


def optimizer_of(subject: Subject) -> torch.optim.Optimizer:
    """The optimiser that the settings ask for, where no trainer has built one."""
    settings = subject.settings
    kinds: dict[str, Any] = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    kinds |= {"adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop}
    kind = kinds.get(str(settings.get("learner") or "adam").lower(), torch.optim.Adam)
    decay = float(settings.get("weight_decay") or 0.0)
    return kind(subject.model.parameters(), lr=float(settings.get("learning_rate") or 1e-3), weight_decay=decay)


def overfits(subject: Subject, batch: Any, steps: int = STEPS) -> list[Verdict]:
    """6: with an optimiser of its own the model learns one batch by heart, by the loss and by predict's scores."""
    model = subject.model
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
        if value < BY_HEART or not math.isfinite(value) or not losses[0].requires_grad:
            break
        losses[0].backward()
        optimizer.step()
    after = _score_loss(model, batch, kind)
    verdicts = []
    if before is not None and after is not None and start is not None:
        upside = Finding("loss-upside-down", "error", after, before, causes=("loss-upside-down",))
        verdicts.append(judge("gradients", upside, not (value < start and after > before + 0.05)))
    stuck = Finding(
        "cannot-overfit", severity_for(model), value, BY_HEART, {"steps": steps}, causes=("cannot-overfit",)
    )
    return [*verdicts, judge("gradients", stuck, value < BY_HEART)]


def _score_loss(model: nn.Module, batch: Any, kind: str) -> float | None:
    model.eval()
    with torch.no_grad():
        value = loss_of_scores(model, batch, kind)
    model.train()
    return value


def _tables(subject: Subject) -> list[str]:
    return [name for tables in embedding_tables(subject.model).values() for name in tables]
