"""The examination as JSON, and its cure as a property file and a command line; no torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from recbole_alibaba.console.printed_commands import run_command
from recbole_alibaba.diagnosis.catalogue import title
from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination
from recbole_alibaba.saved.json_values import in_json


def command_line(examined: Examination, changes: Mapping[str, Any], files: str = "") -> str:
    """``recbole-alibaba run --model=... --dataset=... --key=value``, quoted for a shell."""
    parts = [f"--model={examined.settings.get('model')}", f"--dataset={examined.settings.get('dataset')}"]
    parts += [f"--config_files={files}"] if files else []
    for key, value in changes.items():
        text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
        parts.append(f"--{key}={text}")
    return f"{run_command()} " + " ".join(map(shlex.quote, parts))


def property_file(cure: Cure) -> str:
    """The changes that cured, as a property file; empty if nothing cured."""
    if cure.kept is None:
        return ""
    reason = f"# {title(cure.kept.cause)}: the doctor ran these settings and found nothing but advice.\n"
    return reason + yaml.safe_dump(dict(cure.kept.changes), sort_keys=False)


def as_json(examined: Examination, cure: Cure | None, lang: str) -> dict[str, Any]:
    """Everything that was measured and found, for JSON. NaN and infinity become null."""
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
    return in_json(report)  # type: ignore[no-any-return]
