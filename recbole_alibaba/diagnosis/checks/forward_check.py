"""Does the forward pass give scores that can rank? They must be finite, one for each row, and differ between items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_alibaba.diagnosis.causes.evidence import HUGE_NORM, TINY_NORM, explained
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.monitor.embedding_tables import embedding_tables, rows_of
from recbole_alibaba.diagnosis.signs.embedding_signs import ONE_POINT

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

USERS, ITEMS = 20, 500
SAME = 1e-6  # spread of a user's scores, as a share of their size
BITS = 32


def forward(experiment: Experiment) -> list[Verdict]:
    """4: scores are finite, one for each row, and differ between a user's items; embedding rows have a usable size."""
    sizes = table_sizes(experiment)
    try:
        scores, users, items = sample_scores(experiment)
    except (NotImplementedError, KeyError, AttributeError):
        return [not_examined("forward", "constant-scores", "no-predict"), *sizes]
    if scores.numel() != users * items:
        return [judge("forward", Finding("forward-shape", "error", scores.numel(), users * items), False)]
    broken = float((~torch.isfinite(scores)).float().mean())
    finite = judge(
        "forward", Finding("forward-not-finite", "error", broken, 0.0, causes=("numbers-break",)), broken == 0
    )
    if broken:
        return [finite, *sizes]
    scores = scores.view(users, -1).double()
    size = float(scores.abs().mean())
    spread = float(scores.std(dim=1).median()) / max(size, 1e-300)
    tiny = size < TINY_NORM**2  # scores of rows that are too small, which is another finding
    constant = Finding("constant-scores", "error", spread, SAME, causes=("constant-scores",))
    return [finite, judge("forward", constant, spread > SAME or tiny), *sizes]


def table_sizes(experiment: Experiment) -> list[Verdict]:
    """4: embedding rows are neither tiny nor huge, in full precision, and not all equal."""
    norms, bits, spreads = [], [], []
    for side, tables in embedding_tables(experiment.model).items():
        for parameter in tables.values():
            begin, end = rows_of(side, parameter, experiment.model)
            rows = parameter.detach()[begin : end : max(1, (end - begin) // 1000)].float()
            norms.append(float(rows.norm(dim=1).mean()))
            spreads.append(float((rows - rows.mean(0)).norm(dim=1).mean()) / max(norms[-1], 1e-30))
            bits.append(torch.finfo(parameter.dtype).bits)
    if not norms:
        return [not_examined("forward", "init-too-small", "no-tables")]
    settings, table = experiment.settings, {"table": "embedding"}
    small = Finding("init-too-small", "error", min(norms), TINY_NORM, table, **explained(("init-too-small",), settings))
    large = Finding("init-too-large", "error", max(norms), HUGE_NORM, **explained(("init-too-large",), settings))
    half = Finding("half-precision", "error", min(bits), BITS, **explained(("half-precision",), settings))
    equal = Finding("rows-start-equal", "error", min(spreads), ONE_POINT, **explained(("rows-start-equal",), settings))
    return [
        judge("forward", small, min(norms) >= TINY_NORM),
        judge("forward", large, max(norms) <= HUGE_NORM),
        judge("forward", half, min(bits) >= BITS),
        judge("forward", equal, min(spreads) >= ONE_POINT),
    ]


def sample_scores(experiment: Experiment) -> tuple[Tensor, int, int]:
    """Scores of up to 20 users over up to 500 items each, flat; the number of users, and of items."""
    model: Any = experiment.model
    device = experiment.config["device"]
    n_users, n_items = int(experiment.dataset.user_num), int(experiment.dataset.item_num)
    users = torch.arange(1, n_users)[:: max(1, (n_users - 1) // USERS)][:USERS].to(device)
    items = torch.arange(1, n_items)[:: max(1, (n_items - 1) // ITEMS)][:ITEMS].to(device)
    rows = Interaction({model.USER_ID: users.repeat_interleave(len(items)), model.ITEM_ID: items.repeat(len(users))})
    model.eval()
    with torch.no_grad():
        return model.predict(rows), len(users), len(items)
