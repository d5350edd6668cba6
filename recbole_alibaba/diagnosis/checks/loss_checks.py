"""Is the loss right? ln 2 for a fresh model, the value known for given scores, and the gradient that fits it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from recbole.model.loss import BPRLoss
from torch import Tensor, nn

from recbole_alibaba.diagnosis.causes.evidence import HUGE_NORM, STRONGEST_REG, explained, regularisation
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.monitor.score_readings import bpr, cross_entropy, ranking_kind

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

LN2 = math.log(2)
FRESH = 0.1  # above ln 2; below it there is more room, since propagation alone may lower the loss
SAME = 0.01  # share of the loss
SLOPE = 0.05  # share of the slope
HAND_MADE = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 3.0])  # positives, negatives
BY_HAND = 0.8132617  # (ln(1 + 1/e) + ln(1 + e)) / 2


class Precision(NamedTuple):
    """The smallest change of the loss that rounding does not hide, and the shares of a full step to try.

    A short step meets fewer kinks (ReLU), and a long step makes rounding count less. The best one is used.
    """

    resolution: float
    steps: tuple[float, ...]


SINGLE, DOUBLE = Precision(2e-5, (1, 1 / 8, 1 / 64)), Precision(1e-9, (1e-1, 1e-3, 1e-5))


def loss(experiment: Experiment, batch: Any) -> list[Verdict]:
    """5: the fresh model's loss, the loss of given scores, the loss of predict's scores, and the gradient."""
    model = experiment.model
    model.eval()  # dropout would change what is compared
    kind = ranking_kind(model, batch)
    if kind is None:
        return [not_examined("loss", "loss-differs", "another-loss"), *gradient(experiment, batch)]
    with torch.no_grad():
        first = float(parts(model, batch)[0])
        expected = loss_of_scores(model, batch, kind)
    verdicts = []
    function = bpr_function(model) if kind == "bpr" else None
    if function is not None:
        by_hand = float(function(*HAND_MADE))
        wrong = Finding("loss-on-hand-made-scores", "error", by_hand, BY_HAND, causes=("loss-differs",))
        verdicts.append(judge("loss", wrong, abs(by_hand - BY_HAND) < 1e-4))
    known = expected if expected is not None and _adds_regularisation(experiment, first, expected) else first
    fresh = Finding(
        "fresh-loss", "warning", known, LN2, **explained(_why_not_ln2(experiment, first, expected), experiment.settings)
    )
    verdicts.append(judge("loss", fresh, LN2 / 2 <= known <= LN2 + FRESH))
    if expected is None:
        verdicts.append(not_examined("loss", "loss-differs", "no-predict"))
    else:
        differs = Finding("loss-differs", "error", first, expected, causes=("loss-differs",))
        verdicts.append(judge("loss", differs, _same(experiment, first, expected)))
    return [*verdicts, *gradient(experiment, batch)]


def _why_not_ln2(experiment: Experiment, first: float, expected: float | None) -> tuple[str, ...]:
    norms = [float(p.detach().float().norm(dim=1).mean()) for p in experiment.model.parameters() if p.dim() == 2]
    if norms and max(norms) > HUGE_NORM:
        return ("init-too-large",)
    if expected is not None and not _same(experiment, first, expected):
        strong = len(parts_names(experiment.model)) == 1 and regularisation(experiment.settings) > STRONGEST_REG
        return ("strong-regularisation", "loss-differs") if strong else ("loss-differs",)
    return ("init-too-large",)


def _same(experiment: Experiment, first: float, expected: float) -> bool:
    room = SAME * max(expected, 1.0)
    return abs(first - expected) <= room or (first > expected and _hides_regularisation(experiment))


def _hides_regularisation(experiment: Experiment) -> bool:
    """Whether the model returns one number that includes its regularisation."""
    return len(parts_names(experiment.model)) == 1 and regularisation(experiment.settings) > 0


def _adds_regularisation(experiment: Experiment, first: float, expected: float) -> bool:
    """Whether the loss is the scores' loss plus a smaller regularisation term (a larger one is a finding)."""
    return _hides_regularisation(experiment) and expected < first < 2 * expected


def parts_names(model: Any) -> tuple[str, ...]:
    """Names of the loss parts; RecBole's own models have one part."""
    return tuple(getattr(model, "loss_parts", ("loss",)))


def parts(model: Any, batch: Any) -> tuple[Tensor, ...]:
    """The loss parts on ``batch``, each a scalar."""
    result = model.calculate_loss(batch)
    return tuple(part.sum() for part in result) if isinstance(result, tuple) else (result.sum(),)


def bpr_function(model: Any) -> Callable[[Tensor, Tensor], Tensor] | None:
    """The function or module that computes the BPR loss from scores, or None if it is not known."""
    module = next((module for module in model.modules() if isinstance(module, BPRLoss)), None)
    if module is not None:
        return module
    if "loss_parts" in dir(model):
        of_margins = getattr(sys.modules[type(model).__module__], "bpr", None)
        return of_margins and (lambda positive, negative: of_margins(positive - negative))
    return None


def loss_of_scores(model: Any, batch: Any, kind: str) -> float | None:
    """The loss of ``predict``'s scores, computed here; None if the model cannot predict."""
    try:
        scores = model.predict(batch).double()
        if kind == "bce":
            return float(cross_entropy(scores, batch[model.LABEL].double()))
        other = batch[:]
        other.interaction = {**batch.interaction, model.ITEM_ID: batch[model.NEG_ITEM_ID]}
        return float(bpr(scores, model.predict(other).double()))
    except NotImplementedError:
        return None


def gradient(experiment: Experiment, batch: Any) -> list[Verdict]:
    """5: along the gradient, finite differences show the slope that autograd gives."""
    model = experiment.model
    model.eval()
    with torch.no_grad():
        values = [torch.stack(parts(model, batch)).sum() for _ in range(2)]
    if not torch.equal(*values):
        return [not_examined("loss", "gradient-differs", "random-loss")]
    try:
        worst = _in_double(model, batch)
    except RuntimeError:  # a sparse matrix that is no parameter stays in single precision
        worst = _worst_slope(model, batch, SINGLE)
    if worst is None:
        return [judge("loss", Finding("gradient-differs", "error", 0.0, SLOPE, causes=("dead-path",)), False)]
    wrong = Finding("gradient-differs", "error", worst, SLOPE, causes=("gradient-differs",))
    return [judge("loss", wrong, worst <= SLOPE)]


def _in_double(model: nn.Module, batch: Any) -> float | None:
    wide = batch[:]
    wide.interaction = {
        key: value.double() if value.is_floating_point() else value for key, value in batch.interaction.items()
    }
    model.double()
    try:
        return _worst_slope(model, wide, DOUBLE)
    finally:
        model.float()
        model.zero_grad(set_to_none=True)


def _worst_slope(model: nn.Module, batch: Any, precision: Precision) -> float | None:
    """The largest error over the parameters; None if the loss depends on none of them."""
    model.zero_grad(set_to_none=True)
    total = torch.stack(parts(model, batch)).sum()
    if not total.requires_grad:
        return None
    total.backward()
    value, worst = max(abs(float(total.detach())), 1.0), 0.0
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None and not parameter.grad.is_sparse and parameter.dim() > 1:
                worst = max(worst, _slope_error(model, batch, parameter, parameter.grad, value, precision))
    model.zero_grad(set_to_none=True)
    return worst


def _slope_error(
    model: nn.Module, batch: Any, parameter: nn.Parameter, gradient: Tensor, value: float, precision: Precision
) -> float:
    """Relative error of the slope along one parameter's gradient; 0 if rounding hides the step."""
    slope = float(gradient.double().norm())
    step = min(2e-3 * value / max(slope, 1e-30), 0.1 * float(parameter.double().norm()))
    if not math.isfinite(slope) or step * slope < precision.resolution * value:
        return 0.0
    direction, start = gradient / slope, parameter.clone()
    errors = []
    for size in (step * shorter for shorter in precision.steps):
        values = []
        for sign in (1, -1):
            parameter.copy_(start + sign * size * direction)
            values.append(float(torch.stack(parts(model, batch)).double().sum()))
        errors.append(abs((values[0] - values[1]) / (2 * size) - slope) / slope)
    parameter.copy_(start)
    return min(errors)
