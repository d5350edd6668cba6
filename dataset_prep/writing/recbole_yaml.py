"""The data set's own RecBole settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TEXT = """\
# Read by run.py --dataset={name}; written by dataset_prep, settings and counts are in funnel.json.
field_separator: "\\t"              # str, between columns
USER_ID_FIELD: user_id             # str, column of the users
ITEM_ID_FIELD: item_id             # str, column of the items
{time}load_col:                          # dict, suffix -> columns to load
{load_col}
repeatable: {repeatable}                  # bool, a pair may stand in training and in test ({protocol})
metrics: [Recall, NDCG, Hit, MRR]  # list, computed for every model, so that all can be compared
topk: [10, 20]                     # list, lengths of the ranked lists
valid_metric: NDCG@20              # str, what early stopping watches
{parts}eval_args:                         # dict, how the interactions are split and ranked
{eval_args}
"""

BY_TIME = """\
  split: {RS: [0.8, 0.1, 0.1]}     # training, validation, test of each user's interactions
  order: TO                        # oldest first: nothing of the future is trained on
  group_by: user
  mode: full                       # ranked against every item"""

AT_RANDOM = """\
  split: {RS: [0.8, 0.1, 0.1]}     # training, validation, test of each user's interactions
  order: RO                        # at random: the log has no time
  group_by: user
  mode: full                       # ranked against every item"""

READY = """\
  split: {RS: [0.8, 0.1, 0.1]}     # not used: the parts are files already
  order: {order}
  group_by: user
  mode: full                       # ranked against every item"""


def dataset_yaml(
    name: str,
    protocol: str,
    columns: Mapping[str, Sequence[str]],
    parts: Sequence[str] | None = None,
    timed: bool = True,
) -> str:
    """columns: suffix (inter, item, user) -> fields. parts: names for benchmark_filename, if the files are split."""
    order = (BY_TIME if timed else AT_RANDOM) if not parts else READY.replace("{order}", "TO" if timed else "RO")
    load = "\n".join(f"  {suffix}: [{', '.join(fields)}]" for suffix, fields in columns.items())
    listed = f"benchmark_filename: [{', '.join(parts)}]  # list, the parts as written\n" if parts else ""
    return TEXT.format(
        name=name,
        time="TIME_FIELD: timestamp              # str, column of the time, Unix seconds\n" if timed else "",
        load_col=load,
        repeatable=protocol == "repeat",
        protocol=f"protocol {protocol}",
        parts=listed,
        eval_args=order,
    )
