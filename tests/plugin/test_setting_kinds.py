"""What a setting may be: each kind of value at both sides of its bounds, and the kind that a property line asks for."""

import math
from pathlib import Path
from typing import Any

import pytest

from recbole_alibaba.settings import kinds
from recbole_alibaba.settings.property_lines import Line, kind_of, property_lines
from recbole_alibaba.settings.rules import RULES

KINDS: list[tuple[kinds.Kind, str, list[Any], list[Any]]] = [
    (kinds.whole(), "a whole number", [0, -3, kinds.LARGEST, -kinds.LARGEST], [kinds.LARGEST + 1, 1.0, True, "1"]),
    (kinds.whole(1), "a whole number from 1", [1, kinds.LARGEST], [0, -1, kinds.LARGEST + 1]),
    (kinds.whole(0, 9), "a whole number from 0 to 9", [0, 9], [-1, 10]),
    (kinds.number(), "a number", [0, -1e9, 2.5], [math.inf, -math.inf, math.nan, True, "1", None]),
    (kinds.number(0), "a number from 0", [0, 0.0, 5], [-1e-9]),
    (kinds.number(0, 1), "a number from 0 to 1", [0, 1, 0.5], [1.001, -0.001]),
    (kinds.number(0, above=True), "a number above 0", [1e-9], [0, -1]),
    (kinds.flag(), "True or False", [True, False], [0, 1, "True", None]),
    (kinds.text(), "text", ["a", "a\nb", Path("x")], ["", 1, None]),
    (kinds.text("text", ".*"), "text", [""], [1]),
    (kinds.choice("TO", "RO"), "one of TO, RO", ["TO"], ["to", "X", 1]),
    (kinds.choice("adam"), "'adam'", ["adam"], ["Adam"]),
    (kinds.choice("adam", "sgd", any_case=True), "one of adam, sgd", ["ADAM", "sgd"], ["x"]),
    (
        kinds.listed(kinds.whole(1), least=1),
        "a list with at least one entry, each a whole number from 1",
        [[1], (1, 2)],
        [[], [0], 1, ["a"]],
    ),
    (
        kinds.listed(kinds.number(), length=2),
        "a list with 2 entries, each a number",
        [[0.1, 0.2]],
        [[0.1], [0.1, 0.2, 0.3], []],
    ),
    (
        kinds.listed(kinds.text()),
        "a list with any number of entries, each text",
        [[], ["a", "b"]],
        ["a", [1]],
    ),
    (kinds.mapping(), "a mapping such as {name: value}", [{}, {"a": [1]}], [[], {1: 2}, "a"]),
    (kinds.mapping(kinds.whole(0)), "a mapping such as {name: value}", [{"a": 0}], [{"a": -1}, {"a": 1, "b": "x"}]),
    (kinds.one_bound("{rating: 3}"), "a mapping of one column, such as {rating: 3}", [{"a": 1}],
     [{}, {"a": 1, "b": 2}, {"a": "x"}]),
    (kinds.interval(), 'an interval such as "[5,inf)"',
     ["[5,inf)", "(0, 1]", "[1,2];[5,5]", [1, 2]], ["[5,4]", "5", "[a,b]", "", "[1,2];x", None]),
    (kinds.shares(), "three numbers, the shares of training, validation and test, as in [0.8, 0.1, 0.1]",
     [[8, 1, 1], (0.8, 0.2, 0)], [[0, 0, 0], [0.9, 0.1], [1, 1, 1, 1], [1, -1, 1], "811"]),
    (kinds.encoding(), "the name of an encoding, such as utf-8 or gb18030", ["utf-8", "GBK"], ["klingon", 8, ""]),
    (kinds.nothing(), "None", [None], [0, "", False]),
    (kinds.anything(), "any value", [None, 0, "x", [1]], []),
    (kinds.either(kinds.flag(), kinds.whole(0)), "True or False or a whole number from 0", [True, 0], [-1, "x"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wants", "good", "bad"), KINDS, ids=[f"{n} {one[1]}" for n, one in enumerate(KINDS)])
def test_a_kind_accepts_and_refuses(kind: kinds.Kind, wants: str, good: list[Any], bad: list[Any]) -> None:
    assert kind.wants == wants
    assert [value for value in good if not kind.accepts(value)] == []
    assert [value for value in bad if kind.accepts(value)] == []


def test_words_that_can_be_listed() -> None:
    assert kinds.choice("a", "b").words == ("a", "b")
    assert kinds.listed(kinds.choice("a")).words == ("a",)
    assert kinds.either(kinds.choice("a"), kinds.choice("b"), kinds.flag()).words == ("a", "b")


LINES: list[tuple[str, Line, str]] = [
    ("x", Line(True), "True or False"),
    ("x", Line(None, "bool"), "True or False or None"),
    ("x", Line(0.5), "a number from 0"),
    ("x", Line(0.0), "a number from 0"),
    ("x", Line(-0.5), "a number"),
    ("margin", Line(0.5), "a number"),
    ("dropout_prob", Line(0.1), "a number from 0 to 1"),
    ("mask_ratio", Line(0.1), "a number from 0 to 1"),
    ("x", Line(1.0, "float", "Smaller: rarer. Range in [0, 2]."), "a number from 0 to 2"),
    ("x", Line(1, "float"), "a number from 0"),
    ("reg_weight", Line(1), "a number from 0"),  # RecBole writes (int)
    ("weight_size", Line(1), "a whole number from 1"),  # but a size is whole
    ("embedding_size", Line(64), "a whole number from 1"),
    ("hidden_size", Line(0), "a whole number from 0"),
    ("n_layers", Line(2), "a whole number from 0 to 1,000"),
    ("epochs", Line(300), "a whole number from 0"),
    ("x", Line(-1), "a whole number"),
    ("x", Line(None, "int"), "a whole number from 0 or None"),
    ("x", Line(1, "bool"), "a whole number from 0 or True or False"),
    ("x", Line(1, "str"), "a whole number from 0 or text"),
    ("x", Line({"a": 1}), "a mapping such as {name: value}"),
    ("x", Line(None, "dict"), "a mapping such as {name: value} or None"),
    ("x", Line([1, 2]), "a list with at least one entry, each a whole number from 1"),
    ("x", Line([0.1, 0.9]), "a list with 2 entries, each a number from 0"),
    ("x_probs", Line([0.1, 0.9]), "a list with 2 entries, each a number from 0 to 1"),
    ("x", Line([]), "a list with any number of entries, each any value"),
    ("x", Line(["a"]), "a list with at least one entry, each text"),
    ("x", Line(None, "list of int"), "a list with any number of entries, each a whole number from 1 or None"),
    ("x", Line(None, "list of float"), "a list with any number of entries, each a number from 0 or None"),
    ("x", Line("adam", "str", "One of [adam, sgd]."), "one of adam, sgd"),
    ("x", Line("adam", "str", "See [1], or one of [adam, sgd]."), "one of adam, sgd"),
    ("x", Line("other", "str", "One of [adam, sgd]."), "text"),
    ("x", Line(""), "text"),
    ("x", Line(None, "str"), "text or None"),
    ("x", Line(None), "any value"),
]


@pytest.mark.parametrize(("key", "line", "wants"), LINES, ids=[f"{n} {one[2]}" for n, one in enumerate(LINES)])
def test_a_property_line_asks_for_a_kind(key: str, line: Line, wants: str) -> None:
    kind = kind_of(key, line)
    assert kind.wants == wants
    assert kind.accepts(line.default), "the default itself is refused"


def test_lines_of_files_the_later_file_counts(tmp_path: Path) -> None:
    """Each setting has the comment of its own line, and none where its line has none."""
    first = "x: 1  # (int) First.\ny: 2.5\nz:  # (list of str) Nothing.\nv: 1  #\nw: 2  # (int)\n"
    (tmp_path / "a.yaml").write_text(first)
    (tmp_path / "b.yaml").write_text("y: no-comment\nx: [1]  # without types\n")
    lines = property_lines([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert lines == {
        "x": Line([1], "", "without types"), "y": Line("no-comment"), "z": Line(None, "list of str", " Nothing."),
        "v": Line(1), "w": Line(2, "int"),
    }  # fmt: skip


EDGES: dict[str, tuple[list[Any], list[Any]]] = {
    "gpu_id": ([-1, 0, "", "0", "0, 1", "-1"], [-2, "a", "0;1", 1.5]),
    "worker": ([0, 8], [-1, 1_000_000]),
    "seed": ([0, 2**32 - 1], [-1, 2**32]),
    "state": (["INFO", "error"], ["LOUD"]),
    "epochs": ([0], [-1]),
    "train_batch_size": ([1], [0]),
    "learner": (["adam", "AdamW", "sparse_adam"], ["lion"]),
    "learning_rate": ([1e-9], [0]),
    "weight_decay": ([0], [-1e-9]),
    "eval_step": ([0], [-1]),
    "stopping_step": ([0], [-1]),
    "loss_decimal_place": ([0, 15], [-1, 16]),
    "metric_decimal_place": ([0, 15], [-1, 16]),
    "clip_grad_norm.max_norm": ([1e-9], [0]),
    "clip_grad_norm.norm_type": ([1e-9, "inf"], [0, "two"]),
    "train_neg_sample_args.distribution": (["uniform", "popularity", None], ["normal"]),
    "train_neg_sample_args.sample_num": ([1, 100_000], [0, 100_001]),
    "train_neg_sample_args.alpha": ([0], [-0.1]),
    "train_neg_sample_args.candidate_num": ([0, 100_000], [-1, 100_001]),
    "eval_args.split.RS": ([[8, 1, 1], [1, 0, 0]], [[0, 0, 0], [1, 1]]),
    "eval_args.order": (["TO", "RO"], ["to"]),
    "eval_args.group_by": (["user", "none", None], ["item"]),
    "eval_args.mode": (["full", "labeled", "uni1", "pop100", {"valid": "full"}], ["uni", "uni0", "all"]),
    "eval_args.mode.test": (["full", "uni999999999"], ["uni1000000000"]),
    "metrics": (["Recall", ["Recall"]], [[], ""]),
    "topk": ([1, [1], [10, 20]], [0, [], [10, 0]]),
    "valid_metric": (["NDCG@10", "AUC"], ["NDCG@", "NDCG@0", "NDCG 10"]),
    "eval_batch_size": ([1], [0]),
    "threshold": ([{"rating": 4}, None], [{}, {"a": 1, "b": 2}]),
    "seq_len": ([{"title": 1}, None], [{"title": 0}]),
    "rm_dup_inter": (["first", "last", None], [True]),
    "val_interval": ([{"t": "[0,inf)"}, {"t": ["a"]}, None], [{"t": 5}]),
    "user_inter_num_interval": (["[5,inf)", None], [5]),
    "MAX_ITEM_LIST_LENGTH": ([1, 100_000], [0, 100_001]),
    "benchmark_filename": ([["a", "b", "c"], None], [["a", "b"], ["a", "b", ""]]),
    "load_col": ([{"inter": ["a"]}, {"inter": "*"}, {"inter": None}, None], [["a"], {"inter": [1]}]),
}


@pytest.mark.parametrize("name", EDGES)
def test_general_settings_at_the_edges_of_what_they_may_be(name: str) -> None:
    good, bad = EDGES[name]
    assert [value for value in good if not RULES[name].accepts(value)] == []
    assert [value for value in bad if RULES[name].accepts(value)] == []
