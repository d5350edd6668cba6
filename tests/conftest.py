"""What several test folders share: the two-taste world, real slices, and a run of the command line."""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

# The test worlds are tiny: a second thread costs more than it brings. Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test depends on time: the machine may be busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and keeps what was written."""

    def isatty(self) -> bool:
        return True


SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is noted for the user is noted elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def write_inter(folder: Path, name: str, rows: Iterable[tuple[object, object, object]], suffix: str = "") -> Path:
    """`<folder>/<name>/<name>[.suffix].inter` of (user, item, timestamp) rows."""
    file = folder / name / f"{name}{suffix}.inter"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["user_id:token\titem_id:token\ttimestamp:float", *("\t".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def two_taste_rows(users: int = 60, items: int = 60, each: int = 15, seed: int = 0) -> list[tuple[str, str, int]]:
    """Users and items of even and odd number: a user takes `each` items of his own parity, in a seeded order."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        own = np.arange(user % 2, items, 2)
        rows += [(f"u{user}", f"i{item}", time) for time, item in enumerate(rng.permutation(own)[:each])]
    return rows


@pytest.fixture(scope="session")
def two_tastes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data path that holds the data set `two-tastes`."""
    folder = tmp_path_factory.mktemp("two_tastes")
    write_inter(folder, "two-tastes", two_taste_rows())
    (folder / "two-tastes" / "two-tastes.yaml").write_text(
        "load_col: {inter: [user_id, item_id, timestamp]}\n"
        "eval_args: {split: {RS: [0.8, 0.1, 0.1]}, order: TO, group_by: user, mode: full}\n"
        "topk: [5, 10]\nvalid_metric: Hit@10\nshow_progress: False\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def shared_data() -> Path:
    """The folder of real slices; skips the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real slices in ../shared/data, which are not part of the project")
    return SHARED


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `recbole-alibaba WORDS...` in an empty folder and returns click's result."""
    monkeypatch.chdir(tmp_path)
    from recbole_alibaba.cli import main

    return lambda *words: CliRunner().invoke(main, list(map(str, words)))
