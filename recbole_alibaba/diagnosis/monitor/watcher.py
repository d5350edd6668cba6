"""What is read while a model trains? A few rows of a few batches, so that watching costs little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from recbole_alibaba.diagnosis.monitor.embedding_tables import embedding_tables, rows_of
from recbole_alibaba.diagnosis.monitor.score_readings import score_readings

LOOKS = 4  # batches that are read in an epoch
ROWS = 256  # rows that are read of a table
POOL = 4_096  # rows that are searched for gradients; also entries that are compared for ``unmoved``


class Watcher:
    """Takes the optional readings of ``readings.py`` from any RecBole general model.

    The trainer calls ``start_epoch``. For each batch it calls ``before_forward`` (optional) after ``zero_grad``, and
    ``after_backward`` after clipping, just before ``optimizer.step()``. Then it calls ``end_epoch``. The watcher
    changes nothing and draws no random number.

    Args:
        model: the model that trains.
        batches: number of batches in an epoch.
    """

    def __init__(self, model: nn.Module, batches: int) -> None:
        self.model = model
        self.every = max(1, batches // LOOKS)
        self.tables = embedding_tables(model)
        self._in_tables = {id(table) for side in self.tables.values() for table in side.values()}
        # A table must move. Other parameters may belong to a branch that a setting switches off.
        self._expected = {
            name: parameter for name, parameter in model.named_parameters() if id(parameter) in self._in_tables
        }
        self._batch = 0
        self._reset()

    def _reset(self) -> None:
        self._starts: dict[str, Tensor] = {}
        self._norms: dict[str, Tensor] = {}
        self._shares: dict[str, list[Tensor]] = {"below_eps": [], "decay_share": [], "update_ratio": []}
        self._stale: list[Tensor] = []
        self._before: list[tuple[nn.Parameter, Tensor, Tensor]] = []
        self._eps: float | None = None

    def start_epoch(self) -> None:
        """Keep a few entries of every table and the norm of its rows."""
        self._reset()
        self._batch = 0
        with torch.no_grad():
            self._starts = {name: _some(parameter).clone() for name, parameter in self._expected.items()}
            self._norms = {f"{key}_start": value for key, value in self._table_readings() if "norm" in key}

    @property
    def looking(self) -> bool:
        """Whether the current batch is read."""
        return self._batch % self.every == 0

    def before_forward(self) -> None:
        """Check that no gradient of an earlier batch is left; call it after ``zero_grad``."""
        if self._batch and self.looking:
            gradients = [table.grad for table in self._expected.values() if table.grad is not None]
            left = [(_some(gradient) != 0).any() for gradient in gradients if not gradient.is_sparse]
            if left:
                self._stale.append(torch.stack(left).any().float())

    def after_backward(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Read the gradients that the optimiser is going to use. Most batches are not read and return at once."""
        with torch.no_grad():
            if self._before:
                self._compare()
            if self.looking:
                self._look(optimizer)
        self._batch += 1

    def end_epoch(self, batch: Any = None) -> dict[str, Any]:
        """The readings of the epoch, for JSON. A reading that could not be taken is absent.

        Args:
            batch: an Interaction with positives and negatives, for ``score_gap`` and ``score_loss``.
        """
        with torch.no_grad():
            if self._before:
                self._compare()
            now = dict(self._table_readings())
            unmoved = [name for name, then in self._starts.items() if _same(self._expected[name], then)]
            read: dict[str, Any] = {key: value.item() for key, value in (self._norms | now).items()}
            for key, values in self._shares.items():
                if values:
                    read[key] = torch.stack(values).mean().item()
            if self._stale:
                read["stale"] = torch.stack(self._stale).mean().item()
        if self._eps is not None:
            read["eps"] = self._eps
        if batch is not None:
            read |= score_readings(self.model, batch)
        items: Any = getattr(self.model, "n_items", None)
        if items is not None:
            read["items"] = int(items)
        return read | {"unmoved": unmoved, "parameters": len(self._starts)}

    def _look(self, optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            eps, decay = group.get("eps"), group.get("weight_decay") or 0.0
            coupled = decay > 0 and _is_coupled(optimizer)
            for parameter in group["params"]:
                if id(parameter) not in self._in_tables or parameter.grad is None or parameter.grad.is_sparse:
                    continue
                rows, pool = _rows_with_gradient(parameter.grad)
                gradient, values = parameter.grad[rows], parameter[rows]
                if len(rows):
                    self._before.append((parameter, rows, values.clone()))
                    if eps is not None:
                        self._shares["below_eps"].append((gradient.abs() < eps).float().mean())
                        self._eps = float(eps)
                if coupled:
                    pulled = decay * parameter[pool].norm(dim=1) > parameter.grad[pool].norm(dim=1)
                    self._shares["decay_share"].append(pulled.float().mean())

    def _compare(self) -> None:
        for parameter, rows, then in self._before:
            change = (parameter[rows].float() - then.float()).norm()
            self._shares["update_ratio"].append(change / then.float().norm().clamp_min(1e-30))
        self._before.clear()

    def _table_readings(self) -> Iterator[tuple[str, Tensor]]:
        for side, tables in self.tables.items():
            if not tables:
                continue
            parameter = next(iter(tables.values()))
            begin, end = rows_of(side, parameter, self.model)
            rows = parameter[begin : end : max(1, (end - begin) // ROWS)].float()
            if not len(rows):
                continue
            norm = rows.norm(dim=1).mean()
            yield f"{side}_norm", norm
            yield f"{side}_spread", (rows - rows.mean(0)).norm(dim=1).mean() / norm.clamp_min(1e-30)


def _is_coupled(optimizer: torch.optim.Optimizer) -> bool:
    adaptive = (torch.optim.Adam, torch.optim.Adagrad, torch.optim.RMSprop)
    # In today's torch AdamW is a subclass of Adam with decoupled decay.
    return isinstance(optimizer, adaptive) and not optimizer.defaults.get("decoupled_weight_decay")


def _same(parameter: Tensor, then: Tensor) -> bool:
    return torch.equal(_some(parameter), then)


def _some(parameter: Tensor) -> Tensor:
    """A view of about 4,096 entries, spread over the parameter's rows."""
    flat = parameter.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // POOL)]


def _rows_with_gradient(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of up to 256 rows with a gradient, out of about 4,096 rows; and of about 256 rows of any kind."""
    pool = torch.arange(1, len(gradient), max(1, len(gradient) // POOL), device=gradient.device)
    touched = pool[(gradient[pool] != 0).any(dim=1).nonzero().squeeze(1)]
    return touched[:: max(1, len(touched) // ROWS)][:ROWS], pool[:: max(1, len(pool) // ROWS)]
