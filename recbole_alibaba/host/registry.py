"""Which models this plugin adds to RecBole, and how RecBole finds them by name."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recbole_alibaba.host.errors import UnknownModelError, nearest

FAMILIES = (
    "general_recommender",
    "context_aware_recommender",
    "sequential_recommender",
    "knowledge_aware_recommender",
    "exlib_recommender",
)


PACKAGE_OF = {"faiss": "faiss-cpu"}  # where pip's name is another one
WITHOUT_SETTINGS = ("Random",)  # models of RecBole that have no property file


@dataclass(frozen=True)
class Plugin:
    """One registered model: the modules of its class, its trainer and its data set."""

    name: str
    model_module: str
    trainer_module: str
    dataset_module: str | None = None


PLUGINS = (
    Plugin(
        name="AlibabaLightGCN",
        model_module="recbole_alibaba.model.alibabalightgcn",
        trainer_module="recbole_alibaba.trainer.trainer",
        dataset_module="recbole_alibaba.data.dataset",
    ),
)


def register() -> None:
    """Put every plugin where RecBole looks: the model's module, `<name>Trainer`, `<name>Dataset`. Idempotent.

    `get_model` looks for the module `recbole.model.general_recommender.<name in lower case>`. `get_trainer` and
    `create_dataset` read an attribute of a package.
    """
    for plugin in PLUGINS:
        alias = f"recbole.model.general_recommender.{plugin.name.lower()}"
        sys.modules[alias] = importlib.import_module(plugin.model_module)
        for host, suffix, module in (
            ("recbole.trainer", "Trainer", plugin.trainer_module),
            ("recbole.data.dataset", "Dataset", plugin.dataset_module),
        ):
            if module is not None:
                name = plugin.name + suffix
                setattr(importlib.import_module(host), name, getattr(importlib.import_module(module), name))


def is_ours(model: str) -> bool:
    """Whether `model` is one of this plugin's."""
    return any(plugin.name == model for plugin in PLUGINS)


@cache
def model_names() -> tuple[str, ...]:
    """Names of all models that `get_model` can find, RecBole's and this plugin's, sorted."""
    package = importlib.import_module("recbole.model")
    root = Path(package.__path__[0])
    modules = {info.name for family in FAMILIES for info in pkgutil.iter_modules([str(root / family)])}
    properties = root.parent / "properties" / "model"
    named = {file.stem for file in properties.glob("*.yaml") if file.stem.lower() in modules}
    return tuple(sorted(named | {*WITHOUT_SETTINGS, *(plugin.name for plugin in PLUGINS)}, key=str.lower))


def find_model(name: str) -> type:
    """The class of the model `name`.

    Raises:
        UnknownModelError: there is no such model (the nearest name is given), its library is not installed, or RecBole
            itself cannot load it.
    """
    from recbole.utils import get_model

    if name not in model_names():
        raise UnknownModelError(
            f"There is no model '{name}' among the {len(model_names())} models of RecBole and this plugin."
            f"{nearest(name, model_names())}"
        )
    with packages_of(name):
        try:
            return get_model(name)
        except AttributeError as error:  # lightgbm.yaml and xgboost.yaml belong to the classes LightGBM and XGBoost
            raise UnknownModelError(
                f"RecBole cannot load the model '{name}': its settings file and its class have different names."
            ) from error


@contextmanager
def packages_of(model: str) -> Iterator[None]:
    """Models import packages that RecBole does not require: KGAT for its data, KGIN when it is built, NCL as it trains.

    Raises:
        UnknownModelError: a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        install = PACKAGE_OF.get(package, package.replace("_", "-"))
        raise UnknownModelError(
            f"The model '{model}' needs the package '{package}', which is not installed: pip install {install}"
        ) from error
