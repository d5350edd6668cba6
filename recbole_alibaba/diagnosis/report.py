"""What the doctor writes: plain words for the console, a dict for doctor.json, a property file for the cure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click
import yaml

from recbole_alibaba.diagnosis.catalogue import sentence, title
from recbole_alibaba.diagnosis.examination import Examination
from recbole_alibaba.diagnosis.findings import as_settings
from recbole_alibaba.diagnosis.trying import Cure

COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}
FIRST_CAUSES = 3


def words(key: str, lang: str, **values: Any) -> str:
    """A sentence of the report's own."""
    return sentence("report", key, lang, values)


def console(examined: Examination, cure: Cure | None, lang: str, verbose: bool = False) -> str:
    """The report as text; colours are taken off by click where they do not belong."""
    lines = [_headline(examined, lang)]
    everything = verbose or not examined.findings
    if everything:
        lines += ["", *(_verdict(verdict, lang) for verdict in examined.verdicts)]
    for finding in examined.findings:
        mark = click.style(words(finding.severity, lang), fg=COLOURS[finding.severity], bold=True)
        lines += ["", f"{mark} {finding.id}: {finding.say(lang)}", f"   {words('do', lang)} {finding.advise(lang)}"]
    if examined.causes:
        named = (f"{title(cause, lang)} ({cause})" for cause in examined.causes[:FIRST_CAUSES])
        lines += ["", f"{words('causes', lang)} " + "; ".join(named)]
    skipped = [verdict for verdict in examined.verdicts if verdict.skipped]
    if skipped and not everything:
        lines += ["", *(f"{words('unknown', lang)} {verdict.say(lang)}" for verdict in skipped)]
    if cure is not None:
        lines += ["", *_cure(cure, lang)]
    return "\n".join(lines)


def _headline(examined: Examination, lang: str) -> str:
    state = "ill" if examined.ill else "well"
    name = {"model": examined.settings.get("model"), "dataset": examined.settings.get("dataset")}
    said = words(state, lang, **name, seconds=examined.seconds, checks=len(examined.verdicts))
    return click.style(said, fg="red" if examined.ill else "green", bold=True)


def _verdict(verdict: Any, lang: str) -> str:
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


def _course(history: list[dict[str, Any]]) -> str:
    return " ".join(f"{record.get('bpr', record.get('loss', math.nan)):.4f}" for record in history) or "-"


def command_line(examined: Examination, changes: Mapping[str, Any], files: str = "") -> str:
    """``python run.py --model=... --dataset=... --key=value``, ready for a shell."""
    parts = [f"--model={examined.settings.get('model')}", f"--dataset={examined.settings.get('dataset')}"]
    parts += [f"--config_files={files}"] if files else []
    for key, value in changes.items():
        text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
        parts.append(f"--{key}={text}")
    return "python run.py " + " ".join(map(shlex.quote, parts))


def property_file(cure: Cure) -> str:
    """The kept changes as a property file; empty when nothing cured."""
    if cure.kept is None:
        return ""
    reason = f"# {title(cure.kept.cause)}: kept by the doctor, which ran it and found nothing left.\n"
    return reason + yaml.safe_dump(dict(cure.kept.changes), sort_keys=False)


def as_json(examined: Examination, cure: Cure | None, lang: str) -> dict[str, Any]:
    """Everything, JSON-able; numbers that are none become null."""
    report: dict[str, Any] = {
        "model": examined.settings.get("model"),
        "dataset": examined.settings.get("dataset"),
        "healthy": not examined.ill,
        "causes": [{"id": cause, "title": title(cause, lang)} for cause in examined.causes],
        "findings": [finding.as_dict(lang) for finding in examined.findings],
        "checks": [verdict.as_dict(lang) for verdict in examined.verdicts],
        "history": examined.history,
        "seconds": round(examined.seconds, 2),
    }
    if cure is not None:
        report["tries"] = [
            {
                "changes": dict(attempt.changes),
                "cause": attempt.cause,
                "cured": attempt.cured,
                "left": [finding.id for finding in attempt.examination.findings],
                "history": attempt.examination.history,
            }
            for attempt in cure.tries
        ]
    return finite(report)  # type: ignore[no-any-return]


def finite(value: Any) -> Any:
    """``value`` with infinite and undefined numbers as None, which JSON has."""
    change: Callable[[Any], Any] = finite
    if isinstance(value, Mapping):
        return {str(key): change(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [change(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
