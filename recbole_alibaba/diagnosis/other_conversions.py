"""Which other conversion of the raw log is healthy? Each is converted and examined before it is named."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_alibaba.diagnosis.catalogue import catalogue
from recbole_alibaba.diagnosis.examination import Build, consult
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.outcome import Examination

if TYPE_CHECKING:
    from dataset_prep.choices.remedies import Remedy

THIN = (
    *("thin-data", "held-out-unknown", "held-out-few", "users-seen-once", "few-users", "few-items"),
    *("nothing-held-out", "empty-core", "empty-data", "cannot-start"),
)
MOST = 3  # conversions that are examined
SECONDS = 3.0
WHOLE = {"user_inter_num_interval": "[0,inf)", "item_inter_num_interval": "[0,inf)"}


def advise_conversion(examined: Examination, build: Build, settings: Mapping[str, Any]) -> None:
    """Give the findings of thin data a command that was tried, or say that none helps. Needs ``source.json``."""
    thin = [found for found in examined.findings if found.id in THIN and found.severity != "advice"]
    folder = Path(str(settings.get("data_path") or "dataset"))  # RecBole may have added the name already
    places = (folder / "source.json", folder / str(settings.get("dataset")) / "source.json")
    file = next((place for place in places if place.is_file()), None)
    if not thin or file is None:
        return
    known = json.loads(file.read_text(encoding="utf-8"))
    if known["source"] == "split":
        values = {"conversion": "published-split"}
    else:
        typed = {name: value for name, value in known["options"].items() if name != "min_known"}
        options = typed | {"output": str(file.parent.parent), "name": file.parent.name, "force": True}
        remedy = healthy(known["source"], options, _others(known["source"], options), build, settings, examined)
        values = {"command": remedy.command} if remedy else {"conversion": "no-other-conversion"}
    examined.findings = [_with(found, values) for found in examined.findings]


def _with(found: Finding, values: Mapping[str, Any]) -> Finding:
    """The finding with these values, if thin data cause it first."""
    says = [name for name in (found.id, *found.causes[:1]) if "tried" in catalogue()[name]]
    return replace(found, values={**found.values, **values}) if says else found


def _others(source: str, options: Mapping[str, Any]) -> Sequence[Remedy]:
    from dataset_prep import PrepError, other_conversions

    try:
        return other_conversions(source, **options)
    except PrepError:  # the log was moved or changed
        return ()


def healthy(
    source: str,
    options: Mapping[str, Any],
    remedies: Sequence[Remedy],
    build: Build,
    settings: Mapping[str, Any],
    before: Examination | None = None,
) -> Remedy | None:
    """The first of the remedies whose data set the doctor passes; None where there is none.

    Args:
        source, options: of ``dataset_prep.convert``.
        before: the examination of the present data set. What it found apart from thin data may stay.
    """
    from dataset_prep import PrepError, convert

    known = {found.id for found in before.findings} - set(THIN) if before else None
    for remedy in remedies[:MOST]:
        with tempfile.TemporaryDirectory(prefix="recbole-alibaba-") as folder:
            changed = {name: value for name, value in {**options, **remedy.options}.items() if value is not None}
            try:
                convert(source, **{**changed, "output": folder, "quiet": True})
            except PrepError:
                continue
            examined = consult(build, {**WHOLE, "data_path": folder}, settings, seconds=SECONDS)
        wrong = {found.id for found in examined.findings if found.severity != "advice"}
        if not wrong & set(THIN) and (known is None or wrong <= known):
            return remedy
    return None
