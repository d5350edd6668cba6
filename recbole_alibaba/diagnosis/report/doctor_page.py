"""The examination as one HTML page: the verdict, findings, curves of the training, every measure; no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dataset_prep.pages.html import html
from dataset_prep.pages.numbers import count, plain
from dataset_prep.pages.parts import Charts, Code, Folded, Group, Lines, Page, Part, Remark, Section, Table, Text, Toned
from recbole_alibaba.diagnosis.catalogue import title
from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination
from recbole_alibaba.diagnosis.findings import RANK, Verdict, as_settings
from recbole_alibaba.diagnosis.readings import History, ranking_loss, ranking_part
from recbole_alibaba.diagnosis.report.console import FIRST_CAUSES, headline, words
from recbole_alibaba.diagnosis.report.curves import Training, charts, compared, every_metric

TONES = {"state-well": "well", "state-ill": "error", "state-unknown": "soft"}


def page(examined: Examination, cure: Cure | None, lang: str, command: str = "") -> str:
    """A whole HTML document that needs no script and no network.

    Args:
        command: the command line that carries the cure.
    """
    kept = cure.kept if cure is not None else None
    after = kept.examination.history if kept is not None else None
    sections = [_findings(examined, lang)] if examined.findings else []
    if kept is not None:
        changes = Text(f"{words('kept', lang)} {as_settings(kept.changes)}")
        sections.append(Section(words("cure", lang), [changes, Code(command)] if command else [changes]))
    if examined.history:
        sections.append(_curves(examined, after, lang))
    sections.append(Section(words("checks", lang), [_measures(examined.verdicts, lang)]))
    tone = "well"
    if examined.ill:
        tone = "error" if any(finding.severity == "error" for finding in examined.findings) else "warning"
    shown = headline(examined, lang)
    return html(Page(shown, _verdict(examined, lang), tone, _figures(examined, after, lang), sections, lang))


def _verdict(examined: Examination, lang: str) -> str:
    if not examined.ill or not examined.causes:
        return headline(examined, lang)
    asked, cause = examined.settings, title(examined.causes[0], lang)
    return words("verdict", lang, model=asked.get("model"), dataset=asked.get("dataset"), cause=cause)


def _figures(examined: Examination, after: History | None, lang: str) -> list[tuple[str, str]]:
    found = Counter[str](finding.severity for finding in examined.findings)
    figures = [(words("figure-measures", lang), count(len(examined.verdicts)))]
    figures += [(words(f"figure-{severity}", lang), count(found[severity])) for severity in RANK]
    figures.append((words("figure-seconds", lang), f"{examined.seconds:.0f}"))
    for key, history in (("figure-loss", examined.history), ("figure-loss-after", after)):
        if history:
            part = words(f"panel-{ranking_part(history[-1])}", lang)
            course = " → ".join(plain(ranking_loss(record)) for record in (history[0], history[-1]))
            figures.append((words(key, lang, part=part), course))
    return figures


def _findings(examined: Examination, lang: str) -> Section:
    parts: list[Part] = []
    if examined.causes:
        parts.append(Text(words("causes", lang)))
        parts.append(Lines([f"{title(cause, lang)} ({cause})" for cause in examined.causes[:FIRST_CAUSES]]))
    for found in examined.findings:
        advice = f"{words('do', lang)} {found.advise(lang)}"
        parts.append(Remark(words(found.severity, lang), found.id, found.say(lang), advice, found.severity))
    return Section(words("findings", lang), parts)


def _curves(examined: Examination, after: History | None, lang: str) -> Section:
    metric = str(examined.settings.get("valid_metric") or "")
    before = Training("", examined.history, metric)
    parts: list[Part]
    if after:
        parts = [Charts(compared(before, Training("", after, metric), lang), pairs=True)]
    else:
        parts = [Charts(charts([before], lang))]
    metrics = every_metric(examined.history, words("all-metrics", lang), lang)
    if metrics is not None:
        parts.append(Folded(metrics.title, [metrics]))
    return Section(words("curves-compared" if after else "curves", lang), parts)


def _measures(verdicts: Iterable[Verdict], lang: str) -> Table:
    """One group a check."""
    groups: dict[str, list[tuple[Toned, str]]] = {}
    for verdict in verdicts:
        state = "state-unknown" if verdict.skipped else "state-ill" if verdict.finding else "state-well"
        row = Toned(words(state, lang), TONES[state]), verdict.say(lang)
        groups.setdefault(words(f"check-{verdict.check}", lang), []).append(row)
    head = words("state", lang), words("measure", lang)
    return Table(words("checks", lang), head, [Group(*named) for named in groups.items()], words=(0, 1))
