"""The whole examination: settings, checks before training, a short training, and what they say together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recbole_alibaba.diagnosis.checks import data, evaluation, forward, gradients, graph, loss, negatives, signal
from recbole_alibaba.diagnosis.checks.settings import lint
from recbole_alibaba.diagnosis.findings import Finding, Verdict, is_ill, not_examined
from recbole_alibaba.diagnosis.ranking import merged, ranked
from recbole_alibaba.diagnosis.raw import sizes_of_file, why_not_loaded
from recbole_alibaba.diagnosis.signs import examine
from recbole_alibaba.diagnosis.subject import Subject, batches, severity_for, undisturbed
from recbole_alibaba.diagnosis.training import EPOCHS, train_briefly

SECONDS = 20.0  # for the short training
MOST_BATCHES = 200
FEWEST_BATCHES = 10  # fewer steps would leave a healthy model of a large catalogue where it began
# After these every further number would be wrong for the same reason.
BREAKS_THE_REST = ("forward-not-finite", "forward-shape", "half-precision")
BATCH_ROWS = 256  # of the batch that is learned by heart

Build = Callable[[Mapping[str, Any]], Any]


@dataclass
class Examination:
    """What was measured and found; ``causes`` are ids, the likeliest first; ``batches`` an epoch of the training."""

    settings: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0
    seconds: float = 0.0

    @property
    def causes(self) -> list[str]:
        """Cause ids over all findings."""
        return ranked(self.findings)

    @property
    def ill(self) -> bool:
        """Whether anything but advice was found."""
        return is_ill(self.findings)


def examine_subject(
    subject: Subject, *, batches_an_epoch: int | None = None, epochs: int = EPOCHS, seconds: float = SECONDS
) -> Examination:
    """Settings, checks and a short training of ``subject``; its model is left trained.

    ``batches_an_epoch`` fixes the length of the training, so that two examinations can be compared; without
    it as many are taken as ``seconds`` allow.
    """
    started = time.perf_counter()
    settings = dict(subject.settings)
    settings |= sizes(subject)
    findings = lint(settings, sizes(subject))
    with undisturbed(subject):
        verdicts, step = before_training(subject)
    findings += [verdict.finding for verdict in verdicts if verdict.finding]
    history: list[dict[str, Any]] = []
    count = batches_an_epoch or 0
    if is_trained(subject):
        count = count or int(min(MOST_BATCHES, max(FEWEST_BATCHES, seconds / (step * epochs))))
        known = [verdict.id for verdict in verdicts if not verdict.skipped]
        try:
            history = train_briefly(subject, count, epochs=epochs, ranking="loss-differs" in known)
        except (RuntimeError, TypeError, AttributeError) as error:  # of a backward pass or a product that cannot be
            severity = severity_for(subject.model)  # NCL's batches need what only its own `fit` prepares
            why = {"error": str(error)}
            findings.append(Finding("training-fails", severity, 0, 0, why, causes=("training-fails",)))
        findings += examine(history, settings)
    found = merged(findings)
    writer: Any = getattr(subject.trainer, "tensorboard", None)
    for finding in found if writer is not None else ():
        writer.add_text(f"Doctor/{finding.id}", f"{finding.message} {finding.remedy}")
    return Examination(settings, found, verdicts, history, count, time.perf_counter() - started)


def before_training(subject: Subject) -> tuple[list[Verdict], float]:
    """All checks, and the seconds that one training step takes."""
    verdicts = [
        *data.interactions(subject),
        *data.population(subject),
        *data.leaks(subject),
        *signal.signal(subject),
    ]
    if not is_trained(subject):
        return [*verdicts, not_examined("gradients", "cannot-overfit", "no-training")], 1.0
    verdicts += negatives.negatives(subject)
    verdicts += guarded("forward", "constant-scores", forward.forward, subject)
    if any(verdict.finding and verdict.finding.id in BREAKS_THE_REST for verdict in verdicts):
        return verdicts, 1.0
    verdicts += guarded("graph", "graph-empty", graph.graph, subject)
    batch = batches(subject, 1)[0]
    verdicts += guarded("loss", "loss-differs", loss.loss, subject, batch)
    timed = time.perf_counter()
    verdicts += guarded("gradients", "no-gradient", gradients.gradients, subject, batch)
    step = time.perf_counter() - timed
    verdicts += guarded("gradients", "cannot-overfit", gradients.overfits, subject, batch[:BATCH_ROWS])
    return [*verdicts, *evaluation.evaluation(subject)], max(step, 1e-3)


# What a model whose loss or forward pass needs its own trainer raises under a plain call (RecVAE, SGL).
UNEXPECTED = (TypeError, AttributeError, RuntimeError, LookupError, ValueError)


def guarded(
    check: str, measure: str, look: Callable[..., list[Verdict]], subject: Subject, *arguments: Any
) -> list[Verdict]:
    """The check's verdicts, or one that says the model cannot be examined so."""
    try:
        return look(subject, *arguments)
    except UNEXPECTED as error:
        # This plugin's models name the parts of their loss and are trained in the plain way.
        if not hasattr(subject.model, "loss_parts"):
            return [not_examined(check, measure, "own-training")]
        return [not_examined(check, measure, "check-stopped", f"{type(error).__name__}: {error}")]


def is_trained(subject: Subject) -> bool:
    """Whether gradients train the model (RecBole's Pop and ItemKNN are counted, not trained)."""
    kind = str(getattr(getattr(subject.model, "type", None), "name", ""))
    return kind not in ("TRADITIONAL", "DECISIONTREE")


def sizes(subject: Subject) -> dict[str, int]:
    """What the lint of settings needs to know of the data."""
    rows = len(subject.train_pairs[0])
    return {
        "items": subject.n_items - 1,
        "users": subject.n_users - 1,
        "train": rows,
        "repeats": rows - len(subject.positives),
    }


def preflight(config: Any, dataset: Any, train_data: Any, valid_data: Any, model: Any) -> list[Finding]:
    """The cheap part, before every training: about a second on 100,000 interactions, and nothing is disturbed.

    Returns warnings and errors only, the worst first; empty when all is well.
    """
    subject = Subject(config, dataset, train_data, valid_data, model)
    settings = dict(subject.settings) | sizes(subject)
    findings = lint(settings, sizes(subject))
    with undisturbed(subject):
        verdicts = [*data.interactions(subject), *data.population(subject), *data.leaks(subject)]
        if is_trained(subject):
            batch = batches(subject, 1)[0]
            verdicts += negatives.negatives(subject, 1)
            verdicts += guarded("forward", "constant-scores", forward.forward, subject)
            verdicts += guarded("gradients", "no-gradient", gradients.gradients, subject, batch)
    findings += [verdict.finding for verdict in verdicts if verdict.finding]
    return [finding for finding in merged(findings) if finding.severity != "advice"]


def consult(build: Build, changes: Mapping[str, Any], settings: Mapping[str, Any], **how: Any) -> Examination:
    """Build a set-up with ``changes`` and examine it; what keeps it from being built is a finding too.

    ``settings`` are used where building fails before its own are known.
    """
    started = time.perf_counter()
    try:
        made = build(changes)
    except (ValueError, LookupError, OSError, ArithmeticError) as error:
        known = {**settings, **changes}
        known |= sizes_of_file(known)
        findings = lint(known, sizes_of_file(known))
        reasons = why_not_loaded(known, error)
        explained = any(found.severity == "error" for found in findings)
        findings += [found for found in reasons if found.id != "cannot-start" or not explained]
        return Examination(known, merged(findings), seconds=time.perf_counter() - started)
    examined = examine_subject(Subject.of(made), **how)
    examined.seconds = time.perf_counter() - started
    return examined
