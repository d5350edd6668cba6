"""How does the result of a run look? One row a metric, narrow enough for any terminal."""

from collections.abc import Mapping


def result_table(columns: Mapping[str, Mapping[str, float] | None], places: int = 4) -> str:
    """A table of plain text.

    Args:
        columns: title -> metric -> value. A column without values is left out.
        places: decimals of a value.
    """
    shown = {title: values for title, values in columns.items() if values}
    metrics = list(dict.fromkeys(metric for values in shown.values() for metric in values))
    first = max(map(len, [*metrics, "metric"]))
    rows = [("metric", *shown)]
    rows += [(metric, *(_cell(values.get(metric), places) for values in shown.values())) for metric in metrics]
    widths = [first, *(max(len(title), 8) for title in shown)]
    return "\n".join("  ".join([row[0].ljust(first), *map(str.rjust, row[1:], widths[1:])]) for row in rows)


def _cell(value: float | None, places: int) -> str:
    return "-" if value is None else f"{float(value):.{places}f}"
