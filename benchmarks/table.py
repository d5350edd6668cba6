"""The numbers of a benchmark run as Markdown: the table of targets first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Numbers = Mapping[str, Any]


def render(found: Numbers) -> str:
    """The page, rendered from the numbers alone."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine.items() if name not in ("cpu", "cores"))
    lines = [
        "# Training, evaluation and loading against their peers",
        "",
        "Written by `python -m benchmarks` (`pip install -e .[bench]`); every ratio has both sides from the same run.",
        f"{machine['cpu']}, {machine['cores']} cores; {versions}. Medians of interleaved repeats; seconds do not",
        "carry over to another machine, ratios do. LightGCN, 64 dimensions, 3 layers, batch 2,048, float32.",
        "",
        "## Targets",
        "",
        "| | target | found | met |",
        "|---|---|---|---|",
        *(_target(*row) for row in targets(found)),
        "",
        "## A training step, milliseconds",
        "",
        *_steps(found["step"]),
        "",
        "The last row reads as many random rows by `index_select` and moves Adam's tables at the rate of `a + b`. It",
        "is slower than our whole step, so it bounds nothing, and the target of 57 % of the bound stays unmeasured.",
        "",
        "## Growth: seconds an epoch at batch 2,048, one thread, from the median step",
        "",
        *_growth(found["growth"]),
        "",
        "## Full-sort evaluation, seconds",
        "",
        *_rows(found["evaluation"], ("users", "items")),
        "",
        "## Graph and loading",
        "",
        *_rows(found["graph"], ("pairs",)),
        "",
        *_rows(found["loading"], ("pairs",)),
        "",
        "Negatives for {pairs:,} pairs, one thread: RecBole {RecBole:.3f} s, ours {ours:.3f} s.".format_map(
            found["negatives"]
        ),
    ]
    return "\n".join(lines) + "\n"


def targets(found: Numbers) -> list[tuple[str, str, float, float]]:
    """(what, unit of the ratio, target, found), for everything that was measured."""
    rows: list[tuple[str, str, float, float]] = []
    for key, step in found["step"].items():
        stock, ours = step["RecBole LightGCN"], step["ours"]
        if key.startswith("gowalla"):
            plain = stock / step["ours, RecBole's Trainer"]
            rows.append((f"our model under RecBole's Trainer, {key}", "times RecBole", 7, plain))
            rows.append((f"our full step, {key}", "times RecBole", 11, stock / ours))
            if key.endswith("2t"):
                rows.append((f"our full step, {key}", "times PyG on CSR", 9, step["PyG LightGCN, CSR"] / ours))
        else:
            rows.append((f"our full step, {key}", "times RecBole", 4, stock / ours))
    negatives = found["negatives"]
    rows.append(("negatives, without numba", "times RecBole", 2, negatives["RecBole"] / negatives["ours"]))
    for key, one in found["evaluation"].items():
        rows.append((f"evaluation, {key}", "times RecBole's default", 10, one["RecBole, default"] / one["ours"]))
        if key.startswith("gowalla"):
            rows.append((f"evaluation, {key}", "times RecBole's best", 4, one["RecBole, large batch"] / one["ours"]))
    for kind, least, target in (("graph", 15, 1 / 4), ("loading", 8, 1 / 3)):
        for key, ours in found[kind].items():
            if key.endswith(", ours"):
                theirs = found[kind][key.replace(", ours", ", recbole")]
                total = [sum(one.get(part, 0) for part in ("seconds", "loading", "loaders")) for one in (theirs, ours)]
                rows.append(
                    (f"{kind}, {key.removesuffix(', ours')} pairs", "times RecBole", least, total[0] / total[1])
                )
                rows.append(
                    (
                        f"{kind}, {key.removesuffix(', ours')} pairs: memory",
                        "of RecBole's, at most",
                        target,
                        ours["GB"] / theirs["GB"],
                    )
                )
    return rows


def _target(what: str, unit: str, least: float, found: float) -> str:
    met = found <= least if "at most" in unit else found >= least
    return f"| {what} | {least:.2g} {unit} | {found:.2g} | {'yes' if met else '**no**'} |"


def _steps(steps: Numbers) -> list[str]:
    names = [name for name in next(iter(steps.values())) if name not in ("pairs", "share of the last layer")]
    lines = ["| | " + " | ".join(steps) + " |", "|---|" + "---:|" * len(steps)]
    for name in names:
        label = "the rows by index_select, and Adam" if name == "bound" else name
        cells = [f"{1000 * step[name]:.1f}" if name in step else "" for step in steps.values()]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def _growth(growth: Numbers) -> list[str]:
    lines = ["| pairs | RecBole LightGCN | PyG LightGCN, CSR | ours |", "|---:|---:|---:|---:|"]
    for one in growth.values():
        count = -(-one["pairs"] // 2048)
        cells = [f"{one[name] * count:,.0f}" for name in ("RecBole LightGCN", "PyG LightGCN, CSR", "ours")]
        lines.append(f"| {one['pairs']:,} | " + " | ".join(cells) + " |")
    return lines


def _rows(measured: Numbers, counts: tuple[str, ...]) -> list[str]:
    names = list(next(iter(measured.values())))
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for key, one in measured.items():
        cells = [f"{one[name]:,}" if name in counts else f"{one[name]:.2f}" for name in names]
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return lines
