"""Which setting does today what a setting of an older RecBole, or of another library, did?"""

from collections.abc import Callable, Mapping
from typing import Any

from recbole_alibaba.host.errors import BadInput, UnknownSettingError
from recbole_alibaba.settings.merge import deep_update
from recbole_alibaba.settings.values import check_values, place, written

Successor = Callable[[Any], dict[str, Any]]
_ABSENT = object()


def refuse_old(layer: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Refuse settings of RecBole 0.1 to 1.0 that RecBole 1.2.1 stores and ignores, with what does the same today.

    Args:
        known: settings that the model has; they are no old ones.
        where: the source of the settings, for the message.

    Raises:
        UnknownSettingError: names all of them, and the lines that replace them together.
    """
    found = {key: value for key, value in layer.items() if key in OLD and key not in known}
    if not found:
        computed = next((key for key in layer if key in COMPUTED), None)
        if computed is not None:
            raise UnknownSettingError(f"{place(where)}RecBole computes '{computed}' itself; {COMPUTED[computed]}.")
        return
    new: dict[str, Any] = {}
    for key, value in found.items():
        deep_update(new, _successor(key, value))
    for side in ("user", "item"):
        low, high = (found.get(f"{bound}_{side}_inter_num", _ABSENT) for bound in ("min", "max"))
        if low is not _ABSENT or high is not _ABSENT:
            end = "inf)" if high is _ABSENT else f"{_count(high)}]"
            new[f"{side}_inter_num_interval"] = f"[{0 if low is _ABSENT else _count(low)},{end}"
    said = [f"write {written((key,), value, where)}" for key, value in new.items()]
    said += [f"leave {key} away: {_WITHOUT[key]}" for key in found if key in _WITHOUT]
    verb = "is a setting" if len(found) == 1 else "are settings"
    raise UnknownSettingError(
        f"{place(where)}{' and '.join(found)} {verb} of older versions, which RecBole 1.2.1 ignores. "
        f"Instead, {' and '.join(said)}."
    )


def _successor(key: str, value: Any) -> dict[str, Any]:
    """What does today what `key: value` did; where the value makes no sense, what does the same as an example of it."""
    if key not in _SUCCESSORS:
        return {}
    successor, example = _SUCCESSORS[key]
    try:
        new = successor(value)
        check_values(new, {}, "")
    except (BadInput, TypeError, ValueError, LookupError):
        return successor(example)
    return new


def _negatives(value: Any) -> dict[str, Any]:
    """`neg_sampling: {uniform: 1, dynamic: 5}`, or None."""
    if value is None or value in ("None", "none", 0, {}):
        return {"train_neg_sample_args": None}
    new: dict[str, Any] = {"distribution": "uniform", "sample_num": 1}
    if isinstance(value, Mapping):
        for name in ("uniform", "popularity"):
            if name in value:
                new.update(distribution=name, sample_num=_count(value[name]))
        if value.get("dynamic"):
            new.update(dynamic=True, candidate_num=_count(value["dynamic"]))
    return {"train_neg_sample_args": new}


def _negative_count(value: Any) -> dict[str, Any]:
    return _negatives({"uniform": value} if value != 0 else None)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 1


def _eval_setting(value: Any) -> dict[str, Any]:
    """`RO_RS,full`, as text or as a list."""
    words = value if isinstance(value, list | tuple) else str(value).split(",")
    new: dict[str, Any] = {}
    for word in (str(word).strip() for word in words):
        order, _, split = word.partition("_")
        if order in ("RO", "TO"):
            new["order"] = order
        if split in ("RS", "LS"):
            new["split"] = {split: [0.8, 0.1, 0.1] if split == "RS" else "valid_and_test"}
        if word == "full" or word[:3] in ("uni", "pop"):
            new["mode"] = word
    if not new:
        raise ValueError(value)
    return {"eval_args": new}


def _bounds(form: str) -> Successor:
    """`lowest_val: {rating: 3}` as `val_interval: {rating: "[3,inf)"}`."""

    def successor(value: Any) -> dict[str, Any]:
        return {"val_interval": {str(field): form.format(bound) for field, bound in dict(value).items()}}

    return successor


def _same_space(value: Any) -> dict[str, Any]:
    """`fields_in_same_space: [[item_id, buddy_id]]` as `alias_of_item_id: [buddy_id]`."""
    groups = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    new = {}
    for group in groups:
        if not isinstance(group, list) or len(group) < 2:
            raise ValueError(value)
        fields = [str(field) for field in group]
        first = next((field for field in fields if field in ("user_id", "item_id")), fields[0])
        new[f"alias_of_{first}"] = [field for field in fields if field != first]
    return new


_LEFT_OUT = {1: "valid_and_test", 2: "valid_and_test"}  # RecBole 1.2.1 needs both parts
# The function, and a value that it takes.
_SUCCESSORS: dict[str, tuple[Successor, Any]] = {
    "neg_sampling": (_negatives, {"uniform": 1}),
    "training_neg_sample_num": (_negative_count, 1),
    "train_neg_sample_num": (_negative_count, 1),
    "training_neg_sample_distribution": (lambda value: {"train_neg_sample_args": {"distribution": value}}, "uniform"),
    "eval_setting": (_eval_setting, "RO_RS,full"),
    "split_ratio": (lambda value: {"eval_args": {"split": {"RS": value}}}, [0.8, 0.1, 0.1]),
    "leave_one_num": (lambda value: {"eval_args": {"split": {"LS": _LEFT_OUT[int(value)]}}}, 2),
    "group_by_user": (lambda value: {"eval_args": {"group_by": "user" if value else "none"}}, True),
    "lowest_val": (_bounds("[{},inf)"), {"timestamp": 0}),
    "highest_val": (_bounds("(-inf,{}]"), {"timestamp": 0}),
    "equal_val": (_bounds("[{0},{0}]"), {"timestamp": 0}),
    "not_equal_val": (_bounds("(-inf,{0});({0},inf)"), {"timestamp": 0}),
    "fields_in_same_space": (_same_space, [["item_id", "other_item_id"]]),
}
_KEPT = "unused_col: {inter: [timestamp]} names the columns that the model does not get"
_WITHOUT = {
    "drop_filter_field": _KEPT,
    "drop_preload_weight": _KEPT,
    "real_time_process": "batches and negatives are always made while training",
    "load_checkpoint": "a training goes on with --resume=FOLDER, the folder of its run under saved/",
    "resume_checkpoint": "a training goes on with --resume=FOLDER, the folder of its run under saved/",
}
OLD = {
    *_SUCCESSORS,
    *_WITHOUT,
    *(f"{bound}_{side}_inter_num" for bound in ("min", "max") for side in ("user", "item")),
}

_BY_MODEL = "it follows from the model, so leave it away"
_BY_MODE = "set eval_args: {mode: uni100} for validation and test"
_BY_OPTION = "use the options --nproc, --world_size, --ip, --port and --group_offset"
COMPUTED = {
    "device": "choose a GPU with gpu_id: '0' or the CPU with gpu_id: ''",
    "MODEL_TYPE": _BY_MODEL,
    "MODEL_INPUT_TYPE": _BY_MODEL,
    "eval_type": "it follows from metrics, so leave it away",
    "valid_neg_sample_args": _BY_MODE,
    "test_neg_sample_args": _BY_MODE,
    **dict.fromkeys(("single_spec", "local_rank", "offset"), _BY_OPTION),
}

# Words of other libraries, for "Did you mean".
OTHER_WORDS = {
    **dict.fromkeys(("lr", "rate"), "learning_rate"),
    **dict.fromkeys(("batch_size", "bs", "batch"), "train_batch_size"),
    **dict.fromkeys(("test_batch_size", "valid_batch_size"), "eval_batch_size"),
    **dict.fromkeys(("n_epochs", "num_epochs", "max_epochs", "n_epoch"), "epochs"),
    **dict.fromkeys(("optimizer", "optim"), "learner"),
    **dict.fromkeys(("patience", "early_stop", "early_stopping"), "stopping_step"),
    **dict.fromkeys(("dim", "emb_dim", "emb_size", "embedding_dim", "latent_dim", "factors"), "embedding_size"),
    **dict.fromkeys(("layers", "num_layers", "layer"), "n_layers"),
    **dict.fromkeys(("l2", "reg", "l2_reg", "lambda"), "reg_weight"),
    **dict.fromkeys(("wd", "decay"), "weight_decay"),
    **dict.fromkeys(("k", "top_k", "Ks"), "topk"),
    **dict.fromkeys(("gpu", "cuda"), "gpu_id"),
    **dict.fromkeys(("grad_clip", "max_grad_norm", "max_norm"), "clip_grad_norm"),
    **dict.fromkeys(("num_workers", "workers"), "worker"),
    **dict.fromkeys(("n_negs", "num_negatives", "neg_num", "neg_sample_args"), "train_neg_sample_args"),
    **dict.fromkeys(("random_seed", "random_state"), "seed"),
    **dict.fromkeys(("config_file", "config_file_list", "config"), "config_files"),
    **dict.fromkeys(("data_dir", "dataset_path"), "data_path"),
    **dict.fromkeys(("save_dir", "output"), "checkpoint_dir"),
}
