"""The report: one self-contained page that shows what a log is and what became of it."""

from __future__ import annotations

from datetime import date

from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.funnel_page import funnel_parts
from dataset_prep.pages.html import html
from dataset_prep.pages.numbers import count, percent
from dataset_prep.pages.parts import Charts, Code, Note, Page, Section, Text, table
from dataset_prep.pages.scale import Axis
from dataset_prep.pairs.core import Size, Thresholds
from dataset_prep.pairs.funnel import Funnel, describe
from dataset_prep.pairs.statistics import Histogram, Statistics, density

SPARSE = 10  # more calendar days than this for each day with rows: the others are left out


def page(
    title: str,
    funnel: Funnel,
    statistics: Statistics,
    asked: Thresholds,
    used: Thresholds | None,
    size: Size,
    rows: int,
    command: str | None = None,
) -> str:
    """The HTML of the page. used: None before any choice; command: what to run next, empty where nothing is enough."""
    lowered = used is not None and used != asked
    meaning = "They are the least number of distinct items of a user, and of distinct users of an item."
    sections = (
        [Section("", [Note(f"Thresholds: asked {asked}, used {used}."), Text(meaning, "soft")])] if lowered else []
    )
    if command:
        sections.append(Section("What to run", [Code(command)]))
    sections.append(Section("Funnel", funnel_parts(funnel.as_dict())))
    if statistics.parts:
        sections.append(_parts(statistics))
    charts = [_days(statistics)]
    for number, who in enumerate(("user", "item")):
        least = {"asked": asked[number], "used": (used or asked)[number]}
        if least["asked"] == least["used"]:
            least = {"threshold": least["used"]}
        lines = [Mark("x", value, f"{name} {value}") for name, value in least.items()]
        charts.append(_degrees(who, statistics.before[number], statistics.after[number], lines))
    sections.append(Section("The log", [Charts([chart for chart in charts if not chart.empty()])]))
    verdict, tone = _verdict(title.partition(":")[0], funnel, asked, used, size, rows, command)
    return html(Page(title, verdict, tone, _key_figures(size, rows, asked, used), sections))


def _verdict(
    name: str, funnel: Funnel, asked: Thresholds, used: Thresholds | None, size: Size, rows: int, command: str | None
) -> tuple[str, str]:
    """One sentence, and its tone."""
    if used is None:
        says = f"{name}: {count(rows)} rows with {describe(size)}"
        if command is None:
            return f"{says}.", ""
        return (f"{says}: enough to learn from.", "well") if command else (f"{says}: too thin to learn from.", "error")
    whole = funnel.stages[0].rows
    says = f"{name}: {count(rows)} of {count(whole)} rows are left ({percent(rows, whole)}), with {describe(size)}"
    if used != asked:
        return f"{says}; the thresholds were lowered from {asked} to {used}.", "warning"
    return f"{says}; the thresholds {asked} are kept.", "well"


def _key_figures(size: Size, rows: int, asked: Thresholds, used: Thresholds | None) -> list[tuple[str, str]]:
    figures = [
        ("rows", count(rows)),
        ("distinct pairs", count(size.pairs)),
        ("users", count(size.users)),
        ("items", count(size.items)),
        ("density of the pairs", f"{density(size):.4%}"),
        ("repeats of a pair", f"{count(rows - size.pairs)} ({percent(rows - size.pairs, rows)})"),
    ]
    if used is not None:
        figures += [("thresholds asked (user, item)", str(asked)), ("thresholds used (user, item)", str(used))]
    return figures


def _parts(statistics: Statistics) -> Section:
    names = list(next(iter(statistics.parts.values())))
    rows = []
    for part, counts in statistics.parts.items():
        whole = max(counts["rows"], counts["cold_rows"])
        cold = "" if part == "train" else percent(counts["cold_rows"], whole)
        rows.append((part, *(count(counts[name]) for name in names), cold))
    head = ("part", *(name.replace("_", " ") for name in names), "share of cold rows")
    cold = "Cold: with a user or an item that training never saw."
    return Section("Parts", [table("Parts", head, rows), Text(cold, "soft")])


def _days(statistics: Statistics) -> Chart:
    """Interactions of each behaviour by day."""
    days = {
        day: date.fromisoformat(day.zfill(10)).toordinal()
        for day in sorted({day for counts in statistics.days.values() for day in counts})
    }
    title = "day (Beijing time)"
    if days and max(days.values()) - min(days.values()) > SPARSE * len(days):
        days, title = {day: place for place, day in enumerate(days)}, "day (Beijing time); days without rows left out"
    series = [
        Series(statistics.labels.get(behavior, behavior), [days[day] for day in counts], list(counts.values()))
        for behavior, counts in statistics.days.items()
        if counts
    ]
    axis = Axis(title, labels={place: day for day, place in days.items()})
    return Chart("Interactions by behaviour", axis, Axis("interactions a day (logarithmic)", log=True), series)


def _degrees(who: str, before: Histogram, after: Histogram, marks: list[Mark]) -> Chart:
    """How many users have how many items, or the other way round."""
    partner = "item" if who == "user" else "user"
    series = [
        Series(name, list(histogram), list(histogram.values()), line=False)
        for name, histogram in (("before the core", before), ("after the core", after))
        if histogram
    ]
    if not after:
        series = [Series("", one.xs, one.ys, line=False) for one in series]
    x, y = Axis(f"distinct {partner}s of {'an' if who == 'item' else 'a'} {who} (logarithmic)", log=True), f"{who}s"
    return Chart(f"Distinct {partner}s of the {who}s", x, Axis(f"number of {y} (logarithmic)", log=True), series, marks)
