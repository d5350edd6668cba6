"""The targets of speed and memory: what was asked, what was found, and what bounds it on the machine at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

LARGE_BATCH = 1 << 18
Entry = Mapping[str, float]
Found = Mapping[str, Mapping[str, Entry]]


@dataclass(frozen=True)
class Target:
    """One row. `found` and `limit` read the numbers' entry at `kind`, `key`; `limit` is what `bound` would reach."""

    what: str
    needed: float
    unit: str
    kind: str
    key: str
    found: Callable[[Entry], float]
    limit: Callable[[Entry], float] | None = None
    bound: str = ""
    at_most: bool = False

    def row(self, numbers: Found) -> tuple[str, str, str]:
        """(needed, found, met or why not)."""
        needed = f"{'<=' if self.at_most else '>='} {self.needed:.2g} {self.unit}".rstrip()
        entry = numbers.get(self.kind, {}).get(self.key)
        if entry is None:
            return needed, "", f"not measured: `{self.command}`"
        found = self.found(entry)
        shown = f"{found:.2f}" if found < 1 else f"{found:.1f}"
        met = found <= self.needed if self.at_most else found >= self.needed
        return needed, shown, "yes" if met else f"**no**{self._why(entry, found)}"

    def _why(self, entry: Entry, found: float) -> str:
        if self.limit is None:
            return ""
        limit = self.limit(entry)
        short = ", itself short of the target" if limit < self.needed else ""
        return f": {self.bound} would be {limit:.1f} times here{short}; this is {found / limit:.0%} of it"

    @property
    def command(self) -> str:
        """What measures it."""
        size = self.key.split(" M")[0]
        sized = f" --sizes {size}" if self.kind in ("graph", "loading", "large-batch") else ""
        part = "million-items" if self.key.startswith("1 M items") else self.kind
        return f"python -m benchmarks {part}{sized}"


def times(theirs: str, ours: str = "ours") -> Callable[[Entry], float]:
    return lambda entry: entry[theirs] / entry[ours]


def epoch_seconds(entry: Entry, batch: int, whose: str = "ours") -> float:
    """A pass over all pairs, from a step's seconds."""
    return -(-entry["pairs"] // batch) * entry[whose]


def _of_both(*parts: str, more: bool = True) -> Callable[[Entry], float]:
    """Their parts' sum over ours, or ours over theirs; the entry holds both, as `RecBole, part` and `ours, part`."""

    def ratio(entry: Entry) -> float:
        theirs, ours = (sum(entry[f"{whose}, {part}"] for part in parts) for whose in ("RecBole", "ours"))
        return theirs / ours if more else ours / theirs

    return ratio


def targets() -> list[Target]:
    """All of them, in the order of the page."""
    rows: list[Target] = []
    recbole, default = "RecBole LightGCN", "RecBole, default"
    gather, products = "a step at the gather bound", "the matrix products alone"
    for threads in ("1t", "2t"):
        key, limit = f"gowalla, {threads}", times(recbole, "bound")
        plain = times(recbole, "ours, RecBole's Trainer")
        rows += [
            Target(f"our model under RecBole's Trainer, {key}", 7, "times RecBole", "step", key, plain, limit, gather),
            Target(f"our full step, {key}", 11, "times RecBole", "step", key, times(recbole), limit, gather),
        ]
        if threads == "2t":
            pyg = "PyG LightGCN, CSR"
            rows += [
                Target(
                    f"our full step, {key}", 9, "times PyG on CSR", "step", key, times(pyg), times(pyg, "bound"), gather
                ),
                Target(f"the gather bound over our full step, {key}", 0.57, "", "step", key, times("bound")),
            ]
        key = f"ml-100k, {threads}"
        rows.append(Target(f"our full step, {key}", 4, "times RecBole", "step", key, times(recbole), limit, gather))
    rows.append(Target("negatives, without numba", 2, "times RecBole", "negatives", "gowalla", times("RecBole")))
    for key, peer, least in (
        ("gowalla, 1t", "RecBole, default", 10),
        ("gowalla, 1t", "RecBole, large batch", 7),
        ("gowalla, 2t", "RecBole, default", 10),
        ("gowalla, 2t", "RecBole, large batch", 7),
        ("1 M items, 1t", "RecBole, default", 10),
        ("1 M items, 1t", "RecBole, large batch", 9),
    ):
        unit = f"times RecBole's {'default' if peer == default else 'best'}"
        limit = times(peer, "the products alone")
        rows.append(Target(f"evaluation, {key}", least, unit, "evaluation", key, times(peer), limit, products))
    for key in ("gowalla, 1t", "gowalla, 2t"):
        share = times("the products alone")
        rows.append(Target(f"the products alone over evaluation, {key}", 0.7, "", "evaluation", key, share))
    memory = _of_both("GB", more=False)
    rows += [
        Target("graph, 10 M edges", 15, "times RecBole", "graph", "10 M", _of_both("seconds")),
        Target("graph, 10 M edges: memory", 0.25, "of RecBole's", "graph", "10 M", memory, at_most=True),
        Target("loading, 10 M rows", 8, "times RecBole", "loading", "10 M", _of_both("loading", "loaders")),
        Target("loading, 10 M rows: memory", 1 / 3, "of RecBole's", "loading", "10 M", memory, at_most=True),
        Target(
            f"an epoch over 10 M pairs at batch {LARGE_BATCH:,}",
            10,
            "minutes",
            "large-batch",
            "10 M",
            lambda entry: epoch_seconds(entry, LARGE_BATCH) / 60,
            at_most=True,
        ),
        Target(
            "3 M rows: loads, trains, evaluates", 8, "GB", "fits", "3 M", lambda entry: entry["peak, GB"], at_most=True
        ),
    ]
    return rows
