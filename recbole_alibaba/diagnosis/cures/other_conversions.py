"""Which other conversion of the raw log is healthy? Each is converted and examined before it is named."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_alibaba.diagnosis.catalogue import catalogue
from recbole_alibaba.diagnosis.cures.outcome import Examination
from recbole_alibaba.diagnosis.cures.thresholds import healthy_thresholds
from recbole_alibaba.diagnosis.examination import Build, consult
from recbole_alibaba.diagnosis.findings import THIN_DATA, Finding
from recbole_alibaba.diagnosis.progress import step

if TYPE_CHECKING:
    from dataset_prep.choices.remedies import Remedy

THIN = (*THIN_DATA, "cannot-start")
MOST = 3  # conversions that are examined
SECONDS = 3.0
WHOLE = {"user_inter_num_interval": "[0,inf)", "item_inter_num_interval": "[0,inf)"}
# A remedy leaves what is enough by default, also where the data set was written with lower limits.
LIMITS = ("min_known", "min_interactions", "min_users", "min_items")


def advise_conversion(examined: Examination, build: Build, settings: Mapping[str, Any]) -> None:
    """Give the findings of thin data a remedy that was tried, or say that none helps.

    That is a command of the converter where ``source.json`` says how the data set was made, else thresholds.
    """
    thin = [found for found in examined.findings if found.id in THIN and found.severity != "advice"]
    if not thin:
        return
    folder = Path(str(settings.get("data_path") or "dataset"))  # RecBole may have added the name already
    places = (folder / "source.json", folder / str(settings.get("dataset")) / "source.json")
    file = next((place for place in places if place.is_file()), None)
    known = json.loads(file.read_text(encoding="utf-8")) if file else {}
    if settings.get("benchmark_filename") and known.get("source") in (None, "split"):
        changes, values = {}, {"conversion": "published-split"}
    elif file is None:
        changes = healthy_thresholds(build, settings, [found.id for found in thin])
        values = {} if changes else {"conversion": "no-thresholds"}
    else:
        changes, values = {}, _by_converter(known, file, build, settings, examined)
    examined.findings = [_with(found, values, changes) for found in examined.findings]


def _by_converter(
    known: Mapping[str, Any], file: Path, build: Build, settings: Mapping[str, Any], examined: Examination
) -> dict[str, str]:
    typed = {name: value for name, value in known["options"].items() if name not in LIMITS}
    options = typed | {"output": str(file.parent.parent), "name": file.parent.name, "force": True}
    remedy = healthy(known["source"], options, _others(known["source"], options), build, settings, examined)
    return {"command": remedy.command} if remedy else {"conversion": "no-other-conversion"}


def _with(found: Finding, values: Mapping[str, Any], changes: Mapping[str, Any]) -> Finding:
    """The finding with this remedy, if thin data cause it first."""
    if not any("tried" in catalogue()[name] for name in (found.id, *found.causes[:1])):
        return found
    return replace(found, values={**found.values, **values}, changes=changes or found.changes)


def _others(source: str, options: Mapping[str, Any]) -> Sequence[Remedy]:
    from dataset_prep import PrepError, other_conversions

    step("looking for other conversions")
    try:
        with _silent():
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
        with tempfile.TemporaryDirectory(prefix="recbole-alibaba-") as folder, _silent():
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


@contextmanager
def _silent() -> Iterator[None]:
    """Without the converter's log: its counts are those of a trial."""
    log = logging.getLogger("dataset_prep")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
