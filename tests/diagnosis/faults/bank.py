"""The faults: which world, what is broken, and which cause the doctor must name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import spoil
from .setups import Fault
from .worlds import World

TASTES, BUNDLED, REAL = "two-tastes", "bundled-log", "real-slice"
ADAM = {"learner": "adam", "weight_decay": 0.0}


def keep(rows: int) -> Any:
    """The first ``rows`` rows."""
    return lambda world: world.with_rows(world.users[:rows], world.items[:rows], world.times[:rows])


def few_users(world: World) -> World:
    mine = np.isin(world.users, np.unique(world.users)[:20])
    return world.with_rows(world.users[mine], world.items[mine], world.times[mine])


def shuffled(world: World) -> World:
    return distinct(world.with_rows(world.users, np.random.default_rng(1).permutation(world.items), world.times))


def distinct(world: World) -> World:
    """The first row of each pair."""
    at = np.unique(world.users * 10_000_000 + world.items, return_index=True)[1]
    return world.with_rows(world.users[at], world.items[at], world.times[at])


def repeated(world: World) -> World:
    late = world.times + int(np.ptp(world.times)) + 1
    columns = ((world.users,) * 2, (world.items,) * 2, (world.times, late))
    return world.with_rows(*(np.concatenate(column) for column in columns))


def one_owns_all(world: World) -> World:
    items = np.unique(world.items)
    greedy = np.full(len(items), world.users.max() + 1)
    columns = ((world.users, greedy), (world.items, items), (world.times, np.full(len(items), world.times.max())))
    return world.with_rows(*(np.concatenate(column) for column in columns))


def one_dominates(world: World) -> World:
    """The later half of up to 120 users bear one id: a shop, or a merged account."""
    there = np.unique(world.users)[:120]
    mine = np.isin(world.users, there)
    users = np.minimum(world.users[mine], there[len(there) // 2])
    return distinct(world.with_rows(users, world.items[mine], world.times[mine]))


def one_row_each(world: World) -> World:
    users = np.arange(len(world.users))
    return world.with_rows(users, world.items, world.times)


def two_rows_each(world: World) -> World:
    """The first two rows of each user: the test part takes one, and validation gets none."""
    order = np.argsort(world.users, kind="stable")
    first = np.searchsorted(world.users[order], world.users[order])
    at = order[np.arange(len(order)) - first < 2]
    return world.with_rows(world.users[at], world.items[at], world.times[at])


def swapped_columns(folder: Path, name: str) -> None:
    """User and item tokens change places in the file; the item features stay."""
    file = folder / name / f"{name}.inter"
    header, *rows = file.read_text().splitlines()
    cells = (row.split("\t") for row in rows)
    file.write_text("\n".join([header, *("\t".join((i, u, t)) for u, i, t in cells)]) + "\n")


FAULTS = [
    # Data
    Fault("empty-data", "empty-data", spoil_world=keep(0)),
    Fault("almost-empty-data", "thin-data", spoil_world=keep(2)),
    Fault("three-hundred-rows", "thin-data", REAL, spoil_world=keep(300)),
    Fault("twenty-users", "thin-data", spoil_world=few_users),
    Fault("one-row-a-user", "users-seen-once", BUNDLED, spoil_world=one_row_each),
    Fault("columns-swapped", "columns-swapped", BUNDLED, before=swapped_columns),
    Fault("columns-swapped-real", "columns-swapped", REAL, before=swapped_columns),
    Fault("labels-shuffled", "no-signal", spoil_world=shuffled),
    Fault("labels-shuffled-bundled", "no-signal", BUNDLED, spoil_world=shuffled),
    Fault("repeats-leak", "repeats-leak", REAL, spoil_world=repeated, curable=True),
    Fault("repeats-leak-bpr", "repeats-leak", model="BPR", spoil_world=repeated, curable=True),
    Fault("one-user-owns-everything", "owns-everything", spoil_world=one_owns_all),
    Fault("one-user-owns-everything-real", "owns-everything", REAL, spoil_world=one_owns_all),
    Fault("one-user-dominates", "one-user-dominates", BUNDLED, spoil_world=one_dominates),
    Fault(
        "core-empties-data",
        "empty-core",
        REAL,
        settings={"user_inter_num_interval": "[60,inf)", "item_inter_num_interval": "[60,inf)"},
        curable=True,
    ),
    # Evaluation and split
    Fault("all-rows-in-training", "nothing-held-out", settings={"eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}}}),
    Fault("two-rows-a-user", "nothing-held-out", BUNDLED, spoil_world=two_rows_each, elsewhere=False),
    Fault(
        "future-leak",
        "future-leak",
        BUNDLED,
        settings={"eval_args": {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "RO"}},
        curable=True,
    ),
    Fault(
        "future-leak-leave-one-out",
        "future-leak",
        REAL,
        settings={"eval_args": {"split": {"LS": "valid_and_test"}, "order": "RO"}},
        curable=True,
    ),
    Fault("topk-above-items", "topk-above-items", settings={"topk": [10, 100]}, curable=True, elsewhere=False),
    Fault("metric-never-computed", "metric-never-computed", settings={"valid_metric": "MRR@10"}, curable=True),
    Fault("evaluation-masks-everything", "evaluation-broken", spoil=spoil.evaluation_masks_everything),
    Fault("evaluation-masks-everything-bpr", "evaluation-broken", REAL, "BPR", spoil=spoil.evaluation_masks_everything),
    # Negatives
    Fault("sampler-hits-positives", "sampler-hits-positives", spoil=spoil.sampler_hits_positives),
    Fault("sampler-hits-positives-bpr", "sampler-hits-positives", REAL, "BPR", spoil=spoil.sampler_hits_positives),
    Fault("one-negative-for-all", "narrow-negatives", REAL, spoil=spoil.one_negative),
    # Graph and forward pass
    Fault("graph-without-edges", "graph-empty", spoil=spoil.graph_without_edges),
    Fault("graph-without-edges-lightgcn", "graph-empty", BUNDLED, "LightGCN", spoil=spoil.graph_without_edges),
    Fault("graph-normalised-twice", "graph-differs", BUNDLED, spoil=spoil.graph_normalised_twice),
    Fault("graph-normalised-twice-ngcf", "graph-differs", model="NGCF", spoil=spoil.graph_normalised_twice),
    Fault("graph-off-by-one", "graph-differs", REAL, spoil=spoil.graph_of_other_items),
    Fault("constant-scores", "constant-scores", spoil=spoil.constant_scores),
    Fault("nan-row", "numbers-break", BUNDLED, spoil=spoil.nan_scores),
    # Loss and gradient
    Fault("propagation-detached", "gradient-differs", spoil=spoil.propagation_detached),
    Fault("loss-detached", "dead-path", spoil=spoil.loss_detached),
    Fault("loss-upside-down", "loss-upside-down", spoil=spoil.loss_upside_down),
    Fault("loss-too-small", "loss-differs", BUNDLED, spoil=spoil.loss_summed_small),
    Fault("nan-at-epoch-3", "numbers-break", spoil=spoil.nan_at_epoch_3),
    Fault("frozen-table", "frozen-table", spoil=spoil.frozen_items),
    Fault("frozen-table-bpr", "frozen-table", REAL, "BPR", spoil=spoil.frozen_items),
    # Optimiser
    Fault("zero-grad-never-called", "stale-gradients", spoil=spoil.never_cleared),
    Fault("zero-grad-never-called-bpr", "stale-gradients", BUNDLED, "BPR", spoil=spoil.never_cleared),
    Fault("step-never-called", "unmoved-parameters", spoil=spoil.never_steps),
    Fault("optimiser-of-a-copy", "optimiser-misses-parameters", spoil=spoil.optimiser_of_a_copy),
    Fault("optimiser-of-users-only", "optimiser-misses-parameters", BUNDLED, spoil=spoil.optimiser_of_users_only),
    Fault("rate-scheduled-to-zero", "unmoved-parameters", model="BPR", spoil=spoil.rate_scheduled_to_zero),
    Fault("eps-1e-2", "eps-too-large", spoil=spoil.large_eps),
    Fault("rate-1e-8", "learning-rate-too-small", settings={"learning_rate": 1e-8}, curable=True),
    Fault("rate-1e-8-neumf", "learning-rate-too-small", REAL, "NeuMF", {"learning_rate": 1e-8}, curable=True),
    Fault("rate-10", "learning-rate-too-large", settings={"learning_rate": 10.0}, curable=True),
    Fault("rate-10-bpr", "learning-rate-too-large", REAL, "BPR", {"learning_rate": 10.0}, curable=True),
    Fault(
        "adam-decay-1e-4", "coupled-decay", BUNDLED, settings={"learner": "adam", "weight_decay": 1e-4}, curable=True
    ),
    Fault(
        "adam-decay-1e-4-real", "coupled-decay", REAL, settings={"learner": "adam", "weight_decay": 1e-4}, curable=True
    ),
    Fault("adam-decay-1e-2", "coupled-decay", settings={"learner": "adam", "weight_decay": 1e-2}, curable=True),
    Fault("adam-decay-1e-4-bpr", "coupled-decay", REAL, "BPR", {"learner": "adam", "weight_decay": 1e-4}, curable=True),
    Fault("rmsprop-decay", "coupled-decay", settings={"learner": "rmsprop", "weight_decay": 1e-2}, curable=True),
    Fault("reg-weight-10", "strong-regularisation", settings={"reg_weight": 10.0}, curable=True),
    Fault("reg-weight-10-lightgcn", "strong-regularisation", BUNDLED, "LightGCN", {"reg_weight": 10.0}, curable=True),
    Fault(
        "clip-1e-6",
        "clip-too-tight",
        settings={"clip_grad_norm": {"max_norm": 1e-6, "norm_type": 2}},
        curable=True,
    ),
    Fault(
        "clip-1e-6-bpr",
        "clip-too-tight",
        REAL,
        "BPR",
        {"clip_grad_norm": {"max_norm": 1e-6, "norm_type": 2}},
        curable=True,
    ),
    Fault(
        "sgd-0.001", "plain-sgd", settings={"learner": "sgd", "learning_rate": 0.001, "weight_decay": 0.0}, curable=True
    ),
    Fault("sgd-0.001-bpr", "plain-sgd", BUNDLED, "BPR", {"learner": "sgd", "learning_rate": 0.001}, curable=True),
    Fault("mixed-precision-on-cpu", "amp-on-cpu", settings={"enable_amp": True}, curable=True),
    Fault("parameters-in-half", "half-precision", model="BPR", spoil=spoil.half_precision),
    # Initialisation
    Fault("init-1e-6", "init-too-small", settings={"init": "normal", "init_std": 1e-6}, curable=True),
    Fault("init-1e-6-real", "init-too-small", REAL, settings={"init": "normal", "init_std": 1e-6}, curable=True),
    Fault("init-100", "init-too-large", settings={"init": "normal", "init_std": 100.0}, curable=True),
    Fault("init-1e-6-bpr", "init-too-small", BUNDLED, "BPR", spoil=spoil.tiny_start),
    Fault("init-100-bpr", "init-too-large", REAL, "BPR", spoil=spoil.huge_start),
    Fault("rows-start-equal", "rows-start-equal", spoil=spoil.equal_start),
]
