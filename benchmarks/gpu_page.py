"""The page of `benchmarks.gpu`, from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Any]
RECBOLE, PYG = "RecBole LightGCN", "PyG LightGCN, CSR"


def page(found: Found) -> str:
    """results/gpu.md."""
    lines = ["# On a GPU", ""]
    if not found:
        lines += [
            "**Not run.** No machine with a GPU was at hand. On one, this command writes this page:",
            "",
            "    python -m benchmarks.gpu --data FOLDER_OF_GOWALLA --output results",
            "",
            "What is tested without a GPU: every part of a training stays on its device and never waits for it",
            "(`tests/plugin/test_device.py`, on fake tensors).",
        ]
        return "\n".join(lines) + "\n"
    lines += [
        "Rendered from `records/gpu.json`, which `python -m benchmarks.gpu` writes. Gowalla, LightGCN's split; 64",
        f"dimensions, 3 layers, batch 2,048, float32. {found['at'][:10]}{', a quick run' if found['quick'] else ''}.",
        *_machine(found.get("machine", {})),
        *(f"\n{note}" for note in found.get("since", ())),
    ]
    for title, name, table in SECTIONS:
        if name in found:
            lines += ["", f"## {title}", "", *table(found[name])]
            if "reason" in found[name]:
                lines += ["", f"This part is not complete: {found[name]['reason']}"]
    return "\n".join(lines) + "\n"


def _machine(machine: Found) -> list[str]:
    packages = ", ".join(f"{name} {number}" for name, number in machine.get("packages", {}).items())
    return [
        f"{machine.get('device', 'Unknown device')}, Python {machine.get('python')}, CUDA {machine.get('cuda')};",
        f"{packages}.",
    ]


def _checks(found: Found) -> list[str]:
    rows = ((name, one) for name, one in found.items() if isinstance(one, Mapping))
    cells = [(name, one.get("result", one.get("reason")), one.get("same each time", "")) for name, one in rows]
    return [
        'Each ran under `torch.cuda.set_sync_debug_mode("error")`: it fails where the CPU waits for the GPU.',
        "",
        *_table(("", "result", "same bits each time"), cells),
    ]


def _products(found: Found) -> list[str]:
    ours = _of(found, "ours", "ms")
    cells = [
        (name, _number(one, "ms", 3), _ratio(one.get("ms"), ours), _number(one, "relative error", 9),
         one.get("same each time", one.get("reason", "")))
        for name, one in found.items() if isinstance(one, Mapping)
    ]  # fmt: skip
    return [
        "A layer: users from items and items from users.",
        "",
        *_table(("", "ms", "times ours", "error against float64", "same bits each time"), cells),
    ]


def _step(found: Found) -> list[str]:
    ours = _of(found, "ours", "ms")
    cells = [
        (name, _number(one, "ms", 2), _ratio(one.get("ms"), ours), _number(one, "ms alone", 2), _number(one, "GB", 2),
         one.get("reason", ""))
        for name, one in found.items() if isinstance(one, Mapping)
    ]  # fmt: skip
    return [
        f"The same batches on the device for each; one after the other, and alone. An epoch has {found.get('steps')}.",
        "",
        *_table(("", "ms a step", "times ours", "ms alone", "GB at most", ""), cells),
    ]


def _epoch(found: Found) -> list[str]:
    ours = _of(found, "ours", "seconds")
    cells = [
        (name, _number(one, "seconds", 2), _ratio(one.get("seconds"), ours), _number(one, "GB", 2),
         ", ".join(f"{value:.5f}" for value in one["losses"][-1]) if "losses" in one else one.get("reason", ""))
        for name, one in found.items() if isinstance(one, Mapping)
    ]  # fmt: skip
    return [
        "Batches, negatives, steps and the reading of losses, by each library's own loader and trainer; the second",
        f"epoch. In ours the CPU waited {found.get('waits in an epoch')} times for the GPU. Two trainings from the",
        f"same seed end in the same bits: {found.get('same each time')}.",
        "",
        *_table(("", "seconds", "times ours", "GB at most", "losses"), cells),
    ]


def _evaluation(found: Found) -> list[str]:
    ours = _of(found, "ours", "seconds")
    cells = [
        (name, _number(one, "seconds", 2), _ratio(one.get("seconds"), ours), _number(one, "GB", 2), _result(one))
        for name, one in found.items() if isinstance(one, Mapping)
    ]  # fmt: skip
    return ["RecBole's with 200 users at once.", "", *_table(("", "seconds", "times ours", "GB at most", ""), cells)]


def _sides(found: Found) -> list[str]:
    cells = [
        (name, _number(one, "seconds", 1), _result(one),
         ", ".join(f"{value:.5f}" for value in one["losses"][-1]) if "losses" in one else "")
        for name, one in found.items() if isinstance(one, Mapping)
    ]  # fmt: skip
    return [
        "The batches are the same on both, so what differs is the order of sums.",
        "",
        *_table(("", "seconds", "test", "losses of the last epoch"), cells),
    ]


SECTIONS = (
    ("The parts of a training on the device", "checks", _checks),
    ("The sparse product", "products", _products),
    ("A training step", "step", _step),
    ("An epoch", "epoch", _epoch),
    ("Evaluation: all test users over all items", "evaluation", _evaluation),
    ("CPU and GPU side by side", "sides", _sides),
)


def _of(found: Found, name: str, key: str) -> float | None:
    one = found.get(name)
    return one.get(key) if isinstance(one, Mapping) else None


def _number(one: Found, key: str, digits: int) -> str:
    return f"{one[key]:.{digits}f}" if key in one else ""


def _ratio(value: float | None, ours: float | None) -> str:
    return f"{value / ours:.2f}" if value and ours else ""


def _result(one: Found) -> str:
    found = one.get("result", {})
    return ", ".join(f"{name} {value:.4f}" for name, value in found.items()) or one.get("reason", "")


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return lines + [
        f"| {' | '.join(str(cell).replace('|', '/').replace(chr(10), ' ') for cell in row)} |" for row in rows
    ]
