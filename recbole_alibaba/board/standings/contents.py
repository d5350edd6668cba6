"""What do the pages of a board show? Plain data; a page computes nothing but text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["ranked", "outside", "published", "failed"]


@dataclass(frozen=True)
class Figure:
    """A number over the seeds of a model.

    Attributes:
        mean: over the seeds that ended well.
        sd: standard deviation (n - 1); None with one seed.
        seeds: how many.
    """

    mean: float
    sd: float | None = None
    seeds: int = 1


@dataclass(frozen=True)
class Group:
    """A part of the test users, or of their items, by itself.

    Attributes:
        users: test users with something in the group; with 0 there are no metrics.
        metrics: over the seeds.
        members: users or items of the group.
        least, most: training interactions of a member.
    """

    users: int
    metrics: Mapping[str, Figure]
    members: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Run:
    """A final trial: one seed with the chosen setting; `test` is None where it failed.

    Attributes:
        history: by epoch: epoch, loss, its parts, valid {metric: value}, seconds.
        seconds: by stage: wait, prepare, train, validate, rank, total.
        groups: by name: users, members, least, most and the metrics.
        test_read: when the test part was read, as ISO time.
    """

    seed: int
    state: str = "done"
    reason: str | None = None
    test: Mapping[str, float] | None = None
    valid: Mapping[str, float] | None = None
    valid_score: float | None = None
    best_epoch: int | None = None
    history: Sequence[Mapping[str, Any]] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    parameters: int | None = None
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    beyond: Mapping[str, float] = field(default_factory=dict)
    competition: Mapping[str, float] = field(default_factory=dict)
    test_read: str | None = None


@dataclass(frozen=True)
class SearchTrial:
    """A trial of a search: it read the validation part only.

    Attributes:
        settings: those of the search space only.
        score: the board's validation metric; None where the trial failed.
        chosen: whether the finals use its settings.
    """

    index: int
    seed: int
    settings: Mapping[str, Any]
    state: str
    reason: str | None
    score: float | None
    best_epoch: int | None
    seconds: float | None
    chosen: bool


@dataclass(frozen=True)
class Comparison:
    """A model against the best, by the board's metric; p-values are two-sided.

    Attributes:
        difference: its mean minus the best's, at most 0.
        low, high: 95 % bootstrap interval of the difference, by users.
        p_wilcoxon, p_t: paired by user, scores averaged over seeds.
        holm_wilcoxon, holm_t: the same, corrected by Holm over the models compared with the best.
        p: by users' and seeds' noise together, corrected for the choice of the best; this one decides. Where the board
            has one seed, by users' noise alone.
    """

    difference: float
    low: float
    high: float
    p_wilcoxon: float
    holm_wilcoxon: float
    p_t: float
    holm_t: float
    p: float


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        label: the model's name on the board.
        model: its class; of a published row the label.
        kind: ranked; outside: lists made elsewhere; published: figures of a paper; failed: no seed ended well.
        rank: 1 for the best and all that cannot be told apart from it; None where not ranked.
        tied: the other labels of the same rank.
        metrics: by RecBole's name: recall@20.
        comparison: with the best; None for the best itself, published and failed rows. Of an outside row by users
            alone and not corrected.
        settings: over the property files, without those of all models.
        seconds: by stage, over the seeds.
        peak_memory_mb: the largest of its seeds.
        runs: one a seed, in order of the seeds, failed ones too.
        trials: its search, by index.
        source: where a published row stands.
    """

    label: str
    model: str
    kind: Kind
    rank: int | None = None
    tied: Sequence[str] = ()
    metrics: Mapping[str, Figure] = field(default_factory=dict)
    comparison: Comparison | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    beyond: Mapping[str, Figure] = field(default_factory=dict)
    competition: Mapping[str, Figure] = field(default_factory=dict)
    seconds: Mapping[str, Figure] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    parameters: int | None = None
    runs: Sequence[Run] = ()
    trials: Sequence[SearchTrial] = ()
    source: str = ""


@dataclass(frozen=True)
class Failure:
    """A trial without a result: failed, timeout, memory or refused, with the reason in one sentence."""

    label: str
    purpose: str
    seed: int
    index: int | None
    state: str
    reason: str


@dataclass(frozen=True)
class Standings:
    """One data set of a board.

    Attributes:
        metric: decides the ranks, the board's validation metric where it is known by user: ndcg@20.
        valid_metric: the validation metric as the board names it: NDCG@20.
        counts: users, items, train, valid, test.
        fingerprint: of the data's content.
        notes: footnotes: warnings of the data's checks, and what the statistics could not know.
        seeds: of all models.
        seed_noise: whether the board knows it; with one seed it does not.
        rows: ranked ones by rank and mean; then outside, published and failed ones.
    """

    dataset: str
    metric: str
    valid_metric: str
    counts: Mapping[str, int]
    fingerprint: str
    notes: Sequence[str]
    seeds: Sequence[int]
    seed_noise: bool
    rows: Sequence[Row]
    failures: Sequence[Failure] = ()

    @property
    def ranked(self) -> list[Row]:
        """The rows that have a rank, the best first."""
        return [row for row in self.rows if row.rank is not None]


@dataclass(frozen=True)
class BoardHead:
    """What the pages show of the board itself.

    Attributes:
        plan: the board's YAML as plain values, shown as the setting.
        command: what makes the board.
        spaces: by label, the search range of each setting as text.
    """

    name: str
    title: str
    text: str = ""
    command: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    spaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
