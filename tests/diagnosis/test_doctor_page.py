"""The doctor's report as a page: its verdict, its key figures, its sections, before and after a cure."""

import re
from typing import Any

import pytest

from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination, Trial
from recbole_alibaba.diagnosis.findings import Finding, Severity, Verdict
from recbole_alibaba.diagnosis.report.doctor_page import page

SETTINGS = {"model": "AlibabaLightGCN", "dataset": "tastes", "valid_metric": "NDCG@10"}
CAUSE, TITLE = "learning-rate-too-small", "the learning rate is too small"


def found(severity: Severity, **more: Any) -> Finding:
    return Finding("updates-too-small", severity, 1e-9, 1e-5, **more)


def history(*losses: float) -> list[dict[str, Any]]:
    return [{"epoch": n, "loss": loss, "bpr": loss, "reg": 0.0} for n, loss in enumerate(losses)]


def verdict(html: str) -> tuple[str, str]:
    """(its tone, its sentence)"""
    (shown,) = re.findall(r'<header class="verdict (\w+)"><h1>(.*?)</h1>', html)
    return shown


def figures(html: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))


def sections(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


@pytest.mark.parametrize(
    ("findings", "tone", "names_the_cause"),
    [
        ([], "well", False),
        ([found("advice", causes=(CAUSE,))], "well", False),
        ([found("warning", causes=(CAUSE,))], "warning", True),
        ([found("error", causes=(CAUSE,))], "error", True),
        ([found("warning"), found("error", causes=(CAUSE,))], "error", True),
        ([found("error")], "error", False),
    ],
)
def test_the_verdict_has_the_tone_and_the_cause_of_the_findings(
    findings: list[Finding], tone: str, names_the_cause: bool
) -> None:
    shown = verdict(page(Examination(SETTINGS, findings), None, "en"))
    assert shown[0] == tone and (TITLE in shown[1]) is names_the_cause


def test_the_key_figures_are_counted() -> None:
    measures = [Verdict("population", "few-users", 60, 50, None)] * 3
    findings = [found("error", causes=(CAUSE,)), found("advice"), found("advice")]
    shown = page(Examination(SETTINGS, findings, measures, history(0.7, 0.65, 0.6), seconds=2.4), None, "en")
    counted = figures(shown)
    assert {name: counted[name] for name in ("measures", "errors", "warnings", "advice", "seconds")} == {
        "measures": "3", "errors": "1", "warnings": "0", "advice": "2", "seconds": "2"
    }  # fmt: skip
    assert [value for name, value in counted.items() if "→" in value] == ["0.7 → 0.6"]
    assert sections(shown) == ["Findings", "Training", "Measures"]
    assert shown.count("<figure>") == 2  # the two parts of the loss


def test_a_healthy_examination_has_its_measures_only() -> None:
    measures = [
        Verdict("population", "few-users", 60, 50, None),
        Verdict("negatives", "sampler-hits-positives", 0, 0, None, "no-negatives"),
        Verdict("population", "few-users", 3, 50, found("error")),
    ]
    shown = page(Examination(SETTINGS, [], measures), None, "en")
    assert sections(shown) == ["Measures"]
    assert re.findall(r'<span class="word (\w+)">(.*?)</span>', shown) == [
        ("well", "good"), ("error", "wrong"), ("soft", "not examined")
    ]  # fmt: skip
    assert shown.count('<th scope="rowgroup"') == 2  # a group for each check


def test_a_cure_is_shown_with_its_command_and_both_curves() -> None:
    before = Examination(SETTINGS, [found("error", causes=(CAUSE,))], [], history(0.69, 0.69))
    cured = Trial({"learning_rate": 0.001}, CAUSE, Examination(SETTINGS, [], [], history(0.69, 0.3)))
    shown = page(before, Cure(before, [cured]), "en", "run --learning_rate=0.001")
    assert sections(shown)[1:3] == ["What cured it", "Training, before and after the change"]
    assert "<code>run --learning_rate=0.001</code>" in shown and "learning_rate: 0.001" in shown
    assert [value for value in figures(shown).values() if "→" in value] == ["0.69 → 0.69", "0.69 → 0.3"]
    assert shown.count("<figure>") == 4 and 'class="charts pairs"' in shown
    failed = Trial({"learning_rate": 0.1}, CAUSE, before)
    assert "What cured it" not in page(before, Cure(before, [failed]), "en")
