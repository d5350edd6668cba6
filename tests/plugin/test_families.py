"""All families of RecBole's models run with the checks on, and give what they give without them."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recbole_alibaba import build_config, examine, prepare, run
from recbole_alibaba.diagnosis.examination import preflight
from recbole_alibaba.diagnosis.signs import find_signs
from recbole_alibaba.host.errors import BadSettingError, UnknownModelError
from recbole_alibaba.host.registry import find_model

QUICK = {"epochs": 2, "show_progress": False, "train_batch_size": 64, "topk": [5], "valid_metric": "NDCG@5"}
QUICK |= {"metric_decimal_place": 12}
LABELLED: dict[str, Any] = {
    "load_col": {"inter": ["user_id", "item_id", "rating"]},
    "threshold": {"rating": 3},
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": None, "mode": "labeled"},
    "metrics": ["AUC", "LogLoss"],
    "valid_metric": "AUC",
}
KNOWLEDGE: dict[str, Any] = {
    "load_col": {
        "inter": ["user_id", "item_id"],
        "kg": ["head_id", "relation_id", "tail_id"],
        "link": ["item_id", "entity_id"],
    }
}
NO_NEGATIVES: dict[str, Any] = {"train_neg_sample_args": None}
SEQUENCES: dict[str, Any] = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "MAX_ITEM_LIST_LENGTH": 10,
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
    **NO_NEGATIVES,
}
# LINE, DiffRec and MacridVAE keep more than their weights. SGL, MacridVAE and BERT4Rec draw random numbers when
# operations are counted, KTUP and MacridVAE when they score.
MODELS: dict[str, dict[str, Any]] = {
    "FM": LABELLED,
    "CFKG": KNOWLEDGE,
    "KTUP": KNOWLEDGE,
    "GRU4Rec": SEQUENCES,
    "SINE": SEQUENCES,
    "LINE": {},
    "DiffRec": NO_NEGATIVES,
    "SGL": {},
    "MacridVAE": NO_NEGATIVES,
    "BERT4Rec": SEQUENCES,
    "Random": NO_NEGATIVES,
}
LIKE_RECBOLE = ("CFKG", "KTUP", "SGL", "MacridVAE", "BERT4Rec")


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`small`: 30 users rate 8 of 20 items each; an entity for each item, and its kind."""
    folder, rng = tmp_path_factory.mktemp("families") / "small", np.random.default_rng(1)
    folder.mkdir()
    log = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(30):
        for time, item in enumerate(rng.permutation(20)[:8]):
            log.append(f"u{user}\ti{item}\t{rng.integers(1, 6)}\t{time}")
    triples = [
        "head_id:token\trelation_id:token\ttail_id:token",
        *(f"e{item}\tkind\tk{item % 4}" for item in range(20)),
    ]
    links = ["item_id:token\tentity_id:token", *(f"i{item}\te{item}" for item in range(20))]
    for suffix, lines in (("inter", log), ("kg", triples), ("link", links)):
        (folder / f"small.{suffix}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder.parent


def settings(data_path: Path, model: str, **more: Any) -> dict[str, Any]:
    return {**QUICK, "data_path": str(data_path), **MODELS[model], **more}


@pytest.mark.parametrize("model", MODELS)
def test_the_checks_and_the_watching_change_no_result(
    data_path: Path, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        looked = run(model, "small", config_dict=settings(data_path, model))
    assert "itself failed" not in caplog.text and "left out" not in caplog.text and "any more" not in caplog.text
    alone = run(model, "small", config_dict=settings(data_path, model, preflight=False, watch=False))
    assert looked["test_result"] == alone["test_result"]
    assert looked["best_valid_result"] == alone["best_valid_result"]


@pytest.mark.parametrize("model", LIKE_RECBOLE)
def test_a_run_gives_what_recbole_gives(
    data_path: Path, model: str, no_arguments: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recbole.quick_start import run_recbole

    monkeypatch.setattr("psutil.cpu_percent", lambda **_: 0.0)  # RecBole measures a second long
    ours = run(model, "small", config_dict=settings(data_path, model))
    theirs = run_recbole(model, "small", config_dict=settings(data_path, model))
    assert ours["test_result"] == theirs["test_result"]
    assert ours["best_valid_result"] == theirs["best_valid_result"]


@pytest.mark.parametrize("model", ["FM", "CFKG", "GRU4Rec"])
def test_the_doctor_examines_what_it_can(data_path: Path, model: str) -> None:
    found = examine(model, "small", config_dict=settings(data_path, model), epochs=2, seconds=0.1)
    assert len(found.history) == 2
    assert [verdict.say() for verdict in found.verdicts if verdict.skipped == "check-stopped"] == []
    assert {finding.id for finding in found.findings if finding.severity == "error"} <= {"thin-data"}


def test_a_check_that_fails_is_one_line_in_the_log(data_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = prepare(build_config("BPR", "small", config_dict={**QUICK, "data_path": str(data_path)}))

    def predict(batch: Any) -> Any:
        raise ZeroDivisionError("no scores today")

    made.model.predict = predict
    with caplog.at_level(logging.INFO):
        findings = preflight(made)
    assert {"thin-data", "few-users"} <= {finding.id for finding in findings}
    assert caplog.text.count("no scores today") == 1


def test_a_package_that_only_one_model_needs_is_named(data_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NCL imports faiss in its first epoch; the package has another name."""
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UnknownModelError, match="pip install faiss-cpu"):
        run("NCL", "small", config_dict={**QUICK, "data_path": str(data_path), "num_clusters": 4})


def test_a_model_that_recbole_itself_cannot_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is lightgbm.yaml, its class LightGBM."""
    for library in ("lightgbm", "xgboost"):
        monkeypatch.setitem(sys.modules, library, SimpleNamespace(Booster=object))
    before = set(sys.modules)
    with pytest.raises(UnknownModelError, match="cannot load the model 'lightgbm': its settings file and its class"):
        find_model("lightgbm")
    for name in set(sys.modules) - before:  # made of the stand-ins
        del sys.modules[name]


def test_more_clusters_than_users_are_refused(data_path: Path) -> None:
    """The doctor, too, says that NCL cannot be trained so."""
    small = {**QUICK, "data_path": str(data_path)}
    with pytest.raises(BadSettingError, match="num_clusters"):
        run("NCL", "small", config_dict=small)
    assert "num_clusters" in " ".join(
        finding.message for finding in examine("NCL", "small", config_dict=small).findings
    )


@pytest.mark.parametrize(
    ("losses", "sign"), [([0.693, 0.6931, 0.6931], "stuck-at-ln2"), ([1.0, 0.9, 0.95, 1.0, 1.05], "rising")]
)
def test_the_course_of_a_loss_is_judged_where_its_terms_are_known(losses: list[float], sign: str) -> None:
    """KTUP's loss is another one in every fifth epoch, GCMC's is noisy and no BPR."""
    history = [{"epoch": epoch, "loss": loss} for epoch, loss in enumerate(losses)]
    assert sign in {finding.id for finding in find_signs(history)}
    assert find_signs(history, {"another_model": True}) == []
