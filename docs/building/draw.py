"""Which charts and tables does docs/loss.md show? Drawn from results/records, into the page and docs/figures/.

    python -m docs.building.draw

The same records give the same bytes.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.html import light
from dataset_prep.pages.scale import Axis

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDS, PAGE = ROOT / "results" / "records", ROOT / "docs" / "loss.md"
EPOCHS = (0, 4, 9, 19, 39, 59)
GUESSING = Mark("y", math.log(2), f"ln 2 = {math.log(2):.4f}")


def parts() -> tuple[dict[str, str], dict[str, Chart]]:
    """Markdown by name of its place in the page; charts by name of their file."""
    demo, taobao = (json.loads((RECORDS / f"loss-{part}.json").read_text("utf-8")) for part in ("demo", "taobao"))
    trained, real = demo["trainings"], taobao["trainings"]
    gowalla = json.loads((RECORDS / "gowalla.jsonl").read_text("utf-8").splitlines()[-1])
    charts = {
        "demo-loss": curves("The loss of the demo's three trainings", "BPR, mean per batch", "bpr", trained, GUESSING),
        "demo-decay": curves(
            "Rows on which the decay is the stronger force", "share of the embedding rows", "decay_share", trained
        ),
        "demo-norm": curves(
            "What is left of the user embeddings", "mean norm of a row", "user_norm", trained, log=True
        ),
        "demo-valid": curves("What the validation says", "NDCG@20", "valid", trained),
        "taobao-loss": curves("The loss on Taobao's purchases", "BPR, mean per batch", "bpr", real, GUESSING),
        "taobao-norm": curves(
            "The user embeddings on Taobao's purchases", "mean norm of a row", "user_norm", real, log=True
        ),
        "gowalla": minutes(gowalla["curve"]),
    }
    texts = {
        "source": f"{said(demo, 'loss-demo')} {said(taobao, 'loss-taobao')} `python -m docs.building.draw` makes the "
        "charts and tables from the records.",
        "refused": f"{block(demo['funnel'])}\n\n> Refused. {demo['refused']}",
        "kept": block(demo["kept"]),
        "demo-loss": table("BPR after epoch", map(str, EPOCHS), losses(trained, EPOCHS)),
        "demo-test": table(
            "test part",
            next(iter(trained.values()))["test"],
            {name: [f"{value:.4f}" for value in one["test"].values()] for name, one in trained.items()},
        ),
        "taobao": f"Every sixth user: {taobao['users']:,} users, {taobao['items']:,} items, {taobao['train']:,} pairs "
        "in training.\n\n" + table("BPR after epoch", *taobao_rows(real)),
        "gowalla": f"After {gowalla['epochs']:,} epochs, {gowalla['training_minutes']:.1f} minutes, the test part has "
        f"Recall@20 {gowalla['test']['recall@20']:.4f} and NDCG@20 {gowalla['test']['ndcg@20']:.4f}.",
    }
    for name, chart in charts.items():
        texts[f"chart-{name}"] = f"![{chart.in_words()}](figures/{name}.svg)"
    return texts, charts


def said(record: Mapping[str, Any], name: str) -> str:
    """Where the numbers come from."""
    versions = ", ".join(f"{package} {number}" for package, number in record["versions"].items())
    return f"Measured on {record['date']} by `{record['command']}` ({versions}; record `results/records/{name}.json`)."


def curves(title: str, y: str, key: str, trained: Mapping[str, Any], *marks: Mark, log: bool = False) -> Chart:
    """One curve for each training that was watched."""
    series = []
    for style_number, (name, one) in enumerate(trained.items()):
        points = [(record["epoch"], record[key]) for record in one["history"] if record.get(key) is not None]
        if len(points) > 1:
            series.append(Series(name, [x for x, _ in points], [value for _, value in points], style=style_number))
    return Chart(title, Axis("epoch", whole=True), Axis(y, log=log), series, marks)


def minutes(curve: Sequence[Mapping[str, float]]) -> Chart:
    xs = [point["minutes"] for point in curve]
    series = [Series("", xs, [point["ndcg@20"] for point in curve])]
    return Chart("Gowalla: validation during the training", Axis("minutes"), Axis("NDCG@20 of held-out pairs"), series)


def losses(trained: Mapping[str, Any], epochs: Sequence[int]) -> dict[str, list[str]]:
    watched = {name: one["history"] for name, one in trained.items() if len(one["history"]) > 1}
    return {name: [f"{history[epoch]['bpr']:.4f}" for epoch in epochs] for name, history in watched.items()}


def taobao_rows(trained: Mapping[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
    """Every third epoch and the last, and the test's NDCG@20."""
    last = len(next(iter(trained.values()))["history"]) - 1
    epochs = [*range(0, last, 3), last]
    rows = losses(trained, epochs)
    for name, row in rows.items():
        row.append(f"{trained[name]['test']['ndcg@20']:.4f}")
    return [*map(str, epochs), "NDCG@20 of the test part"], rows


def table(corner: str, columns: Any, rows: Mapping[str, Sequence[str]]) -> str:
    columns = list(columns)
    lines = [f"| {corner} | {' | '.join(columns)} |", f"|---{'|---:' * len(columns)}|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


def block(lines: Sequence[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def file_of(chart: Chart) -> str:
    """A whole SVG file: light colours of the pages, on paper."""
    colours, rules = light()
    begin, _, rest = chart.svg().partition(">")
    paper = f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>'
    return f"{begin}><style>\n{rules}</style>{paper}{rest}\n"


def drawn() -> dict[Path, str]:
    """The content of every file that is drawn."""
    texts, charts = parts()
    page = PAGE.read_text("utf-8")
    for name, text in texts.items():
        begin, end = f"<!-- drawn: {name} -->\n", "\n<!-- /drawn -->"
        before, _, rest = page.partition(begin)
        page = before + begin + text + end + rest.partition(end.strip())[2]
    return {PAGE: page} | {PAGE.parent / "figures" / f"{name}.svg": file_of(chart) for name, chart in charts.items()}


def main() -> None:
    for path, text in drawn().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
