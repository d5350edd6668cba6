"""How much memory does a model need at least, before it is built?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOAT = 4
AUTOENCODERS = ("CDAE", "MultiDAE", "MultiVAE", "RecVAE")
ADAM = 4
"""Numbers for each trained one: the parameter, its gradient and Adam's two means; without Adam, two."""


def memory_needed(model: str, n_users: int, n_items: int, n_train: int, settings: Mapping[str, Any]) -> int | None:
    """Bytes that RecBole's model surely holds at once, beside the data and the program; None where this is not known.

    The true need is larger. What depends on the data is left out (the neighbours of ItemKNN, the coefficients of
    SLIMElastic), so a model that is refused by this number could not have run.

    - **EASE**: NumPy inverts the items' table in float64: the table itself, its copy, LAPACK's two and the result.
    - **Autoencoders**: input, output and its gradient for the users of a batch, and the layers at both ends.
    - **SGL, NCL**: the exponentials of the products of a batch's rows with all users, kept for the gradient, and two
      such tables for all items, whose loss comes after that of the users.
    - **DMF**: the interactions of a batch's users and of its items as whole rows.
    - **Models with vectors**: the trained numbers. NeuMF scores pair by pair, which takes time and not memory.

    Args:
        model: name of the class.
        n_users, n_items: numbers in the data set.
        n_train: training interactions.
        settings: all settings of the trial.
    """
    rows = min(int(settings.get("train_batch_size", 2048)), n_train)
    trained = ADAM if str(settings.get("learner", "adam")).lower() in ("adam", "adamw") else 2
    vectors = trained * (n_users + n_items) * int(settings.get("embedding_size") or 0)
    if model == "EASE":
        return FLOAT * 9 * n_items**2
    if model in AUTOENCODERS:
        return FLOAT * n_items * (3 * min(rows, n_users) + trained * _ends(model, settings))
    if model in ("SGL", "NCL"):
        return FLOAT * (rows * max(2 * n_users, n_users + 2 * n_items) + vectors)
    if model == "DMF":
        sizes = n_items * settings["user_embedding_size"] + n_users * settings["item_embedding_size"]
        return FLOAT * (rows * (n_users + n_items) + trained * int(sizes))
    if model == "NeuMF":
        sizes = settings["mf_embedding_size"] + settings["mlp_embedding_size"]
        return FLOAT * trained * (n_users + n_items) * int(sizes)
    if model in ("BPR", "LightGCN", "AlibabaLightGCN", "NGCF", "DGCF"):
        return FLOAT * vectors
    return None


def _ends(model: str, settings: Mapping[str, Any]) -> int:
    """Trained numbers for each item, in the first and the last layer of an autoencoder."""
    if model == "RecVAE":
        return int(settings["hidden_dimension"]) + int(settings["latent_dimension"])
    return 2 * int(settings["embedding_size"] if model == "CDAE" else settings["mlp_hidden_size"][0])
