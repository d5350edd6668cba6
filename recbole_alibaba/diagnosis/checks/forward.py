"""Does the forward pass give scores that can rank: finite, of the right shape, different for different items."""

from __future__ import annotations

from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_alibaba.diagnosis.causes import HUGE_NORM, TINY_NORM, explained
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.signs.embeddings import ONE_POINT
from recbole_alibaba.diagnosis.subject import Subject, severity_for
from recbole_alibaba.diagnosis.tables import embedding_tables, rows_of

USERS, ITEMS = 20, 500
SAME = 1e-6  # spread of a user's scores, as a share of their size
BITS = 32


def forward(subject: Subject) -> list[Verdict]:
    """4: scores are finite, one a row, and differ between a user's items; rows neither tiny nor huge."""
    try:
        scores, users = scores_of(subject)
    except (NotImplementedError, KeyError, AttributeError):
        return [not_examined("forward", "constant-scores", "no-predict"), *sizes(subject)]
    if scores.numel() != users * min(ITEMS, subject.n_items - 1):
        wrong = Finding("forward-shape", "error", scores.numel(), users * min(ITEMS, subject.n_items - 1))
        return [judge("forward", wrong, False)]
    broken = float((~torch.isfinite(scores)).float().mean())
    not_finite = Finding("forward-not-finite", "error", broken, 0.0, causes=("numbers-break",))
    if broken:
        return [judge("forward", not_finite, False), *sizes(subject)]
    scores = scores.view(users, -1).double()
    size = float(scores.abs().mean())
    spread = float(scores.std(dim=1).median()) / max(size, 1e-300)
    tiny = size < TINY_NORM**2  # products of rows too small to learn from
    constant = Finding("constant-scores", severity_for(subject.model), spread, SAME, causes=("constant-scores",))
    return [
        judge("forward", not_finite, True),
        judge("forward", constant, spread > SAME or tiny),
        *sizes(subject),
    ]


def sizes(subject: Subject) -> list[Verdict]:
    """4: embedding rows that are long enough to have gradients, short enough to be moved, and in full precision."""
    norms, bits, spreads = [], [], []
    for side, tables in embedding_tables(subject.model).items():
        for parameter in tables.values():
            begin, end = rows_of(side, parameter, subject.model)
            rows = parameter.detach()[begin : end : max(1, (end - begin) // 1000)].float()
            norms.append(float(rows.norm(dim=1).mean()))
            spreads.append(float((rows - rows.mean(0)).norm(dim=1).mean()) / max(norms[-1], 1e-30))
            bits.append(torch.finfo(parameter.dtype).bits)
    if not norms:
        return [not_examined("forward", "init-too-small", "no-tables")]
    settings = subject.settings
    small = Finding(
        "init-too-small",
        "error",
        min(norms),
        TINY_NORM,
        values={"table": "embedding"},
        **explained(("init-too-small",), settings),
    )
    large = Finding("init-too-large", "error", max(norms), HUGE_NORM, **explained(("init-too-large",), settings))
    half = Finding("half-precision", "error", min(bits), BITS, **explained(("half-precision",), settings))
    equal = Finding("rows-start-equal", "error", min(spreads), ONE_POINT, **explained(("rows-start-equal",), settings))
    return [
        judge("forward", small, min(norms) >= TINY_NORM),
        judge("forward", large, max(norms) <= HUGE_NORM),
        judge("forward", half, min(bits) >= BITS),
        judge("forward", equal, min(spreads) >= ONE_POINT),
    ]


def scores_of(subject: Subject) -> tuple[Tensor, int]:
    """Scores of up to 20 users over up to 500 items each, flat, and how many users."""
    model: Any = subject.model
    device = subject.config["device"]
    users = torch.arange(1, subject.n_users)[:: max(1, (subject.n_users - 1) // USERS)][:USERS].to(device)
    items = torch.arange(1, subject.n_items)[:: max(1, (subject.n_items - 1) // ITEMS)][:ITEMS].to(device)
    pairs = Interaction({model.USER_ID: users.repeat_interleave(len(items)), model.ITEM_ID: items.repeat(len(users))})
    model.eval()
    with torch.no_grad():
        return model.predict(pairs), len(users)
