"""What does a board's YAML say? Read, checked, and completed by the models that every board has."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_alibaba.board.plan import METRICS, Budget, Entry, Limits, Plan
from recbole_alibaba.host.errors import BadInput, ConfigFileError, nearest
from recbole_alibaba.settings.property_files import properties_folder, read_mapping

ALWAYS = ("Pop", "ItemKNN", "EASE")
"""On every board: without them nobody sees whether a model is worth its training."""
SAME_FOR_ALL = {
    *("eval_args", "metrics", "topk", "valid_metric", "valid_metric_bigger", "metric_decimal_place", "repeatable"),
    *("data_path", "benchmark_filename", "load_col", "unload_col", "val_interval", "threshold", "rm_dup_inter"),
    *("user_inter_num_interval", "item_inter_num_interval", "filter_inter_by_user_or_item"),
}
"""Settings that decide what is compared: a model has none of its own."""
OF_THE_BOARD = {"metrics", "topk", "valid_metric", "seed", "metric_decimal_place", "model", "dataset", "checkpoint_dir"}
"""Settings that the board sets itself."""


def read_plan(file: str | Path, typed: Mapping[str, Any]) -> Plan:
    """The plan in the file. `typed` are settings of the command line.

    Raises:
        BadInput: it does not exist, is not YAML, or says something that a board does not know.
    """
    path = Path(file)
    if not path.is_file():
        shipped = sorted((properties_folder() / "board").glob("*.yaml"))
        there = ", ".join(map(str, shipped))
        raise ConfigFileError(f"There is no board '{file}'.{nearest(str(file), map(str, shipped))} Shipped: {there}.")
    here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    said = here.as_posix() if not here.is_absolute() else here.name
    return _plan(read_mapping(path), path.stem, str(path), typed, said)


def default_plan(dataset: str, typed: Mapping[str, Any]) -> Plan:
    """The board of `--dataset`: `properties/board/default.yaml` with this data set."""
    path = properties_folder() / "board" / "default.yaml"
    content = read_mapping(path) | {"title": dataset, "datasets": [dataset]}
    return _plan(content, dataset, str(path), typed, f"--dataset={dataset}")


def check_files(plan: Plan) -> None:
    """Refuse a competition whose files are not there. Pages are drawn without them."""
    for key, file in (plan.competition or {}).items():
        if not Path(file).is_file():
            said = plan.content["competition"][key]
            raise BadInput(f"{plan.name}: competition: {key} is {said}, and there is no such file.")


def _plan(content: Mapping[str, Any], name: str, where: str, typed: Mapping[str, Any], said: str) -> Plan:
    words = set(Plan.__dataclass_fields__) - {"name", "entries", "typed", "content", "command"} | {"models"}
    _known(content, words, where)
    for key in ("datasets", "models"):
        if not content.get(key):
            raise BadInput(f"{where}: {key} is missing: a board needs at least one.")
    datasets = content["datasets"]
    if isinstance(datasets, str):
        datasets = [datasets]
    if not isinstance(datasets, Mapping):
        datasets = dict.fromkeys(_listed(datasets, str, f"{where}: datasets"))
    settings = _mapping(content.get("settings"), f"{where}: settings")
    for place, layer in ((f"{where}: settings", settings), ("the command line", typed)):
        _refuse(
            layer, OF_THE_BOARD, place, "the board sets it itself: topk, valid_metric and seeds are lines of its own"
        )
    competition = content.get("competition")
    if competition is not None:
        competition = _competition(_mapping(competition, f"{where}: competition"), where)
    entries = _with_baselines(_entries(content["models"], where))
    for entry in entries:
        for key in sorted(typed.keys() & dict(entry.search if isinstance(entry.search, Mapping) else {}).keys()):
            raise BadInput(f"--{key} is searched for {entry.label}. Leave it away, or take it out of {where}.")
    plan = Plan(
        name=name,
        title=str(content.get("title") or name),
        text=str(content.get("text") or ""),
        datasets={str(key): _mapping(value, f"{where}: datasets: {key}") for key, value in datasets.items()},
        entries=entries,
        seeds=tuple(_listed(content.get("seeds", Plan.seeds), int, f"{where}: seeds")),
        settings=settings,
        typed=dict(typed),
        topk=tuple(_listed(content.get("topk", Plan.topk), int, f"{where}: topk")),
        valid_metric=str(content.get("valid_metric", Plan.valid_metric)),
        search=_numbers(Budget, content.get("search"), f"{where}: search"),
        limits=_numbers(Limits, content.get("limits"), f"{where}: limits"),
        threads=_number(content.get("threads", 1), f"{where}: threads", int),
        competition=competition,
        published=tuple(_mapping(one, f"{where}: published") for one in content.get("published") or ()),
        content=dict(content),
        command=shlex.join(["recbole-alibaba", "board", said, *(f"--{key}={value}" for key, value in typed.items())]),
    )
    _check_metric(plan, where)
    return plan


def _entries(models: Any, where: str) -> list[Entry]:
    if not isinstance(models, Mapping):
        models = dict.fromkeys(_listed(models, str, f"{where}: models"))
    entries = []
    for label, value in models.items():
        place = f"{where}: models: {label}"
        said = _mapping(value, place)
        _known(said, {"model", "settings", "search"}, place)
        settings = _mapping(said.get("settings"), f"{place}: settings")
        _refuse(settings, SAME_FOR_ALL | OF_THE_BOARD, place, "it decides what is compared, so it is the same for all")
        search = said.get("search")
        if search is not None and search != "recbole":
            search = _mapping(search, f"{place}: search")
            twice = sorted(settings.keys() & search.keys())
            if twice:
                raise BadInput(f"{place}: {twice[0]} is under settings and under search. Keep one of them.")
            _refuse(search, SAME_FOR_ALL | OF_THE_BOARD, place, "it decides what is compared, so it is not searched")
        entries.append(Entry(str(label), str(said.get("model") or label), settings, search or None))
    return entries


def _with_baselines(entries: list[Entry]) -> tuple[Entry, ...]:
    there = {entry.model for entry in entries}
    return (*entries, *(Entry(model, model) for model in ALWAYS if model not in there))


def _check_metric(plan: Plan, where: str) -> None:
    name, _, k = plan.valid_metric.partition("@")
    known = {metric.lower() for metric in METRICS}
    if name.lower() not in known or not k.isdecimal() or int(k) not in plan.topk:
        raise BadInput(
            f"{where}: valid_metric is {plan.valid_metric}; needed is one of {', '.join(METRICS)} at a length of topk "
            f"({', '.join(map(str, plan.topk))}), such as NDCG@{plan.topk[-1]}."
        )


def _competition(said: dict[str, Any], where: str) -> dict[str, Any]:
    _known(said, {"items", "before", "truth"}, f"{where}: competition")
    if "items" not in said:
        raise BadInput(f"{where}: competition: items is missing: the file of the item subset.")
    return {key: str(Path(file).resolve()) for key, file in said.items()}


def _numbers(kind: Any, said: Any, place: str) -> Any:
    """A dataclass of numbers from a mapping of some of them."""
    said = _mapping(said, place)
    _known(said, set(kind.__dataclass_fields__), place)
    wanted = {"trials": int}
    return kind(**{key: _number(value, f"{place}: {key}", wanted.get(key, float)) for key, value in said.items()})


def _number(value: Any, place: str, kind: type) -> Any:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value > 0 and kind(value) == value
    if not good:
        raise BadInput(f"{place} is {value!r}; needed is a {'whole ' if kind is int else ''}number above 0.")
    return kind(value)


def _listed(value: Any, kind: type, place: str) -> list[Any]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    wrong = [one for one in values if not isinstance(one, kind) or isinstance(one, bool)]
    if wrong or not values or len({str(one) for one in values}) < len(values):
        what = {str: "names", int: "whole numbers", dict: "mappings"}[kind]
        raise BadInput(f"{place} is {value!r}; needed is a list of {what}, each once.")
    return values


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadInput(f"{place} is {value!r}; needed are lines `key: value`.")
    return dict(value)


def _known(said: Mapping[str, Any], words: Iterable[str], place: str) -> None:
    for key in said:
        if key not in words:
            near = nearest(str(key), words)
            raise BadInput(f"{place}: a board has no '{key}' here.{near} Known: {', '.join(sorted(words))}.")


def _refuse(layer: Mapping[str, Any], keys: set[str], place: str, why: str) -> None:
    for key in sorted(layer.keys() & keys):
        raise BadInput(f"{place}: {key} cannot be set here: {why}.")
