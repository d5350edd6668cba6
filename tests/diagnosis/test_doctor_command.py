"""The command: exit codes, both languages, files that stand alone, a raw log whose core is empty."""

import json
import re

import click
import pytest
import yaml
from click.testing import CliRunner
from faults.setups import COMMON
from faults.worlds import two_tastes

from recbole_alibaba.diagnosis.doctor_command import doctor, findable
from recbole_alibaba.diagnosis.examination import examine
from recbole_alibaba.host.errors import BadInput

SETTINGS = {key: value for key, value in COMMON.items() if key not in ("state", "show_progress")}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    two_tastes().write(tmp_path / "dataset", "tastes")
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(SETTINGS))

    def run(*words):
        return CliRunner().invoke(doctor, ["--dataset=tastes", "--config_files=all.yaml", *words])

    return run


def test_healthy_is_exit_code_0_and_every_measure_is_shown(run):
    result = run()
    assert result.exit_code == 0, result.output
    assert "healthy" in result.output and "distinct pairs, held-out ones included: 1,560" in result.output


def test_ill_is_exit_code_3_with_cause_number_and_remedy_in_chinese_too(run):
    words = ("--learner=adam", "--weight_decay=0.01")
    english, chinese = run(*words), run(*words, "--lang=zh")
    assert english.exit_code == chinese.exit_code == 3
    assert "coupled-decay" in english.output and "100%" in english.output and "learner: adamw" in english.output
    assert "权重衰减" in chinese.output and "coupled-decay" in chinese.output and "最可能的原因" in chinese.output


@pytest.mark.parametrize("words", [["--lerning_rate=1"], ["--dataset=nowhere"], ["--model=BRP"], ["--lang=fr"]])
def test_bad_usage_is_exit_code_2(run, words):
    result = run(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_what_was_tried_is_written_and_cures(run, tmp_path):
    result = run("--learning_rate=1e-8", "--try", "--output=out")
    assert result.exit_code == 3 and "cured" in result.output
    cure = yaml.safe_load((tmp_path / "out" / "cure.yaml").read_text())
    assert cure == {"learning_rate": 0.001}
    report = json.loads((tmp_path / "out" / "doctor.json").read_text())
    assert report["causes"][0]["id"] == "learning-rate-too-small" and not report["healthy"]
    assert report["tries"][-1]["cured"] and len(report["history"]) == 6
    page = (tmp_path / "out" / "doctor.html").read_text()
    assert "<script" not in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")  # self-contained
    for chart in (
        "BPR loss",
        "L2 loss",
        "Score gap of positives and negatives",
        "Update over size",
        "Validation: ndcg@10",
    ):
        assert f"<title>{chart}, before</title>" in page and f"<title>{chart}, after</title>" in page
    assert page.count(">1 interactions<") == 1  # the heading of its measures
    # The printed command line carries the cure.
    assert re.search(r"recbole-alibaba run .*--learning_rate=0.001", result.output)
    assert run("--config_files=all.yaml out/cure.yaml").exit_code == 0


def test_json_instead_of_text(run):
    report = json.loads(run("--json", "--topk=[100]", "--valid_metric=NDCG@100").stdout)
    assert [found["id"] for found in report["findings"]] == ["topk-above-items"]


def test_the_list_names_everything_in_both_languages():
    for lang in ("en", "zh"):
        lines = CliRunner().invoke(doctor, ["--list", f"--lang={lang}"]).output.splitlines()
        assert len(lines) == len(findable()) > 55
    names = [line.split()[0] for line in lines]
    for name in ("coupled-decay", "stuck-at-ln2", "thin-data", "sampler-hits-positives", "repeats-leak"):
        assert name in names


def test_an_id_is_explained_and_an_unknown_one_gets_its_neighbours():
    explained = CliRunner().invoke(doctor, ["--explain", "coupled-decay"]).output
    assert explained.startswith("coupled-decay: weight decay is divided by the gradient's size\nSays: Weight decay ...")
    assert "Measured: rows of the fresh model" in explained and "Remedy: Set learner: adamw:" in explained
    for name in findable():
        for lang in ("en", "zh"):
            done = CliRunner().invoke(doctor, [f"--explain={name}", f"--lang={lang}"])
            assert done.exit_code == 0 and not re.search(r"{\w+(:[.,\d][^}]*)?}", done.output)
    unknown = CliRunner().invoke(doctor, ["--explain=stuck-at-ln"])
    assert unknown.exit_code == 2 and "Near: stuck-at-ln2," in unknown.stderr
    assert CliRunner().invoke(doctor, ["--explain"]).output == CliRunner().invoke(doctor, ["--list"]).output


def test_what_was_not_examined_is_not_called_broken(run):
    told = run("--metrics=[Recall]", "--valid_metric=Recall@10", "--model=Pop").output
    assert "loss after overfitting one batch: not examined" in told
    assert "cannot overfit" not in told


def test_colours_only_on_a_terminal(run):
    plain = run().output
    assert plain == click.unstyle(plain)
    words = ["--dataset=tastes", "--config_files=all.yaml"]
    coloured = CliRunner().invoke(doctor, words, color=True).output
    assert coloured != click.unstyle(coloured)
    unwanted = CliRunner().invoke(doctor, words, color=True, env={"NO_COLOR": "1"}).output
    assert unwanted == click.unstyle(unwanted)


def test_a_raw_log_whose_core_is_empty_gets_a_converter_line_that_works(tmp_path, monkeypatch):
    from dataset_prep.__main__ import main as prep
    from dataset_prep.sources.sample import write_sample

    monkeypatch.chdir(tmp_path)
    users, items = write_sample(tmp_path / "log")
    asked = {"behaviors": "4", "min_user": 5, "min_item": 5, "strict": True}
    (tmp_path / "before.yaml").write_text(yaml.safe_dump({"prep": asked}))
    words = [f"--raw={users}", f"--raw-items={items}", "--config_files=before.yaml", "--dataset=mended"]
    result = CliRunner().invoke(doctor, words)
    assert result.exit_code == 3
    assert "empty-core" in result.output and "leaves 0 pairs" in result.output
    line = re.search(r"tried and is healthy: python -m dataset_prep (.*)", result.output).group(1)
    converted = CliRunner().invoke(prep, [*line.split(), "--name=mended"])
    assert converted.exit_code == 0, converted.output
    assert len((tmp_path / "dataset" / "mended" / "mended.inter").read_text().splitlines()) > 1_000


def test_what_a_raw_log_leaves_is_the_number_of_the_finding(tmp_path, monkeypatch):
    from dataset_prep.sources.sample import write_sample

    monkeypatch.chdir(tmp_path)
    users, _ = write_sample(tmp_path / "log")
    (tmp_path / "much.yaml").write_text(yaml.safe_dump({"prep": {"min_interactions": 10**6}}))
    result = CliRunner().invoke(doctor, [f"--raw={users}", "--config_files=much.yaml", "--dataset=x", "--json"])
    assert result.exit_code == 3
    ((finding,),) = (json.loads(result.stdout)["findings"],)
    assert json.loads(result.stdout)["model"] == "AlibabaLightGCN"
    (tmp_path / "model.yaml").write_text("model: BPR\n")
    named = CliRunner().invoke(
        doctor, [f"--raw={users}", "--config_files=much.yaml model.yaml", "--dataset=x", "--json"]
    )
    assert json.loads(named.stdout)["model"] == "BPR"
    assert finding["id"] == "raw-log-leaves-too-little" and finding["threshold"] == 10**6
    assert finding["number"] > 1_000 and f"leaves {finding['number']:,} pairs" in finding["message"]
    assert "Other behaviours, items or thresholds do not leave enough either" in finding["message"]


def test_a_raw_log_that_is_absent_is_bad_usage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(doctor, ["--raw=nothing.csv", "--dataset=x"])
    assert result.exit_code == 2 and "nothing.csv" in result.output


def test_the_doctor_as_a_function_finds_the_same_and_prints_nothing(run, capfd):
    words = ["--learner=adam", "--weight_decay=0.01"]
    report = json.loads(run(*words, "--json").stdout)
    capfd.readouterr()
    examined = examine(
        dataset="tastes", config_file_list=["all.yaml"], config_dict={"learner": "adam", "weight_decay": 0.01}
    )
    assert 0 < examined.seconds < 600
    assert capfd.readouterr() == ("", "")
    assert examined.ill and examined.causes == [cause["id"] for cause in report["causes"]]
    assert [found.id for found in examined.findings] == [found["id"] for found in report["findings"]]
    assert len(examined.history) == 6 and examined.verdicts
    with pytest.raises(BadInput, match="nowhere"):
        examine(dataset="nowhere")


def test_what_keeps_a_data_set_from_being_loaded_is_a_finding_of_the_function(run):
    alone = {"eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}}}
    examined = examine(dataset="tastes", config_file_list=["all.yaml"], config_dict=alone, epochs=1, seconds=1)
    assert [(found.id, found.severity) for found in examined.findings] == [("nothing-held-out", "error")]
