"""Full-sort evaluation for any RecBole trainer, without one large table of scores; `fast_eval: False` turns it off."""

from __future__ import annotations

import inspect
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

from recbole_alibaba.data.ranking_loader import RankingTask
from recbole_alibaba.evaluation.top_k import rank_by_scores, top_k
from recbole_alibaba.host.checkpoints import refuse_foreign
from recbole_alibaba.processes import group

TESTED_USERS = 3


def install_fast_evaluation(trainer: Trainer) -> bool:
    """Replace the trainer's `evaluate` by the fast one. Call it before `fit`.

    A trainer keeps its own `evaluate` with `fast_eval: False`, in a run of several processes, or where its class
    overrides it. An evaluation that is not a full sort of a general model is left to RecBole each time, and so is a
    model that draws random numbers to score (MacridVAE, KTUP): they depend on how many users a block has.

    Returns:
        Whether `evaluate` was replaced.
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
        if group.rank() == 0:
            refuse_foreign(model_file or trainer.saved_model_file, trainer.config, trainer.model)
            load_weights(trainer, model_file or trainer.saved_model_file)
        group.as_the_first(trainer.model)
    trainer.model.eval()
    if draws(trainer.model, task):
        return Trainer.evaluate(trainer, eval_data, load_best_model=False, show_progress=show_progress)
    struct = DataStruct()
    for name, value in trainer.eval_collector.data_struct._data_dict.items():
        struct.set(name, value)
    needs = trainer.eval_collector.register.need
    best, ranks = _ranked_together(trainer.model, task, max(trainer.config["topk"]), needs("rec.meanrank"))
    hits = torch.from_numpy(task.positives.contains(best.numpy(), task.n_items).astype(np.int32))
    lengths = torch.from_numpy(task.positives.lengths.astype(np.int32))
    struct.set("rec.items", best)
    struct.set("rec.topk", torch.cat((hits, lengths[:, None]), 1))
    if ranks is not None:
        struct.set("rec.meanrank", ranks)
    result = trainer.evaluator.evaluate(struct)
    trainer.wandblogger.log_eval_metrics(result, head="eval")
    return result


def _ranked_together(model: Any, task: RankingTask, k: int, mean_rank: bool) -> tuple[Tensor, Tensor | None]:
    """`rank`, each process a share of the users; all get the lists of all."""
    if group.size() == 1 or len(task) < group.size():
        return rank(model, task, k, mean_rank=mean_rank)
    best, ranks = rank(model, task[group.share(len(task))], k, mean_rank=mean_rank)
    return group.gathered(best), None if ranks is None else group.gathered(ranks)


def _task(trainer: Trainer, eval_data: Any) -> RankingTask | None:
    if isinstance(task := getattr(eval_data, "task", None), RankingTask):
        return task
    full = isinstance(eval_data, FullSortEvalDataLoader) and not eval_data.is_sequential
    own = getattr(type(trainer.model), "full_sort_predict", None)
    scores_all = own is not None and own.__module__ != "recbole.model.abstract_recommender"
    if not (full and scores_all and trainer.config["eval_type"] == EvaluatorType.RANKING):
        return None
    # Kept with the loader, whose lists never change.
    eval_data.task = RankingTask.from_loader(eval_data)
    return eval_data.task


def load_weights(trainer: Trainer, file: str) -> None:
    """Put the weights of a checkpoint into the trainer's model. It is unpickled: only for files of this program."""
    checkpoint = torch.load(file, map_location=trainer.device, weights_only=False)
    trainer.model.load_state_dict(checkpoint["state_dict"])
    trainer.model.load_other_parameter(checkpoint.get("other_parameter"))
    trainer.logger.info(f"Loading model structure and parameters from {file}")


def draws(model: Any, task: RankingTask) -> bool:
    """Whether the model draws random numbers to score; the random state stays as it is."""
    device = torch.device(model.device)
    generator = torch.cuda.default_generators[device.index or 0] if device.type == "cuda" else torch.default_generator
    before = generator.get_state()
    model.full_sort_predict(task.users[slice(0, TESTED_USERS)].to(device))
    drew = not torch.equal(before, generator.get_state())
    generator.set_state(before)
    return drew


def rank(model: Any, task: RankingTask, k: int, *, mean_rank: bool = False) -> tuple[Tensor, Tensor | None]:
    """The best k items of the task's users by the model, int64 (n, k), and with `mean_rank` their ranks (top_k.py).

    Ranks by dot products where the model has vectors and no mean rank is asked for, else by blocks of
    `full_sort_predict`.
    """
    users = task.users.to(model.device)

    def score(block: slice) -> Tensor:
        return model.full_sort_predict(users[block]).view(-1, task.n_items)

    if not mean_rank and (vectors := user_item_vectors(model, users, task.n_items)):
        ids = users[model.USER_ID]
        return top_k(vectors[0][ids], vectors[1], task.hidden, k)[0], None
    return rank_by_scores(score, task.hidden, task.positives, k, task.n_items, mean_rank=mean_rank)


def user_item_vectors(model: Any, users: Interaction, n_items: int) -> tuple[Tensor, Tensor] | None:
    """A table of users and one of items whose dot products are the model's scores; None if the model has none.

    A pair of tables is accepted only if it gives the first users the scores that `full_sort_predict` gives them.
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
    """Pairs that may be such tables, by their usual names and as the result of `forward()`."""
    if hasattr(model, "score_vectors"):
        return [model.score_vectors()]
    pairs = [(getattr(model, "restore_user_e", None), getattr(model, "restore_item_e", None))]
    if not inspect.signature(model.forward).parameters and type(model).forward is not nn.Module.forward:
        tables = model.forward()
        if isinstance(tables, tuple) and len(tables) > 1:
            pairs.append(tables[:2])
    user, item = (getattr(getattr(model, f"{side}_embedding", None), "weight", None) for side in ("user", "item"))
    return [*pairs, (user, item)]
