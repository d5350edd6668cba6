"""The examination as text for the console; no torch."""

from __future__ import annotations

from typing import Any

import click

from recbole_alibaba.diagnosis.catalogue import sentence, title
from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination
from recbole_alibaba.diagnosis.findings import Verdict, as_settings
from recbole_alibaba.diagnosis.readings import History, ranking_loss

COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}
FIRST_CAUSES = 3


def words(key: str, lang: str, **values: Any) -> str:
    """A sentence that belongs to the report and to no finding."""
    return sentence("report", key, lang, values)


def console(examined: Examination, cure: Cure | None, lang: str, verbose: bool = False) -> str:
    """The report as text. Click removes the colours if the output is no terminal."""
    lines = [click.style(headline(examined, lang), fg="red" if examined.ill else "green", bold=True)]
    everything = verbose or not examined.findings
    if everything:
        lines += ["", *(_verdict(verdict, lang) for verdict in examined.verdicts)]
    said: set[str] = set()  # one conversion removes several findings
    for finding in examined.findings:
        mark = click.style(words(finding.severity, lang), fg=COLOURS[finding.severity], bold=True)
        lines += ["", f"{mark} {finding.id}: {finding.say(lang)}"]
        remedy = finding.advise(lang)
        lines += [] if remedy in said else [f"   {words('do', lang)} {remedy}"]
        said.add(remedy)
    if examined.ill:
        named = (f"{title(cause, lang)} ({cause})" for cause in examined.causes[:FIRST_CAUSES])
        lines += ["", f"{words('causes', lang)} " + "; ".join(named)]
    skipped = [verdict for verdict in examined.verdicts if verdict.skipped]
    if skipped and not everything:
        lines += ["", *(f"{words('unknown', lang)} {verdict.say(lang)}" for verdict in skipped)]
    if cure is not None:
        lines += ["", *_cure(cure, lang)]
    return "\n".join(lines)


def headline(examined: Examination, lang: str) -> str:
    """One line: which model on which data set, healthy or not, how many measures, how long."""
    asked = examined.settings
    values = {"model": asked.get("model"), "dataset": asked.get("dataset"), "seconds": examined.seconds}
    return words("ill" if examined.ill else "well", lang, **values, checks=len(examined.verdicts))


def _verdict(verdict: Verdict, lang: str) -> str:
    mark = "?" if verdict.skipped else "x" if verdict.finding else "+"
    return click.style(mark, fg={"?": "white", "x": "red", "+": "green"}[mark]) + f" {verdict.say(lang)}"


def _cure(cure: Cure, lang: str) -> list[str]:
    lines = [words("tried", lang, tries=len(cure.tries))]
    for attempt in cure.tries:
        left = ", ".join(finding.id for finding in attempt.examination.findings if finding.severity != "advice")
        outcome = words("cured", lang) if attempt.cured else words("left", lang, left=left)
        lines.append(f"   {as_settings(attempt.changes)}: {outcome}")
    kept = cure.kept
    if kept is None:
        return [*lines, words("no-cure", lang)]
    before, after = (_course(examined.history) for examined in (cure.before, kept.examination))
    return [*lines, words("loss", lang, before=before, after=after)]


def _course(history: History) -> str:
    return " ".join(f"{ranking_loss(record):.4f}" for record in history) or "-"
