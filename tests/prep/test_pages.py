"""Charts and numbers of the pages: places on the axes, gaps, alternative text, shares that are not rounded away."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_prep.pages.bars import NARROW, Bars
from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.html import html
from dataset_prep.pages.labels import Box, places
from dataset_prep.pages.numbers import percent, plain
from dataset_prep.pages.parts import Page, Section, Text, Toned, table
from dataset_prep.pages.ranges import Range, Ranges
from dataset_prep.pages.scale import Axis, Scale
from dataset_prep.pages.svg import cut, text_width

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("part", "whole", "says"),
    [(0, 5, "0%"), (1, 10**6, "under 0.01%"), (464, 10_000, "4.64%"), (5, 5, "100%"), (99_957, 100_001, "99.96%")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(part: int, whole: int, says: str) -> None:
    assert percent(part, whole) == says


def test_numbers_are_exact_with_thousands() -> None:
    assert [plain(value) for value in (16_037, 0.69314, 6.2e-6, 0.0)] == ["16,037", "0.6931", "6.2e-6", "0"]
    assert [plain(value, 0.005) for value in (0.69, 0.695)] == ["0.690", "0.695"]


@given(
    st.lists(st.floats(1e-9, 1e9) | st.just(math.nan) | st.none(), min_size=1, max_size=20),
    st.booleans(),
    st.booleans(),
    st.floats(0, 1e3),
)
def test_every_point_lies_inside_the_plot_and_every_axis_has_ticks(
    values: list[float | None], log_x: bool, log_y: bool, least: float
) -> None:
    series = Series("", range(1, len(values) + 1), values)
    chart = Chart("t", Axis("x", log=log_x, whole=True), Axis("y", log=log_y, least=least), [series])
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert chart.empty() == (not finite)
    if not finite:
        return
    root = ElementTree.fromstring(chart.svg())
    width, height = chart.size()
    line = next(path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("class") == "line s0")
    if len(finite) == len(values):
        assert line.count("M") == 1  # a gap breaks the line
    places = [tuple(map(float, place.split())) for place in re.findall(r"[0-9.-]+ [0-9.-]+", line)]
    assert len(places) == len(finite)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    labels = [text.get("class") for text in root.iter(f"{SVG}text")]
    assert 1 <= labels.count("end") <= 14


def test_a_flat_curve_looks_flat() -> None:
    axis = Axis("loss", least=0.02)
    low, high = (Scale(axis, [0.6930, 0.6931], 0, 100).at(value) for value in (0.6930, 0.6931))
    assert high - low < 1
    assert Scale(Axis("loss"), [0.6930, 0.6931], 0, 100).at(0.6931) == 100
    # Differences to the best end at 0.
    assert Scale(Axis("difference"), [-0.02, 0.0], 0, 100).at(-0.02) == 0


def test_the_alternative_text_says_what_the_chart_shows() -> None:
    series = [Series("before", [0, 1], [0.7, 0.69]), Series("after", [0, 1, 2], [0.7, None, 0.3])]
    chart = Chart("Loss", Axis("epoch"), Axis("nats"), series, [Mark("y", math.log(2), "ln 2")])
    root = ElementTree.fromstring(chart.svg())
    assert root.get("role") == "img" and root.findtext(f"{SVG}title") == "Loss"
    words = root.findtext(f"{SVG}desc") or ""
    assert "after: 2 points, first 0.7, last 0.3, lowest 0.3, highest 0.7." in words and "Line at ln 2." in words
    assert [text.text for text in root.iter(f"{SVG}text")].count("epoch") == 1


def test_a_small_bar_is_visible_and_exact() -> None:
    bars = Bars("Rows", "rows", [("all", 12_256_906), ("some", 3), ("none", 0)])
    root = ElementTree.fromstring(bars.svg())
    whole, some, none = (float(bar.get("width", 0)) for bar in root.iter(f"{SVG}rect"))
    assert whole > 300 and NARROW <= some < whole / 5 and none == 0
    assert "3 (under 0.01%)" in [text.text for text in root.iter(f"{SVG}text")]
    assert "logarithmic" in bars.svg()


@given(st.lists(st.tuples(st.integers(60, 380), st.integers(50, 340)), min_size=1, max_size=6))
def test_labels_cover_neither_each_other_nor_a_point(points: list[tuple[int, int]]) -> None:
    words, plot = ["LightGCN", "Pop", "EASE", "BPR", "ItemKNN", "NGCF"][: len(points)], Box(40, 40, 400, 350)
    boxes = places(points, words, plot)
    for number, box in enumerate(boxes):
        assert box.right - box.left == pytest.approx(text_width(words[number])) and box.shared(plot) > 0
        assert box.left >= 0 and box.right <= 400
        assert not any(box.shared(other) for other in boxes[:number])
        assert not any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)


def test_a_labelled_point_is_in_the_picture_and_in_the_alternative_text() -> None:
    points = Series("", [12.0, 0.0, 3.0], [0.03, 0.02, None], line=False, labels=["BPR", "Pop", "EASE"])
    chart = Chart("Accuracy", Axis("seconds", log=True), Axis("recall"), [points])
    names = [
        text.text for text in ElementTree.fromstring(chart.svg()).iter(f"{SVG}text") if text.get("class") == "name"
    ]
    assert names == ["BPR"]  # 0 has no place on a logarithmic axis, None on none
    assert "BPR: 12, 0.03." in chart.in_words() and "Pop" not in chart.in_words()


@pytest.mark.parametrize("bars", [False, True])
def test_intervals_stand_where_their_values_are(bars: bool) -> None:
    rows = [Range("half", 0.5, 0.25, 0.75), Range("whole", 1.0), Range("none", None)]
    ranges = Ranges("Shares", Axis("share", include=(0.0,)), rows, bars=bars, interval="95 % interval")
    root = ElementTree.fromstring(ranges.svg())
    marks = [float(mark.get("width" if bars else "x", 0)) for mark in root.iter(f"{SVG}rect")]
    axis = next(p.get("d", "") for p in root.iter(f"{SVG}path") if p.get("class") == "whisker")
    low, high = (float(re.search(pattern, axis)[1]) for pattern in (r"M([\d.]+)", r"H([\d.]+)"))  # type: ignore[index]
    assert len(marks) == 2
    if bars:
        assert marks[1] == pytest.approx(2 * marks[0], abs=0.2) and high - low == pytest.approx(marks[0], abs=0.2)
    else:
        assert (low + high) / 2 == pytest.approx(marks[0] + 3.5, abs=0.2) and marks[1] > high
    assert "half: 0.5, 95 % interval 0.25 to 0.75. whole: 1. none: no value." in ranges.in_words()


def test_a_long_label_keeps_its_beginning_and_its_end() -> None:
    assert cut("LightGCN-with-many-layers-3", 100) == "LightGCN-…rs-3" and cut("BPR", 100) == "BPR"


def test_what_stands_on_a_page_is_text() -> None:
    evil = "<script>alert(1)</script>"
    page = Page(evil, evil, "", [(evil, evil)], [Section(evil, [Text(evil), table(evil, [evil], [[Toned(evil, "")]])])])
    chart = Chart(evil, Axis(evil), Axis(evil), [Series(evil, [1], [1], labels=[evil])], [Mark("x", 1, evil)])
    ranges = Ranges(evil, Axis(evil), [Range(evil, 1.0, 0.0, 2.0)], interval=evil)
    for shown in (html(page), chart.svg(), Bars(evil, evil, [(evil, 1)]).svg(), ranges.svg()):
        assert "<script" not in shown and "&lt;script&gt;" in shown
