"""Which value may each of RecBole's general settings have? One line a setting; a model's own follow its property file.

A dotted name is a key inside a mapping. A mapping with such names takes no other key.
"""

import os

from recbole_alibaba.settings.kinds import (
    Kind,
    choice,
    either,
    encoding,
    flag,
    interval,
    listed,
    mapping,
    nothing,
    number,
    one_bound,
    shares,
    text,
    whole,
)

LEARNERS = ("adam", "adamw", "sgd", "adagrad", "rmsprop", "sparse_adam")
TRANSFORMS = ("mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined")
_FIELD = text("the name of a column")
_FIELDS = listed(_FIELD)
_OF_A_FILE = either(_FIELDS, choice("*"), nothing())
_COLUMNS = either(mapping(_OF_A_FILE, "{inter: [user_id, item_id]}"), nothing())
_CANDIDATES = r"full|labeled|(uni|pop)[1-9]\d{0,8}"
_MODE = text("full, labeled, uniN or popN with a number of candidates N", _CANDIDATES)
_LENGTH = whole(1)

RULES: dict[str, Kind] = {
    # Where and how it runs
    "gpu_id": either(
        whole(-1), text("numbers of GPUs with commas, or '' for the CPU", r"(\s*\d+\s*(,\s*\d+\s*)*|-1)?")
    ),
    "worker": whole(0, max(8, os.cpu_count() or 1)),  # each is a process
    "seed": whole(0, 2**32 - 1),
    "state": choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", any_case=True),
    "data_path": text("the path of a folder"),
    "checkpoint_dir": text("the path of a folder"),
    "encoding": encoding(),
    # Training
    "epochs": whole(0),
    "train_batch_size": whole(1),
    "learner": choice(*LEARNERS, any_case=True),
    "learning_rate": number(0, above=True),
    "weight_decay": number(0),
    "eval_step": whole(0),
    "stopping_step": whole(0),
    "loss_decimal_place": whole(0, 15),
    "clip_grad_norm": either(mapping(like="{max_norm: 1.0, norm_type: 2}"), nothing()),
    "clip_grad_norm.max_norm": number(0, above=True),
    "clip_grad_norm.norm_type": either(number(0, above=True), choice("inf")),
    "clip_grad_norm.error_if_nonfinite": flag(),
    "clip_grad_norm.foreach": either(flag(), nothing()),
    "train_neg_sample_args": either(mapping(like="{distribution: uniform, sample_num: 1}"), nothing()),
    "train_neg_sample_args.distribution": either(choice("uniform", "popularity"), nothing()),
    "train_neg_sample_args.sample_num": whole(1, 100_000),
    "train_neg_sample_args.alpha": number(0),
    "train_neg_sample_args.dynamic": flag(),
    "train_neg_sample_args.candidate_num": whole(0, 100_000),
    "transform": either(choice(*TRANSFORMS), nothing()),
    "teacher": choice("CrossNet", "CIN"),  # of KD_DAGFM, which evaluates the text
    # Evaluation
    "eval_args": mapping(like="{split: {RS: [0.8, 0.1, 0.1]}, order: RO, group_by: user, mode: full}"),
    "eval_args.split": mapping(like="{RS: [0.8, 0.1, 0.1]}, {TS: [0.8, 0.1, 0.1]} or {LS: valid_and_test}"),
    "eval_args.split.RS": shares(),
    "eval_args.split.TS": shares(),
    "eval_args.split.LS": choice("valid_and_test", "valid_only", "test_only"),
    "eval_args.order": choice("RO", "TO"),
    "eval_args.group_by": either(choice("user", "none"), nothing()),
    "eval_args.mode": either(_MODE, mapping(like="{valid: full, test: full}")),
    "eval_args.mode.valid": _MODE,
    "eval_args.mode.test": _MODE,
    "metrics": either(text("the name of a metric"), listed(text("the name of a metric"), least=1)),
    "topk": either(_LENGTH, listed(_LENGTH, least=1, what="a list of them, as in [10, 20]")),
    "valid_metric": text("the name of a metric, with @ and a length of topk, as in NDCG@10", r"\w+(@[1-9]\d*)?"),
    "eval_batch_size": whole(1),
    "metric_decimal_place": whole(0, 15),
    # Files and columns
    "field_separator": text("the text between two columns"),
    "seq_separator": text("the text between two values"),
    "numerical_features": _FIELDS,
    "threshold": either(one_bound("{rating: 4}"), nothing()),
    "seq_len": either(mapping(_LENGTH, "{title: 20}"), nothing()),
    "load_col": _COLUMNS,
    "unload_col": _COLUMNS,
    "unused_col": _COLUMNS,
    "additional_feat_suffix": either(text("the suffix of a file"), _FIELDS, nothing()),
    "rm_dup_inter": either(choice("first", "last"), nothing()),
    "val_interval": either(mapping(either(interval(), listed(text())), '{timestamp: "[0,inf)"}'), nothing()),
    "filter_inter_by_user_or_item": flag(),
    **{
        f"{what}_num_interval": either(interval(), nothing())
        for what in ("user_inter", "item_inter", "entity_kg", "relation_kg")
    },
    "preload_weight": either(mapping(_FIELD, "{ent_id: ent_emb}"), nothing()),
    "normalize_field": either(_FIELDS, nothing()),
    "normalize_all": either(flag(), nothing()),
    "discretization": either(mapping(), nothing()),
    "MAX_ITEM_LIST_LENGTH": whole(1, 100_000),
    "benchmark_filename": either(
        listed(text("the middle of a file's name"), 3, what="three names, as in [train, valid, test]"), nothing()
    ),
}
COLUMN_OF_SAME_IDS = either(_FIELDS, nothing())  # alias_of_<column>
