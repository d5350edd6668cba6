"""What is to be known of a data set before the first trial? In a process of its own, because it loads the data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from dataset_prep.machine import cpu_name
from recbole_alibaba import __version__
from recbole_alibaba.board.measures.competition import check_competition
from recbole_alibaba.board.measures.data_notes import data_notes
from recbole_alibaba.board.measures.outside_lists import outside_measured
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.content import content_fingerprint
from recbole_alibaba.board.processes.fixed_settings import settings_by_label, with_fixed
from recbole_alibaba.board.processes.recorded import measures, scores
from recbole_alibaba.board.processes.runner import Outcome
from recbole_alibaba.board.searching.spaces import read_space
from recbole_alibaba.board.trial import Surveyed, counted
from recbole_alibaba.experiment import Experiment, build_config, prepare
from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.host.registry import find_model
from recbole_alibaba.saved.run_folder import RANKING_KINDS, plain
from recbole_alibaba.saved.run_record import counts, versions
from recbole_alibaba.settings.property_files import PACKAGE


def survey(plan: Plan, dataset: str) -> Surveyed:
    """Load the data set as every model will get it, and resolve the settings of each model.

    Raises:
        BadInput: a setting, a model or the data cannot be used; there is no validation or no test part.
    """
    settings, configs, spaces = settings_by_label(plan, dataset), {}, {}
    for entry in plan.entries:
        kind = str(find_model(entry.model).type.name).lower()  # type: ignore[attr-defined]
        if kind not in RANKING_KINDS:
            raise BadInput(
                f"{entry.label}: {entry.model} is a {kind} model; a board compares general ones, which rank items by "
                "the user alone."
            )
        fixed = with_fixed(plan, settings[entry.label], plan.seeds[0])
        config = build_config(entry.model, dataset, config_dict=fixed)
        configs[entry.label] = counted(plain(config.final_config_dict))
        if entry.search is not None:
            where = f"models: {entry.label}: search"
            spaces[entry.label] = read_space(entry.search, entry.model, settings[entry.label], where)
    made = _simplest(plan, dataset)
    found = counts(made)
    for part, why in (("valid", "settings are chosen on it, never on test"), ("test", "the models are compared on it")):
        if not found[part]:
            raise BadInput(
                f"{dataset}: there is no {part} part, and a board needs one: {why}. Split the data in three."
            )
    if plan.competition:
        check_competition(made, plan.competition)
    return Surveyed(content_fingerprint(made), found, tuple(data_notes(made)), settings, configs, spaces, about(plan))


def _simplest(plan: Plan, dataset: str) -> Experiment:
    """The data set with the model that is built at once."""
    entry, seed = next(entry for entry in plan.entries if entry.model == "Pop"), plan.seeds[0]
    settings = settings_by_label(plan, dataset)[entry.label]
    return prepare(build_config("Pop", dataset, config_dict=with_fixed(plan, settings, seed)))


def outside(plan: Plan, dataset: str, file: Path) -> Outcome:
    """What lists score that another program made; notes about them are the outcome's reason.

    Raises:
        BadInput: they cannot be evaluated.
    """
    read = datetime.now().astimezone().isoformat(timespec="seconds")
    found, said = outside_measured(_simplest(plan, dataset), file, plan.topk, plan.k)
    fields = {"state": "done", "reason": " ".join(said) or None, "test_read": read, **measures(found)}
    return Outcome(fields, scores(found))


def about(plan: Plan) -> Mapping[str, Any]:
    """What the record says of the program and of the machine."""
    machine = {"cpu": cpu_name(), "cores": os.cpu_count(), "threads": plan.threads}
    return {"versions": versions(), "machine": machine, "code": f"{__version__}+{code()}"}


@cache
def code() -> str:
    """12 hexadecimal digits of this package's source; read once, before the processes of the trials are forked."""
    digest = hashlib.sha256()
    for file in sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".c")):
        digest.update(f"{file.relative_to(PACKAGE)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]
