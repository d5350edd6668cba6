"""How does a model stand against popularity: after a run, and after the doctor's short training?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from recbole_alibaba.diagnosis.checks.model_access import is_trained
from recbole_alibaba.diagnosis.findings import Finding, Verdict, is_ill
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, valid_scores
from recbole_alibaba.diagnosis.signs.popularity_sign import Standing, popularity_wins, still_rising
from recbole_alibaba.evaluation.popularity import item_counts, popularity_result
from recbole_alibaba.settings.ranking_metrics import valid_length

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

LIST = 10  # length of the list for a metric that has none
SETTLED = 3  # evaluations without a better one; a short training that still improves says nothing


def standing(
    experiment: Experiment, part: str, ours: Mapping[str, float], theirs: Mapping[str, float], counts: Tensor
) -> Standing | None:
    """The model's metrics on `part` beside those of popularity; None where `valid_metric` is not among them."""
    settings, trainer = experiment.settings, experiment.trainer
    metric = str(settings["valid_metric"]).lower()
    if metric not in ours or metric not in theirs:
        return None
    users = np.asarray(experiment.train_data._dataset.inter_feat[settings["USER_ID_FIELD"]])
    head = counts.topk(min(valid_length(settings) or LIST, len(counts))).values.sum() / max(float(counts.sum()), 1.0)
    epochs = len(getattr(trainer, "history", [])) or int(trainer.epochs)
    step = int(trainer.eval_step)
    return Standing(
        metric=metric,
        part=part,
        model=float(ours[metric]),
        popularity=float(theirs[metric]),
        head=float(head),
        pairs=int(counts.sum()),
        users=len(np.unique(users)),
        trained=is_trained(experiment.model),
        rising=still_rising(trainer.cur_step * step, trainer.stopping_step * step, epochs, trainer.best_valid_score),
        bigger=bool(settings["valid_metric_bigger"]),
    )


def after_short_training(
    experiment: Experiment, history: History, settings: Settings, findings: list[Finding]
) -> list[Verdict]:
    """4: the best validation of the short training beside popularity's.

    Popularity beats most models that have been trained for a few epochs. It is a finding only where the loss has
    fallen, the metric no longer improves, and none of `findings` says already what is wrong.
    """
    scores = valid_scores(history, settings)
    data = experiment.valid_data
    counts = item_counts(experiment.config, experiment.train_data)
    theirs = popularity_result(experiment, data, counts) if scores else None
    if theirs is None:
        return []
    best = max(scores) if settings["valid_metric_bigger"] else min(scores)
    stood = standing(experiment, "valid", {str(settings["valid_metric"]).lower(): best}, theirs, counts)
    if stood is None:
        return []
    settled = best in scores[:-SETTLED] and has_learned(history) and not is_ill(findings)
    found: Finding | None = popularity_wins(stood, history, settings) if settled else None
    found = replace(found, wording="short") if found else None
    return [Verdict("evaluation", "popularity-wins", stood.model, stood.popularity, found)]


def beside_popularity(experiment: Experiment, eval_data: Any) -> tuple[dict[str, float], Tensor] | None:
    """Popularity's metrics on `eval_data` and its counts; None for the model Pop and where nothing is to compare."""
    if experiment.config["model"] == "Pop":
        return None
    counts = item_counts(experiment.config, experiment.train_data)
    result = popularity_result(experiment, eval_data, counts)
    return None if result is None else (result, counts)
