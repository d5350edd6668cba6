"""Does each of RecBole's models give the same metrics through run.py as in RecBole's own `run_recbole`?

python -m tests.plugin.every_model [MODEL ...] [--jobs 2] [--render]

One epoch on ml-100k, which RecBole brings; one process a run. results/records/models.json keeps what was seen, and
docs/models.md is drawn from it. A model that stands there already is run again only when it is named.
"""

import importlib.metadata
import json
import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
RECORDS, PAGE = ROOT / "results" / "records" / "models.json", ROOT / "docs" / "models.md"
SECONDS = 900
QUICK: dict[str, Any] = {"epochs": 1, "show_progress": False, "topk": [10], "state": "WARNING", "gpu_id": ""}
NO_NEGATIVES = {"train_neg_sample_args": None}
FEATURES = {"user": ["user_id", "age", "gender", "occupation"], "item": ["item_id", "release_year", "class"]}
ROWS = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
LABELLED: dict[str, Any] = {
    "load_col": ROWS | FEATURES,
    "threshold": {"rating": 4},
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": None, "mode": "labeled"},
    "metrics": ["AUC", "LogLoss"],
    "valid_metric": "AUC",
}
# An epoch of all histories takes a sequential model, and these, half an hour.
SLOW = ("ConvNCF", "FISM", "NAIS", "NNCF", "RippleNet")
SHORT: dict[str, Any] = {"user_inter_num_interval": "[5,30]"}
SEQUENCES: dict[str, Any] = {
    **SHORT,
    "load_col": ROWS | {"item": FEATURES["item"]},
    "MAX_ITEM_LIST_LENGTH": 10,
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
}
SAMPLED: dict[str, Any] = {
    **SEQUENCES,
    "load_col": ROWS | FEATURES,
    "eval_args": SEQUENCES["eval_args"] | {"mode": "uni100"},
    "metrics": ["AUC", "LogLoss"],
    "valid_metric": "AUC",
}
KNOWLEDGE: dict[str, Any] = {
    "load_col": {**ROWS, "kg": ["head_id", "relation_id", "tail_id"], "link": ["item_id", "entity_id"]}
}
OWN: dict[str, dict[str, Any]] = {
    "AlibabaLightGCN": {"valid_metric": "NDCG@10", "fast_loader": False},
    "DIN": SAMPLED,
    "DIEN": SAMPLED,
    "GRU4RecKG": {**SEQUENCES, "load_col": KNOWLEDGE["load_col"]},
    "KSR": {**SEQUENCES, "load_col": KNOWLEDGE["load_col"]},
    "NCL": {"num_clusters": 10},
    "RaCT": {"pretrain_epochs": 1, "save_step": 1, **NO_NEGATIVES},
    "S3Rec": {"pretrain_epochs": 1, "save_step": 1},
}


def family(model: str) -> str:
    """The folder of RecBole in which a model lies."""
    from recbole_alibaba.host.registry import FAMILIES

    root = Path(sys.modules["recbole"].__path__[0]) / "model"
    return next((name for name in FAMILIES if (root / name / f"{model.lower()}.py").exists()), FAMILIES[0])


def settings(model: str) -> dict[str, Any]:
    """Settings under which RecBole itself trains this model."""
    kind = {
        "context_aware_recommender": LABELLED,
        "exlib_recommender": LABELLED,
        "sequential_recommender": SEQUENCES,
        "knowledge_aware_recommender": KNOWLEDGE,
    }
    short = SHORT if model in SLOW else {}
    found = {**QUICK, **kind.get(family(model), {"load_col": ROWS}), **short, **OWN.get(model, {})}
    return found if takes_negatives(model) else {**found, **NO_NEGATIVES}


def takes_negatives(model: str) -> bool:
    """Whether RecBole draws negatives for a model: not for pointwise scores of all items, and not with loss_type CE."""
    from recbole.quick_start.quick_start import get_model
    from recbole.utils import InputType

    from recbole_alibaba.settings.property_files import read_mapping

    if family(model) == "sequential_recommender":
        file = Path(sys.modules["recbole"].__path__[0]) / "properties" / "model" / f"{model}.yaml"
        return not file.exists() or read_mapping(file).get("loss_type") != "CE"
    without = ("CDAE", "DiffRec", "EASE", "ENMF", "LDiffRec", "MacridVAE", "MultiDAE", "MultiVAE", "NCEPLRec", "Random")
    without += ("RecVAE", "ADMMSLIM", "SLIMElastic", "Pop", "ItemKNN", "AsymKNN")
    return model not in without and getattr(get_model(model), "input_type", None) != InputType.LISTWISE


def train(model: str, through: str, answer: Connection) -> None:
    """One run in a process of its own; its metrics, or the error in one line."""
    import recbole
    import torch

    import recbole_alibaba

    sys.argv = sys.argv[:1]
    os.chdir(tempfile.mkdtemp())
    torch.set_num_threads(1)
    with Path("said.txt").open("w", encoding="utf-8") as said, redirect_stdout(said), redirect_stderr(said):
        try:
            if through == "run_recbole":
                from recbole.quick_start import run_recbole

                found = run_recbole(model=model, dataset="ml-100k", config_dict=settings(model))
            else:
                found = recbole_alibaba.run(model, "ml-100k", config_dict=settings(model))
            if found[METRICS[0]] is None:
                answer.send({"error": "trained; RecBole does not validate this stage, which is pretraining"})
                return
            parts = {part: {key: float(value) for key, value in found[part].items()} for part in METRICS}
            answer.send({"metrics": parts})
        except BaseException as error:
            message = " ".join(str(error).split()).replace(f"{Path(recbole.__path__[0]).parent}/", "")
            answer.send({"error": f"{type(error).__name__}: {message}"[:300]})


METRICS = ("best_valid_result", "test_result")


def ran(model: str, through: str) -> dict[str, Any]:
    """What `train` answers; an error where its process dies or takes too long."""
    mine, its = CONTEXT.Pipe()
    process = CONTEXT.Process(target=train, args=(model, through, its), daemon=True)
    process.start()
    its.close()
    try:
        return mine.recv() if mine.poll(SECONDS) else {"error": f"not ready after {SECONDS} s"}
    except EOFError:
        return {"error": "the process died"}
    finally:
        process.kill()
        process.join()


CONTEXT = multiprocessing.get_context("forkserver")


def page(record: Mapping[str, Any], missing: Sequence[str]) -> str:
    """docs/models.md from the record; `missing` are the models that were not run."""
    rows, same = [], 0
    for model, one in sorted(record["models"].items(), key=lambda item: (item[1]["family"], item[0].lower())):
        stock, ours = one["run_recbole"], one["run.py"]
        equal = "metrics" in stock and stock == ours
        same += equal
        rows.append(f"| {model} | {one['family'].replace('_', ' ')} | {_cell(stock)} | {_cell(ours)} | {_same(one)} |")
    both = sum("metrics" in one["run_recbole"] and "metrics" in one["run.py"] for one in record["models"].values())
    return "\n".join(
        [
            "# Every model of RecBole through run.py",
            "",
            f"Drawn by `make models` from `results/records/models.json`, {record['date']}: {record['versions']}.",
            "One epoch on ml-100k, one thread, RecBole's default settings of the model. Sequential models and "
            f"{', '.join(SLOW)}",
            "on the users with 5 to 30 ratings. `run.py` with its checks and its watching, as anybody would start it.",
            "",
            f"{both} of {len(rows)} models run in both; {same} of these give the same metrics on validation and test, "
            "digit for digit.",
            *(["", f"Not run yet: {', '.join(missing)}."] if missing else []),
            "",
            "| model | family | `run_recbole` | `run.py` | same metrics |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(run: Mapping[str, Any]) -> str:
    if "error" in run:
        return str(run["error"]).replace("|", "/")
    name, value = next(iter(run["metrics"]["test_result"].items()))
    return f"{name} {value:.4f}"


def _same(one: Mapping[str, Any]) -> str:
    runs = one["run_recbole"], one["run.py"]
    if not all("metrics" in run for run in runs):
        return ""
    return "yes" if runs[0] == runs[1] else "**no**"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1)
@click.option("--jobs", default=2, show_default=True, help="Runs at once.")
@click.option("--render", is_flag=True, help="Only draw docs/models.md again.")
def main(models: tuple[str, ...], jobs: int, render: bool) -> None:
    """Run each model both ways, and draw docs/models.md."""
    from recbole_alibaba.host.registry import model_names

    record = json.loads(RECORDS.read_text("utf-8")) if RECORDS.exists() else {"models": {}}
    if not render:
        CONTEXT.set_forkserver_preload(["recbole.quick_start", "recbole_alibaba.training", "thop"])
        versions = [f"{name} {importlib.metadata.version(name)}" for name in ("recbole", "torch", "numpy", "pandas")]
        record |= {"date": f"{date.today()}", "versions": ", ".join([f"Python {platform.python_version()}", *versions])}

        def both(model: str) -> None:
            runs = {through: ran(model, through) for through in ("run_recbole", "run.py")}
            record["models"][model] = {"family": family(model).removesuffix("_recommender"), **runs}
            click.echo(f"{model}: {_cell(runs['run_recbole'])} | {_cell(runs['run.py'])}")
            RECORDS.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(both, models or [name for name in model_names() if name not in record["models"]]))
    missing = [name for name in model_names() if name not in record["models"]]
    PAGE.write_text(page(record, missing), encoding="utf-8")


if __name__ == "__main__":
    main()
