"""The page of one run, or of several beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_prep.pages.chart import Chart
from dataset_prep.pages.funnel_page import funnel_parts
from dataset_prep.pages.parts import Charts, Folded, Page, Part, Section
from recbole_alibaba.diagnosis.report.curves import Training, charts, every_metric
from recbole_alibaba.run_page.record import Run
from recbole_alibaba.run_page.result_tables import beside, configuration, figures, results, warnings
from recbole_alibaba.run_page.users import ten_users
from recbole_alibaba.run_page.verdict import verdict


def run_page(runs: Sequence[Run]) -> Page:
    """The verdict, the results, the training, the warnings, the data, ten users, the configuration.

    Raises:
        BadInput: a file of a run is missing or damaged.
    """
    says, tone = verdict(runs)
    sections = [Section("Runs", [beside(runs)])] if len(runs) > 1 else []
    result = results(runs)
    if result is not None:
        sections.append(Section("Results beside popularity", [result]))
    drawn = curves(runs)
    if drawn:
        parts: list[Part] = [Charts(drawn)]
        for run in runs:
            metrics = every_metric(run.history, f"Every validation metric of {run.name} by epoch")
            parts += [Folded(metrics.title, [metrics])] if metrics is not None else []
        sections.append(Section("Training", parts))
    for run in runs:
        of = f" of {run.name}" if len(runs) > 1 else ""
        if run.finished:
            sections.append(Section(f"Warnings{of}", warnings(run)))
    seen = []
    for run in runs:
        stages = (run.record.get("funnel") or {}).get("funnel")
        if stages and stages not in seen:
            seen.append(stages)
            sections.append(Section(f"The data set {run.record['dataset']}", funnel_parts(stages)))
    sections += [section for run in runs if (section := ten_users(run)) is not None]
    sections.append(configuration(runs))
    title = ", ".join(run.folder.resolve().name for run in runs)
    return Page(title, says, tone, figures(runs[0]) if len(runs) == 1 else (), sections)


def curves(runs: Sequence[Run]) -> list[Chart]:
    """The charts of the trainings, every run in each."""
    return charts([Training(run.name if len(runs) > 1 else "", run.history, run.metric) for run in runs])
