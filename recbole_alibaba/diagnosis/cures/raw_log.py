"""What does a raw log leave under the asked conversion? An empty core is found before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.checks.data_checks import enough
from recbole_alibaba.diagnosis.findings import Finding


def convert_or_explain(
    source: str, options: Mapping[str, Any], model: str | None, files: Sequence[str], overrides: Mapping[str, Any]
) -> Finding | None:
    """Convert the log.

    Args:
        source: kind of raw log, as ``mobile``.
        options: of ``dataset_prep.convert``, ``name`` and ``output`` among them.
        model, files, overrides: the experiment for which a remedy is examined.

    Returns:
        The finding that the core is empty or too thin, or None. Its remedy is a command whose data set is healthy.

    Raises:
        dataset_prep.PrepError: the log cannot be read at all.
    """
    import dataset_prep

    options = {**options, "force": True}
    try:
        dataset_prep.convert(source, **options)
    except dataset_prep.ThinDatasetError as error:
        left = error.funnel.stages[-1].size
        pairs = left.pairs if left else 0
        remedy = _examined(source, options, error.remedies, model, files, overrides)
        return Finding(
            "raw-log-leaves-too-little",
            "error",
            pairs,
            int(options.get("min_interactions", enough().pairs)),
            {"why": error.message, "command": remedy.command if remedy else ""},
            wording="message" if remedy else "hopeless",
            causes=("empty-core" if isinstance(error, dataset_prep.EmptyDatasetError) else "thin-data",),
        )
    return None


def _examined(
    source: str,
    options: Mapping[str, Any],
    remedies: Sequence[Any],
    model: str | None,
    files: Sequence[str],
    overrides: Mapping[str, Any],
) -> Any:
    """The first remedy that the doctor passes. The experiment is built on the data set of the remedy."""
    from recbole_alibaba import experiment
    from recbole_alibaba.diagnosis.cures.other_conversions import healthy
    from recbole_alibaba.host.config import deep_update

    def build(changes: Mapping[str, Any]) -> Any:
        asked = deep_update(dict(overrides), changes)
        return experiment.prepare(experiment.build_config(model, options["name"], files, asked, checked=False))

    return healthy(source, options, remedies, build, dict(overrides))
