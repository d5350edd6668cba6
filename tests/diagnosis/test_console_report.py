"""The doctor's report in the terminal: what is said, in which colour, and what is said once."""

import click
import pytest

from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination, Trial
from recbole_alibaba.diagnosis.findings import Finding, Verdict
from recbole_alibaba.diagnosis.report.console import console

SETTINGS = {"model": "AlibabaLightGCN", "dataset": "tastes"}
RATE = Finding(
    "updates-too-small", "error", 1e-9, 1e-5, causes=("learning-rate-too-small",), changes={"learning_rate": 0.001}
)
FEW = Finding("few-users", "warning", 3, 50, causes=("thin-data",))
SKIPPED = Verdict("negatives", "sampler-hits-positives", 0, 0, None, "no-negatives")


def lines(examined: Examination, cure: Cure | None = None, verbose: bool = False) -> list[str]:
    return console(examined, cure, "en", verbose).splitlines()


def test_the_headline_says_healthy_in_green_and_ill_in_red() -> None:
    well, ill = lines(Examination(SETTINGS)), lines(Examination(SETTINGS, [RATE]))
    assert well[0].startswith("\x1b[32m\x1b[1m") and "healthy" in well[0] and "AlibabaLightGCN" in well[0]
    assert ill[0].startswith("\x1b[31m\x1b[1m") and "healthy" not in ill[0]


def test_findings_hide_the_measures_unless_they_are_asked_for() -> None:
    verdicts = [Verdict("population", "few-users", 60, 50, None), SKIPPED]
    plain = [click.unstyle(line) for line in lines(Examination(SETTINGS, [RATE], verdicts))]
    whole = [click.unstyle(line) for line in lines(Examination(SETTINGS, [RATE], verdicts), verbose=True)]
    well = [click.unstyle(line) for line in lines(Examination(SETTINGS, [], verdicts))]
    assert not any(line.startswith("+ ") for line in plain) and any(SKIPPED.say("en") in line for line in plain)
    for shown in (whole, well):
        assert shown[2] == f"+ {verdicts[0].say('en')}" and shown[3] == f"? {SKIPPED.say('en')}"
        assert sum(SKIPPED.say("en") in line for line in shown) == 1
    wrong = Verdict("population", "few-users", 40, 50, FEW)
    marked = lines(Examination(SETTINGS, [FEW], [*verdicts, wrong]), verbose=True)[2:5]
    assert [line[:6] for line in marked] == ["\x1b[32m+", "\x1b[37m?", "\x1b[31mx"]


def test_one_remedy_of_several_findings_is_said_once() -> None:
    again = Finding("loss-differs", "warning", 0.69, 0.69, causes=RATE.causes, changes=RATE.changes)
    report = [click.unstyle(line) for line in lines(Examination(SETTINGS, [RATE, again]))]
    remedies = [line for line in report if line.strip().endswith(RATE.advise("en"))]
    assert RATE.advise("en") == again.advise("en") and len(remedies) == 1
    assert len([line for line in lines(Examination(SETTINGS, [RATE, FEW])) if line.startswith("   ")]) == 2


@pytest.mark.parametrize("severity", ["warning", "advice"])
def test_causes_are_named_where_something_is_wrong(severity: str) -> None:
    found = Finding("updates-too-small", severity, 1e-9, 1e-5, causes=RATE.causes)  # type: ignore[arg-type]
    report = "\n".join(lines(Examination(SETTINGS, [found])))
    assert ("(learning-rate-too-small)" in report) is (severity == "warning")
    assert {"warning": "\x1b[33m", "advice": "\x1b[36m"}[severity] in report


def test_what_was_tried_and_what_it_left() -> None:
    history = [{"loss": 0.69314, "bpr": 0.6931}, {"loss": 0.5, "bpr": 0.5}]
    before = Examination(SETTINGS, [RATE], [], history[:1])
    advice = Finding("few-items", "advice", 3, 50)
    tries = [
        Trial({"learning_rate": 0.1}, "learning-rate-too-small", Examination(SETTINGS, [FEW, advice])),
        Trial({"learning_rate": 0.001}, "learning-rate-too-small", Examination(SETTINGS, [advice], [], history)),
    ]
    report = "\n".join(lines(before, Cure(before, tries)))
    assert "learning_rate: 0.1: " in report and "few-users" in report.partition("learning_rate: 0.1:")[2]
    assert "few-items" not in report.partition("learning_rate: 0.1:")[2].partition("\n")[0]
    assert "cured" in report.partition("learning_rate: 0.001:")[2].partition("\n")[0]
    assert "0.6931 0.5000" in report.splitlines()[-1]
    no_cure = lines(before, Cure(before, tries[:1]))[-1]
    assert "0.6931" not in no_cure and no_cure != report.splitlines()[-1]
