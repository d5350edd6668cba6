"""Remedies that are tried: the first that cures is kept, two faults need two, what no setting cures is said so."""

import yaml
from faults.setups import Fault, builder
from faults.worlds import two_tastes

from recbole_alibaba.diagnosis.causes.cause_ranking import merged, ranked
from recbole_alibaba.diagnosis.cures.other_conversions import advise_conversion
from recbole_alibaba.diagnosis.cures.outcome import Examination
from recbole_alibaba.diagnosis.cures.trials import burden, options, try_remedies
from recbole_alibaba.diagnosis.examination import consult
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.report.report_files import command_line, property_file


def tried(tmp_path, **settings):
    build, known = builder(Fault("faulty", "", settings=settings), two_tastes(), tmp_path)
    return try_remedies(build, consult(build, {}, known, batches_an_epoch=20), known)


def test_two_faults_are_cured_together_and_the_cure_is_a_property_file(tmp_path):
    cure = tried(tmp_path, learner="adam", weight_decay=1e-2, reg_weight=10.0)
    assert cure.before.ill and cure.kept is cure.tries[-1]
    changes = cure.kept.changes
    assert changes["reg_weight"] == 1e-5
    assert changes.get("learner") == "adamw" or changes.get("weight_decay") == 0.0
    assert yaml.safe_load(property_file(cure)) == dict(changes)
    after = [record["bpr"] for record in cure.kept.examination.history]
    assert after[-1] < 0.5 < cure.before.history[-1]["bpr"]


def test_the_same_seed_and_batches_begin_with_the_same_loss(tmp_path):
    cure = tried(tmp_path, learning_rate=1e-8)
    before, after = cure.before.history, cure.kept.examination.history
    assert before[0]["batches"] == after[0]["batches"]
    assert {trial.examination.batches for trial in cure.tries} == {cure.before.batches} == {20}
    # The first step is taken from the same weights on the same batch, so the first epochs are near.
    assert abs(before[0]["bpr"] - after[0]["bpr"]) < 0.01


def test_nothing_to_change_is_no_cure(tmp_path):
    def shuffled(world):
        return world.with_rows(world.users[:400], world.items[:400], world.times[:400])

    build, known = builder(Fault("thin", "", spoil_world=shuffled), two_tastes(), tmp_path)
    cure = try_remedies(build, consult(build, {}, known, batches_an_epoch=20), known)
    assert cure.before.ill and cure.kept is None
    assert property_file(cure) == ""


def finding(name, severity="warning", causes=(), **changes):
    return Finding(name, severity, 1.0, 0.0, causes=tuple(causes), changes=changes)


def test_the_order_of_causes():
    findings = [
        finding("flat", causes=("learning-rate-too-small", "thin-data")),
        finding("coupled-decay", "error", ("coupled-decay",)),
        finding("stuck-at-ln2", "error", ("coupled-decay", "thin-data")),
        finding("double-regularisation", "advice", ("double-regularisation",)),
    ]
    assert ranked(findings) == ["coupled-decay", "thin-data", "learning-rate-too-small", "double-regularisation"]


def test_a_symptom_comes_after_what_was_measured():
    findings = [finding(name, severity, (name,)) for name, severity in (("cannot-overfit", "error"), ("a", "warning"))]
    assert ranked(findings) == ["a", "cannot-overfit"]


def test_a_cause_named_second_counts_half():
    findings = [finding("flat", "warning", ("a", "c")), finding("rising", "error", ("b", "c"))]
    assert ranked(findings) == ["b", "c", "a"]


def test_what_was_measured_outweighs_two_errors_and_not_three():
    measured = finding("a", "error", ("a",))
    for errors, first in ((2, "a"), (3, "b")):
        assert ranked([measured, *(finding(f"other{n}", "error", ("b",)) for n in range(errors))])[0] == first
    advice = finding("a", "advice", ("a",))
    assert ranked([advice, finding("other", "warning", ("b",))])[0] == "b"


def test_thin_data_come_before_what_they_may_cause():
    thin, measured = finding("few-users", "warning", ("thin",)), finding("a", "error", ("a",))
    assert ranked([measured, thin]) == ["thin", "a"]  # 2 + 8 against 3 + 4
    assert ranked([measured, finding("few-users", "advice", ("thin",))]) == ["a", "thin"]


def test_only_thin_data_are_converted_anew():
    for found in (finding("flat", "error"), finding("few-users", "advice")):
        examined = Examination({}, [found])
        advise_conversion(examined, None, {})  # which would build an experiment
        assert examined.findings == [found]


def test_hardly_any_data_are_the_only_finding():
    other = finding("flat", "error")
    for number, names in ((9.9, ["thin-data"]), (10.0, ["flat", "thin-data"])):
        thin = Finding("thin-data", "warning", number, 100.0)
        assert [one.id for one in merged([other, thin])] == names
    assert [one.id for one in merged([other, finding("few-users", "error")])] == ["few-users", "flat"]


def test_of_two_findings_with_one_id_the_worse_counts():
    first, second = finding("coupled-decay", "warning"), finding("coupled-decay", "error")
    assert merged([first, second]) == merged([second, first]) == [second]


def test_of_two_equal_findings_the_later_counts_which_was_measured():
    read, measured = (Finding("coupled-decay", "warning", number, 0.0) for number in (1.0, 2.0))
    assert merged([read, measured]) == [measured]


def test_each_option_is_offered_once_the_likeliest_cause_s_first():
    examined = Examination(
        {"learning_rate": 1e-8},
        [
            finding("learning-rate-too-small", "error", ("learning-rate-too-small",), learning_rate=0.001),
            finding("flat", "warning", ("learning-rate-too-small", "coupled-decay"), learning_rate=0.001),
        ],
    )
    offered = [option for _, option in options(examined)]
    assert offered[:2] == [{"learning_rate": 0.001}, {"learning_rate": 0.01}]
    assert {"learner": "adamw"} in offered
    assert all(offered.count(option) == 1 for option in offered)
    assert burden(examined) > burden(Examination({}, verdicts=[object()])) == 0


def test_a_command_line_survives_a_shell(tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)  # no clone of the project, so there is no run.py

    line = command_line(
        Examination({"model": "BPR", "dataset": "d"}),
        {"clip_grad_norm": {"max_norm": 1.0}, "topk": [10]},
        "a.yaml b.yaml",
    )
    words = shlex.split(line)
    assert words[1:4] == ["run", "--model=BPR", "--dataset=d"] and words[0].endswith("recbole-alibaba")
    assert "--config_files=a.yaml b.yaml" in words and "--topk=[10]" in words
    assert yaml.safe_load(words[5].partition("=")[2]) == {"max_norm": 1.0}
