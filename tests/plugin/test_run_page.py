"""The page of a run: its verdict and content, several runs, unfinished and damaged ones; all pages in a browser."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dataset_prep.__main__ import main as prep
from dataset_prep.sources.sample import write_sample
from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination, Trial
from recbole_alibaba.diagnosis.report.doctor_page import page
from recbole_alibaba.diagnosis.signs import find_signs
from recbole_alibaba.run_page.record import read_runs
from recbole_alibaba.run_page.verdict import verdict

LIMIT = 1_200_000  # bytes


@pytest.fixture
def folder(trained: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(trained["run"], tmp_path / "run"))


def changed(folder: Path, name: str, **values: Any) -> Path:
    """A copy of the run with other values in its record and without tables."""
    copy = Path(shutil.copytree(folder, folder.with_name(name)))
    record = json.loads((copy / "run.json").read_text("utf-8"))
    (copy / "run.json").write_text(json.dumps({**record, "files": {}, **values}), "utf-8")
    return copy


def test_a_run_is_shown_whole(command: Callable[..., Result], folder: Path, model: Any) -> None:
    result = command("report", folder)
    assert result.exit_code == 0, result.output
    shown = (folder / "report.html").read_text("utf-8")
    assert len(shown) < LIMIT and "<script" not in shown
    assert shown.index("<h1>AlibabaLightGCN on ml-100k learned") < shown.index("<dl")
    record = json.loads((folder / "run.json").read_text("utf-8"))
    assert (
        f"{record['test_result']['ndcg@20']:.4f}" in shown and f"{record['popularity_result']['ndcg@20']:.4f}" in shown
    )
    for title in ("BPR loss", "L2 loss", "Gradient norm", "Validation: ndcg@20", "Validation: recall@20"):
        assert f"<title>{title}</title>" in shown
    assert "ln 2 = 0.6931" in shown and "learning_rate: 0.01" in shown
    users = re.findall("<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", shown)[-10:]
    lists = model.recommend([user for user, *_ in users], k=10, history="train")
    pairs = model.history.interactions
    for user, had, _, listed in users:
        items = listed.replace(" ✓", "").split(", ")
        assert items == lists.loc[lists["user"] == user, "item"].tolist()
        tested = (pairs["user"] == model.users.ids([user])[0]) & (pairs["part"].astype(str) == "test")
        assert set(re.findall(r"(\w+) ✓", listed)) == set(items) & set(model.items.texts[pairs["item"][tested]])
        assert not set(items) & set(had.partition(": ")[2].split(", "))


def test_several_runs_stand_beside_each_other(command: Callable[..., Result], folder: Path) -> None:
    better = {"ndcg@20": 0.9, "recall@20": 0.8}
    others = changed(folder, "other", test_result=better), changed(folder, "third", model="BPR", history=[])
    result = command("report", folder, *others)
    assert result.exit_code == 0, result.output
    shown = Path("report.html").read_text("utf-8")
    assert "The best of 3 runs is 2 AlibabaLightGCN: it beats popularity: ndcg@20 on test is 0.9000" in shown
    assert "3 BPR" in shown and "Settings that differ" in shown
    bpr = shown[shown.index("<title>BPR loss</title>") :].partition("</svg>")[0]
    assert "1 AlibabaLightGCN: 3 points" in bpr and "2 AlibabaLightGCN: 3 points" in bpr and 'class="line s1"' in bpr
    other_data = changed(folder, "elsewhere", data={"fingerprint": "x"})
    assert command("report", folder, other_data).exit_code == 0
    assert "cannot be compared" in Path("report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("losses", "mine", "popular", "says", "tone"),
    [
        (
            [0.69, 0.5],
            0.2,
            0.1,
            r"learned \(0.6931 to 0.5000\), and beats popularity: ndcg@20 on test is 0.2000",
            "well",
        ),
        ([0.69, 0.5], 0.1, 0.2, r"learned .*, but loses to popularity", "warning"),
        ([0.2, 0.1], 0.2, 0.1, r"learned \(0.6931 to 0.1000\)", "well"),  # large data: learned in the first epoch
        ([0.693, 0.68], 0.2, 0.1, r"learned little \(0.6931 to 0.6800\), and beats", "warning"),
        ([0.6931, 0.6931], 0.1, 0.1, r"did not learn \(0.6931 to 0.6931\), and is as good as popularity", "error"),
        ([0.69, None], 0.2, 0.1, "a loss that was NaN or infinite", "error"),
        ([], 0.2, None, r"without a record of its losses, and has ndcg@20 0.2000 on test; popularity was not", ""),
        ([0.0], 0.2, 0.1, "was computed, not trained, and beats", ""),
    ],
)
def test_the_verdict(
    folder: Path, losses: list[float | None], mine: float, popular: float | None, says: str, tone: str
) -> None:
    history = [{"epoch": epoch, "bpr": value, "loss": value} for epoch, value in enumerate(losses)]
    popularity = None if popular is None else {"ndcg@20": popular}
    copy = changed(folder, "other", history=history, test_result={"ndcg@20": mine}, popularity_result=popularity)
    sentence, found = verdict(read_runs([str(copy)]))
    assert re.search(says, sentence) and found == tone, sentence


def test_an_unfinished_run_is_shown_as_far_as_it_is(command: Callable[..., Result], folder: Path) -> None:
    (folder / "run.json").unlink()
    assert command("report", folder).exit_code == 0
    shown = (folder / "report.html").read_text("utf-8")
    assert "is not finished (3 of 3 epochs): it learned" in shown and "<title>BPR loss</title>" in shown


def unfinished(folder: Path) -> None:
    (folder / "run.json").unlink()
    (folder / "state.pt").unlink()


DAMAGE: list[tuple[Callable[[Path], Any], str]] = [
    (shutil.rmtree, "is not there"),
    (lambda folder: (folder / "config.yaml").unlink(), "has no config.yaml"),
    (lambda folder: (folder / "config.yaml").write_text("- 1"), "config.yaml: damaged"),
    (lambda folder: (folder / "run.json").write_text("{"), "run.json: damaged"),
    (lambda folder: (folder / "run.json").write_text('{"format": 7}'), "format 7"),
    (lambda folder: (folder / "ids.parquet").unlink(), "ids.parquet: missing"),
    (unfinished, "neither run.json nor state.pt"),
    (lambda folder: (folder / "report.html").mkdir(), "cannot be written"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_what_is_no_whole_run_gets_one_sentence(
    command: Callable[..., Result], folder: Path, damage: Callable[[Path], Any], says: str
) -> None:
    damage(folder)
    result = command("report", folder)
    assert result.exit_code == 2 and says in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


def test_the_curves_as_a_picture(command: Callable[..., Result], folder: Path) -> None:
    pytest.importorskip("resvg_py", reason="needs pip install '.[png]'")
    from PIL import Image

    result = command("report", folder, "--png=curves.png")
    if "this machine has none" in result.stderr:
        pytest.skip("needs a font")
    assert result.exit_code == 0, result.output
    picture = Image.open("curves.png").convert("RGB")
    assert picture.width > 1_600 and {(0, 114, 178), (255, 255, 255)} <= {
        colour for _, colour in picture.getcolors(1 << 20)
    }
    bare = changed(folder, "bare", history=[])
    assert command("report", bare, "--png=none.png").exit_code == 2 and not Path("none.png").exists()


def test_a_browser_shows_every_page_on_a_phone_without_an_error(
    command: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    """390 pixels wide: nothing but a table's own box scrolls sideways, and the console stays empty."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium")
    users, items = write_sample(tmp_path)
    words = ["mobile", f"--users={users}", f"--items={items}", f"--output={tmp_path}", "--name=x", "--min-item=40"]
    assert CliRunner().invoke(prep, words).exit_code == 0
    assert command("report", folder, changed(folder, "other"), f"--output={tmp_path / 'runs.html'}").exit_code == 0
    pages = [tmp_path / "x" / "funnel.html", tmp_path / "doctor.html", tmp_path / "runs.html"]
    pages[1].write_text(doctors_page(), "utf-8")
    frames = "".join(f'<iframe width=390 height=800 src="{page.as_uri()}"></iframe>' for page in pages)
    look = (
        "onload=()=>document.title=[...document.querySelectorAll('iframe')].map(f=>f.contentDocument.documentElement)"
    )
    look += ".map(e=>[e.clientWidth,e.scrollWidth,e.querySelectorAll('svg').length]).join(' ')"
    (tmp_path / "look.html").write_text(f"<title>none</title><script>{look}</script>{frames}", "utf-8")
    options = "--headless --no-sandbox --disable-gpu --enable-logging=stderr --allow-file-access-from-files --dump-dom"
    asked = [browser, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "look.html").as_uri()]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    seen = [tuple(map(int, one.split(","))) for one in re.findall(r"<title>(.*?)</title>", done.stdout)[0].split()]
    assert len(seen) == 3 and all(inner == 375 or inner == 390 for inner, _, _ in seen), done.stdout[:200]
    assert all(wide <= inner and charts > 2 for inner, wide, charts in seen), seen
    assert all(page.stat().st_size < LIMIT for page in pages)


def doctors_page() -> str:
    """A stuck training with 28 metrics, and the one that a change cured."""
    metrics = [
        f"{name}@{k}" for name in ("recall", "ndcg", "hit", "mrr", "map", "precision", "gauc") for k in (1, 5, 10, 20)
    ]
    stuck, learning = (
        [
            {
                "epoch": n,
                "loss": 0.6931 - fall * n,
                "bpr": 0.6931 - fall * n,
                "reg": 1e-6,
                "grad_norm": 0.1,
                "batches": 9,
            }
            | {"valid": dict.fromkeys(metrics, 0.1 + fall * n)}
            for n in range(6)
        ]
        for fall in (0.0, 0.05)
    )
    settings = {"model": "AlibabaLightGCN", "dataset": "tastes", "valid_metric": "NDCG@20", "epochs": 6}
    ill = Examination(settings, find_signs(stuck, settings), [], stuck)
    cured = Trial({"learning_rate": 0.001}, "learning-rate-too-small", Examination(settings, [], [], learning))
    return page(ill, Cure(ill, [cured]), "en", "python run.py " + "--a-long-word=" + "x" * 200)


def test_the_doctor_compares_on_one_scale_and_draws_three_of_many_metrics() -> None:
    shown = doctors_page()
    charts = dict(re.findall(r"<title>([^<]*)</title>(.*?)</svg>", shown))
    drawn = [title for title in charts if title.startswith("Validation")]
    assert drawn == [
        f"Validation: {name}@20, {when}" for name in ("ndcg", "recall", "hit") for when in ("before", "after")
    ]
    ticks = [re.findall(r'class="end">([^<]*)<', charts[f"BPR loss, {when}"]) for when in ("before", "after")]
    assert ticks[0] == ticks[1] and float(ticks[0][0]) < 0.5
    assert "BPR loss, first and last epoch</dt><dd>0.6931 → 0.6931" in shown
    assert shown.index("something is wrong") < shown.index("<dl")
