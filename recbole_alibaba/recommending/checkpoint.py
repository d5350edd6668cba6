"""A model from RecBole's pickled checkpoint. Unpickling can run any code: call it for trusted files only."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recbole_alibaba.host.activation import activate
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.model import SavedModel
from recbole_alibaba.recommending.ranking import ScoreRanker, VectorRanker
from recbole_alibaba.saved.read_run import SavedRun
from recbole_alibaba.saved.run_folder import RANKING_KINDS


def load_checkpoint(path: Path) -> SavedModel:
    """The model of the checkpoint, on the data set that its settings name.

    Raises:
        SavedRunError: the file is no checkpoint of RecBole, or its model does not rank items for users.
    """
    activate()
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=False)
        config, weights = checkpoint["config"], checkpoint["state_dict"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, TypeError, AttributeError) as error:
        raise SavedRunError(f"{path}: no checkpoint of RecBole ({type(error).__name__}: {error}).") from error
    from recbole_alibaba.experiment import prepare
    from recbole_alibaba.saved.run_record import kind_of

    if (kind := kind_of(config)) not in RANKING_KINDS:
        raise SavedRunError(
            f"{path}: {config['model']} is a {kind} model. Only RecBole's general models, which rank items by the user "
            "alone, can be recommended from."
        )
    if not torch.cuda.is_available():
        config["device"] = torch.device("cpu")
    made = prepare(config)
    made.model.load_state_dict(weights)
    model: Any = made.model
    model.load_other_parameter(checkpoint.get("other_parameter"))
    return model_of(made, {"model": config["model"], "dataset": config["dataset"], "checkpoint": str(path)})


def model_of(made: Any, record: dict[str, Any]) -> SavedModel:
    """The model of an `Experiment` as it is now; `record` stands for `run.json`."""
    from recbole_alibaba.saved.vector_tables import vector_tables

    made.model.eval()
    tables = vector_tables(made.model, made.dataset, made.config["MODEL_TYPE"]) or {}
    ranker = VectorRanker(tables["user"], tables["item"]) if tables else _score_ranker(made)
    return SavedModel(_run_of(made, record, tables), ranker)


def data_of(made: Any, record: dict[str, Any]) -> SavedModel:
    """The same for what needs the data alone: nothing is asked of the model before a recommendation."""
    return SavedModel(_run_of(made, record, {}), _score_ranker(made))


def _run_of(made: Any, record: dict[str, Any], tables: dict[str, torch.Tensor]) -> SavedRun:
    from recbole_alibaba.saved.vector_tables import softmax_temperature
    from recbole_alibaba.saved.write_run import ids_table, interactions_table

    ids, pairs = ids_table(made.dataset), interactions_table(made)
    texts = {kind: ids.loc[ids["kind"] == kind, "token"].to_numpy(object) for kind in ("user", "item")}
    interactions = {str(name): pairs[name].to_numpy() for name in pairs}
    layers, temperature = getattr(made.model, "n_layers", 0), softmax_temperature(made.model)
    return SavedRun(record, tables, layers, texts["user"], texts["item"], interactions, temperature)


def _score_ranker(made: Any) -> ScoreRanker:
    from recbole.data.interaction import Interaction

    dataset, model = made.dataset, made.model

    @torch.no_grad()
    def score(users: np.ndarray) -> torch.Tensor:
        rows = dataset.join(Interaction({dataset.uid_field: torch.from_numpy(users)})).to(model.device)
        try:
            return model.full_sort_predict(rows).view(len(users), dataset.item_num)
        except NotImplementedError:  # the model scores pairs only; as many at once as there are items
            return torch.stack([pairs(rows[place : place + 1]) for place in range(len(users))])

    def pairs(user: Any) -> torch.Tensor:
        every = user.repeat_interleave(dataset.item_num)
        every.update(dataset.get_item_feature().to(model.device))
        return model.predict(every)

    return ScoreRanker(score, int(dataset.item_num))
