"""Which settings cannot stand together? Known before the data are loaded."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from recbole_alibaba.host.errors import BadSettingError, nearest
from recbole_alibaba.settings.ranking_metrics import list_lengths
from recbole_alibaba.settings.values import TYPED, written

ONE_NEGATIVE = {"distribution": "uniform", "sample_num": 1}


@dataclass(frozen=True)
class Host:
    """What RecBole knows about a model, and its metrics.

    Attributes:
        model: name of the model.
        sequential: whether it is one of RecBole's sequential models.
        pairwise: whether it learns from pairs of a positive and a negative; None where `loss_type` decides.
        ranking: the right spelling of each metric of ranked lists, by its name in lower case.
        values: the same for metrics of single scores.
    """

    model: str
    sequential: bool
    pairwise: bool | None
    ranking: Mapping[str, str]
    values: Mapping[str, str]


def check_combination(settings: Mapping[str, Any], host: Host) -> None:
    """Refuse merged settings that contradict each other or the model.

    Raises:
        BadSettingError: the first contradiction, with a setting that ends it.
    """
    _metrics(settings, host)
    _valid_metric(settings, host)
    _negatives(settings, host)
    if (clip := settings.get("clip_grad_norm")) is not None and "max_norm" not in clip:
        raise BadSettingError(
            f"clip_grad_norm is {clip}, and needs max_norm. {_write('clip_grad_norm', {'max_norm': 1.0})}"
        )
    split = settings["eval_args"].get("split", {})
    if len(split) != 1:
        raise BadSettingError(
            f"split in eval_args names {' and '.join(split) or 'no way to split'}, and must name one of RS, TS and LS. "
            f"{_write('eval_args', {'split': {'RS': [0.8, 0.1, 0.1]}})}"
        )
    if host.sequential and not settings.get("repeatable"):
        raise BadSettingError(
            f"{host.model} is a sequential model, and RecBole trains these with repeatable: True only. "
            f"{_write('repeatable', True)}"
        )
    if settings.get("log_wandb") and "wandb" not in sys.modules and find_spec("wandb") is None:
        raise BadSettingError(
            "log_wandb is True, and Weights & Biases is not installed. Install it with `pip install wandb`, or "
            f"{_write('log_wandb', False, 'write')}"
        )


def _write(key: str, value: Any, verb: str = "Write") -> str:
    return f"{verb} {written((key,), value, TYPED)}."


def _metrics(settings: Mapping[str, Any], host: Host) -> None:
    asked = settings["metrics"]
    asked = [asked] if isinstance(asked, str) else list(asked)
    known = {**host.ranking, **host.values}
    for name in asked:
        if name.lower() not in known:
            raise BadSettingError(
                f"metrics names '{name}', and RecBole has no such metric.{nearest(name, known.values())} "
                f"It has {', '.join(sorted(known.values()))}."
            )
    lists, scores = ([name for name in asked if name.lower() in kind] for kind in (host.ranking, host.values))
    if lists and scores:
        raise BadSettingError(
            f"metrics has {', '.join(lists)} for ranked lists and {', '.join(scores)} for single scores, and RecBole "
            f"computes only one of the two kinds in a run. {_write('metrics', lists)}"
        )
    mode = settings["eval_args"].get("mode", "full")
    modes = set(mode.values()) if isinstance(mode, Mapping) else {mode}
    if scores and "full" in modes:
        raise BadSettingError(
            f"{', '.join(scores)} in metrics needs candidates with labels, and the mode in eval_args is full, which "
            f"ranks all items. {_write('eval_args', {'mode': 'uni100'})}"
        )


def _valid_metric(settings: Mapping[str, Any], host: Host) -> None:
    metric = str(settings["valid_metric"])
    name, at, _ = metric.partition("@")
    known = {**host.ranking, **host.values}
    if name.lower() not in known:
        raise BadSettingError(
            f"valid_metric is '{metric}', and RecBole has no metric '{name}'.{nearest(name, known.values())} "
            f"It has {', '.join(sorted(known.values()))}."
        )
    if name.lower() in host.ranking and not at:
        raise BadSettingError(
            f"valid_metric is '{metric}', and a metric of ranked lists needs a length of topk after @. "
            f"{_write('valid_metric', f'{name}@{max(list_lengths(settings), default=10)}')}"
        )
    if name.lower() in host.values and at:
        raise BadSettingError(
            f"valid_metric is '{metric}', and {name} has no list length. {_write('valid_metric', name)}"
        )


def _negatives(settings: Mapping[str, Any], host: Host) -> None:
    negatives = settings.get("train_neg_sample_args")
    drawn = isinstance(negatives, Mapping) and negatives.get("distribution", "uniform") is not None
    loss = settings.get("loss_type")
    if host.sequential and host.pairwise is None and loss == "CE" and negatives is not None:
        raise BadSettingError(
            f"{host.model} with loss_type: CE compares each item with all others and draws no negatives, but "
            f"train_neg_sample_args is set; RecBole's default is one negative. {_write('train_neg_sample_args', None)}"
        )
    # SINE declares pairs, and with CE it draws none.
    pairwise = loss == "BPR" if host.pairwise is None else host.pairwise and loss != "CE"
    if pairwise and not drawn:
        raise BadSettingError(
            f"{host.model} learns from pairs of a positive and a negative item, and train_neg_sample_args turns the "
            f"negatives off. {_write('train_neg_sample_args', ONE_NEGATIVE)}"
        )
    if drawn and isinstance(negatives, Mapping) and negatives.get("dynamic") and not negatives.get("candidate_num"):
        raise BadSettingError(
            "train_neg_sample_args has dynamic: True, which takes the hardest of candidate_num negatives, and "
            f"candidate_num is 0. {_write('train_neg_sample_args', {'candidate_num': 5})}"
        )
