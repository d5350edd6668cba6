"""The contestants of the benchmark can step and do the same maths; its page says what was met, and why not."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import recbole_alibaba  # noqa: F401  (makes RecBole importable)

pytest.importorskip("benchmarks.worlds", reason="the benchmarks are in the repository, not in the package")
from click import ClickException
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import contestants, gpu, gpu_page, gpu_part, steps, worlds
from benchmarks.table import render
from benchmarks.targets import targets

FOLDER = Path(command.__file__).parent
STEP = {
    "pairs": 1000, "share of the last layer": 0.2, "gather, GB/s": 30.0, "RecBole LightGCN": 1.0,
    "PyG LightGCN, CSR": 0.9, "ours, RecBole's Trainer": 0.125, "ours": 0.12, "bound": 0.1,
}  # fmt: skip


@pytest.mark.parametrize("name", contestants.CONTESTANTS)
def test_every_contestant_steps_on_a_small_world(name: str) -> None:
    if name.startswith("PyG"):
        pytest.importorskip("torch_geometric", reason="pip install -e .[bench]")
    users, items = worlds.made_up(2_000, 80, 120)
    assert 1_500 < len(users) == len(items) <= 2_000 and users.min() == items.min() == 1
    torch.manual_seed(0)
    step = contestants.CONTESTANTS[name](users, items)
    for batch in contestants.batches(users, items, 64, 2):
        step(batch)


def test_ways_to_train_are_shown_in_minutes_an_epoch() -> None:
    one = {"pairs": 10_000, "as it is": {"batch": 2048, "seconds": 12.0}}
    page = render({"machine": {"cpu": "a processor", "cores": 2}, "ways": {"1 M": one}})
    assert "| | batch | 10,000 pairs |\n|---|---:|---:|\n| as it is | 2,048 | 1.0 |\n" in page


def test_a_target_is_met_or_says_what_bounds_it_or_how_to_measure_it() -> None:
    rows = {(one.what, one.unit): one for one in targets()}
    numbers: Any = {"step": {"gowalla, 1t": STEP}, "fits": {"3 M": {"peak, GB": 9.0}}}
    met = rows["our model under RecBole's Trainer, gowalla, 1t", "times RecBole"].row(numbers)
    assert met == (">= 7 times RecBole", "8.0", "yes")
    needed, found, why = rows["our full step, gowalla, 1t", "times RecBole"].row(numbers)
    assert (needed, found) == (">= 11 times RecBole", "8.3")
    assert "gather bound would be 10.0 times here, itself short of the target; this is 83% of it" in why
    assert rows["3 M rows: loads, trains, evaluates", "GB"].row(numbers) == ("<= 8 GB", "9.0", "**no**")
    *_, unknown = rows["loading, 10 M rows", "times RecBole"].row(numbers)
    assert unknown == "not measured: `python -m benchmarks loading --sizes 10`"


def test_every_target_is_measured_by_the_command_it_names() -> None:
    for target in targets():
        part, *sized = target.command.removeprefix("python -m benchmarks ").split(" --sizes ")
        planned = {(kind, key) for kind, key, _ in command.plan((part,), sized or ["1"], ["1", "2"], 1)}
        assert (target.kind, target.key) in planned


def test_measurements_are_merged_with_those_of_this_machine_and_with_no_others(tmp_path: Path) -> None:
    here = {"cpu": "a processor", "cores": 2}
    graph = {"pairs": 5, "RecBole, seconds": 1.0, "RecBole, GB": 0.5, "ours, seconds": 1.0, "ours, GB": 0.5}
    command.record(tmp_path, here, [("graph", "10 M", graph)])
    page = command.record(tmp_path, here, [("growth", "1 M", STEP)])
    found = json.loads((tmp_path / "training.json").read_text())
    assert found == {"machine": here, "graph": {"10 M": graph}, "growth": {"1 M": STEP}}
    assert page == render(found) == (tmp_path / "training.md").read_text()
    assert "| graph, 10 M edges | >= 15 times RecBole | 1.0 | **no** |" in page
    command.record(tmp_path, here | {"cores": 3}, [("growth", "1 M", STEP)])
    assert set(json.loads((tmp_path / "training.json").read_text())) == {"machine", "growth"}


def test_what_was_measured_before_an_error_is_kept(tmp_path: Path) -> None:
    def stops() -> Iterator[Any]:
        yield "growth", "1 M", STEP
        raise ClickException("stopped")

    with pytest.raises(ClickException, match="stopped"):
        command.record(tmp_path, {}, stops())
    assert json.loads((tmp_path / "training.json").read_text())["growth"] == {"1 M": STEP}


def test_a_peer_that_is_not_installed_is_named() -> None:
    with pytest.raises(ClickException, match=r"no-such-peer is not installed: pip install -e .\[bench\]"):
        command.machine(("torch", "no-such-peer"))


def test_the_command_measures_and_shows_where_its_peers_are_installed(tmp_path: Path) -> None:
    done = CliRunner().invoke(command.main, ["graph", "--sizes", "0.01", "--output", str(tmp_path / "new")])
    if not find_spec("torch_geometric"):
        assert done.exit_code == 1 and "torch_geometric is not installed" in done.output
        assert not list(tmp_path.iterdir())
        return
    assert done.exit_code == 0, done.output
    numbers = json.loads((tmp_path / "new" / "training.json").read_text())["graph"]["0.01 M"]
    assert set(numbers) == {
        "pairs",
        *(f"{whose}, {what}" for whose in ("ours", "RecBole") for what in ("seconds", "GB")),
    }


def test_the_page_is_rendered_from_its_own_numbers() -> None:
    if not (FOLDER / "training.json").is_file():
        pytest.skip("no numbers yet: python -m benchmarks")
    numbers = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))
    assert render(numbers) == (FOLDER / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "compared"),
    [
        (("evaluation", "1", "300", "40"), ("RecBole, default", "RecBole, large batch", "ours", "the products alone")),
        (("loading", "0.01", "ours"), ("loading", "loaders", "GB")),
        (("graph", "0.01", "recbole"), ("seconds", "GB")),
        (("fits", "0.01", "1", "2"), ("step", "evaluation", "peak, GB")),
        (("ways", "0.002", "1"), tuple(f"{way}, seconds" for way in steps.WAYS)),
    ],
)
def test_a_measurement_prints_its_numbers(words: tuple[str, ...], compared: tuple[str, ...]) -> None:
    """In a process of its own, as the command runs it: memory that a process already has is used again."""
    asked = [sys.executable, "-m", "benchmarks.measure", *words]
    done = subprocess.run(asked, cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    numbers = json.loads(done.stdout.splitlines()[-1])
    numbers |= {f"{name}, seconds": of["seconds"] for name, of in numbers.items() if isinstance(of, dict)}
    assert all(numbers[name] >= 0 for name in compared)


def test_the_page_on_a_gpu_is_rendered_from_its_record_or_says_not_run() -> None:
    record, shown = (FOLDER.parent / "results" / name for name in ("records/gpu.json", "gpu.md"))
    known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    assert gpu_page.page(known) == shown.read_text(encoding="utf-8")
    assert "**Not run.**" in gpu_page.page({})


def test_the_page_on_a_gpu_has_a_row_for_what_failed_and_a_ratio_for_the_rest() -> None:
    found = {
        "at": "2026-01-01T00:00:00+00:00", "quick": True, "machine": {"device": "A GPU"},
        "step": {
            "steps": 396, "reason": "stopped after 90 s", "PyG LightGCN, CSR": {"reason": "ImportError: a|b"},
            "RecBole LightGCN": {"ms": 3.0, "ms alone": 4.0, "GB": 1.0},
            "ours": {"ms": 1.5, "ms alone": 2.0, "GB": 0.5},
        },
    }  # fmt: skip
    page = gpu_page.page(found)
    assert "| RecBole LightGCN | 3.00 | 2.00 | 4.00 | 1.00 |  |" in page
    assert "| PyG LightGCN, CSR |  |  |  |  | ImportError: a/b |" in page
    assert "This part is not complete: stopped after 90 s" in page


def test_the_parts_for_a_gpu_say_each_number_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the CPU, with four users; a library that is not installed has its reason and takes nothing else away."""
    with gzip.open(tmp_path / "train.txt.gz", "wt") as file:
        file.write("0 0 1 2\n1 1 2\n2 0 3\n3 3\n")
    part = gpu_part.Part(str(tmp_path), str(tmp_path), "cpu", "quick")
    assert all(callable(getattr(part, name)) for name in gpu.SECONDS)
    part.products()
    part.step()
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        found.update(json.loads(line))
    assert found["CSR, torch.sparse.mm"]["relative error"] < 1e-6 and found["RecBole LightGCN"]["ms"] > 0
    assert "reason" in found["Triton"] and found["steps"] == 1
