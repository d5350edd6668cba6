"""Full-sort evaluation in tiles, put into any RecBole trainer; `fast_eval: False` keeps RecBole's own."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from recbole.evaluator.collector import DataStruct
from recbole.trainer import Trainer
from recbole.utils import EvaluatorType
from torch import Tensor, nn

from .lists import Lists
from .ranking import rank_by_scores, top_k

TESTED_USERS = 3


@dataclass(frozen=True)
class RankingTask:
    """What a full-sort evaluation asks: which users, what they must find, and what is hidden from their lists."""

    users: Interaction
    positives: Lists
    hidden: Lists
    n_items: int

    @classmethod
    def of(cls, loader: FullSortEvalDataLoader) -> RankingTask:
        """From RecBole's loader, which holds a tensor of items for each user."""
        ids = loader.uid_list.numpy()
        lists = []
        for per_user in (loader.uid2positive_item[ids], loader.uid2history_item[ids]):
            rows = np.repeat(np.arange(len(ids)), [len(one) for one in per_user])
            lists.append(Lists.of_pairs(rows, torch.cat(list(per_user)).numpy(), len(ids), loader._dataset.item_num))
        return cls(loader.user_df, lists[0], lists[1], loader._dataset.item_num)


def install_fast_evaluation(trainer: Trainer) -> bool:
    """Let this trainer rank in tiles; returns whether it will. Call it before `fit`.

    Left as they are: `fast_eval: False`, a trainer with an `evaluate` of its own, several processes. An evaluation
    that is not a full sort over a general model's users goes RecBole's way when it comes.
    """
    fast = (
        trainer.config["fast_eval"] is not False
        and type(trainer).evaluate is Trainer.evaluate
        and bool(trainer.config["single_spec"])
    )
    if fast:
        trainer.evaluate = partial(_evaluate, trainer)
    return fast


@torch.no_grad()
def _evaluate(
    trainer: Trainer,
    eval_data: Any,
    load_best_model: bool = True,
    model_file: str | None = None,
    show_progress: bool = False,
) -> dict[str, float] | None:
    """`Trainer.evaluate` with the same arguments and the same result."""
    if not eval_data:
        return None
    if not (task := _task(trainer, eval_data)):
        return Trainer.evaluate(trainer, eval_data, load_best_model, model_file, show_progress)
    if load_best_model:
        _load(trainer, model_file or trainer.saved_model_file)
    trainer.model.eval()
    struct = DataStruct()
    for name, value in trainer.eval_collector.data_struct._data_dict.items():
        struct.set(name, value)
    needs = trainer.eval_collector.register.need
    best, ranks = rank(trainer.model, task, max(trainer.config["topk"]), mean_rank=needs("rec.meanrank"))
    hits = torch.from_numpy(task.positives.contains(best.numpy(), task.n_items).astype(np.int32))
    lengths = torch.from_numpy(task.positives.lengths.astype(np.int32))
    struct.set("rec.items", best)
    struct.set("rec.topk", torch.cat((hits, lengths[:, None]), 1))
    if ranks is not None:
        struct.set("rec.meanrank", ranks)
    result = trainer.evaluator.evaluate(struct)
    trainer.wandblogger.log_eval_metrics(result, head="eval")
    return result


def _task(trainer: Trainer, eval_data: Any) -> RankingTask | None:
    if isinstance(task := getattr(eval_data, "task", None), RankingTask):
        return task
    full = isinstance(eval_data, FullSortEvalDataLoader) and not eval_data.is_sequential
    own = getattr(type(trainer.model), "full_sort_predict", None)
    scores_all = own is not None and own.__module__ != "recbole.model.abstract_recommender"
    if not (full and scores_all and trainer.config["eval_type"] == EvaluatorType.RANKING):
        return None
    # The loader never changes: take its lists apart once.
    eval_data.task = RankingTask.of(eval_data)
    return eval_data.task


def _load(trainer: Trainer, file: str) -> None:
    checkpoint = torch.load(file, map_location=trainer.device, weights_only=False)
    trainer.model.load_state_dict(checkpoint["state_dict"])
    trainer.model.load_other_parameter(checkpoint.get("other_parameter"))
    trainer.logger.info(f"Loading model structure and parameters from {file}")


def rank(model: Any, task: RankingTask, k: int, *, mean_rank: bool = False) -> tuple[Tensor, Tensor | None]:
    """The best k items of the task's users by the model, int64 (n, k), and their mean ranks; see ranking.py.

    By vectors where the model has them and no mean rank is asked for, else by blocks of `full_sort_predict`.
    """
    users = task.users.to(model.device)

    def score(block: slice) -> Tensor:
        return model.full_sort_predict(users[block]).view(-1, task.n_items)

    if not mean_rank and (vectors := user_item_vectors(model, users, task.n_items)):
        ids = users[model.USER_ID]
        return top_k(vectors[0][ids], vectors[1], task.hidden, k), None
    return rank_by_scores(score, task.hidden, task.positives, k, task.n_items, mean_rank=mean_rank)


def user_item_vectors(model: Any, users: Interaction, n_items: int) -> tuple[Tensor, Tensor] | None:
    """Tables of users and items whose dot products are the model's scores, if the model has a pair of them.

    Names are only a hint: a pair counts when it gives the scores that `full_sort_predict` gives the first users.
    """
    some = users[slice(0, TESTED_USERS)]
    expected = model.full_sort_predict(some).view(-1, n_items)
    for user, item in _candidates(model):
        tables = all(isinstance(table, Tensor) and table.dim() == 2 for table in (user, item))
        if not tables or len(item) != n_items or user.shape[1] != item.shape[1]:
            continue
        if torch.allclose(user[some[model.USER_ID]] @ item.T, expected, rtol=1e-4, atol=1e-6):
            return user, item
    return None


def _candidates(model: Any) -> list[tuple[Any, Any]]:
    pairs = [(getattr(model, "restore_user_e", None), getattr(model, "restore_item_e", None))]
    if not inspect.signature(model.forward).parameters and type(model).forward is not nn.Module.forward:
        tables = model.forward()
        if isinstance(tables, tuple) and len(tables) > 1:
            pairs.append(tables[:2])
    user, item = (getattr(getattr(model, f"{side}_embedding", None), "weight", None) for side in ("user", "item"))
    return [*pairs, (user, item)]
