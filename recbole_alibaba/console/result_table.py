"""How does the result of a run look? One row a metric, narrow enough for any terminal."""

from collections.abc import Mapping

from tabulate import tabulate


def result_table(columns: Mapping[str, Mapping[str, float] | None], places: int = 4) -> str:
    """A table of plain text.

    Args:
        columns: title -> metric -> value. A column without values is left out.
        places: decimals of a value.
    """
    shown = {title: values for title, values in columns.items() if values}
    metrics = dict.fromkeys(metric for values in shown.values() for metric in values)
    rows = [[metric, *(values.get(metric) for values in shown.values())] for metric in metrics]
    return tabulate(rows, ["metric", *shown], "plain", floatfmt=f".{places}f", missingval="-", numalign="right")
