"""Every message exists in English and Chinese, with the same values, and every id in the code has one."""

import ast
import string
from pathlib import Path

import pytest

import recbole_alibaba.diagnosis as diagnosis
from recbole_alibaba.diagnosis.catalogue import LANGUAGES, UnknownMessageError, catalogue, sentence
from recbole_alibaba.diagnosis.causes.remedies import REMEDIES, candidates
from recbole_alibaba.diagnosis.findings import Finding

SOURCES = sorted(Path(diagnosis.__file__).parent.rglob("*.py"))
ENTRIES = [(name, wording) for name, wordings in catalogue().items() for wording in wordings]


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("name", "wording"), ENTRIES)
def test_both_languages_say_the_same_values(name, wording):
    sentences = catalogue()[name][wording]
    assert set(sentences) == set(LANGUAGES)
    # A translation may leave out a plural's or a repeated number, never name one that is not given.
    assert fields(sentences["zh"]) <= fields(sentences["en"])
    assert all(sentences.values())


def literals(call, argument, place):
    """String literals of a call's argument, by keyword or by place, also inside conditional expressions."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == argument]
    given += call.args[place : place + 1]
    return {node.value for value in given for node in ast.walk(value) if isinstance(node, ast.Constant) and node.value}


def calls(name):
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == name:
                yield node


def test_every_finding_in_the_code_can_be_said_with_its_remedy():
    ids = {name for call in calls("Finding") for name in literals(call, "id", 0)}
    assert len(ids) > 50
    for name in ids:
        assert {"title", "message"} <= set(catalogue()[name]), name
    causes = {name for call in calls("Finding") for name in literals(call, "causes", 99)}
    causes |= {name for call in calls("explained") for name in literals(call, "", 0)}
    causes |= set(REMEDIES)
    for name in causes - {"warning", "error"}:
        assert {"title", "remedy"} <= set(catalogue()[name]), name


def test_every_measure_and_reason_in_the_code_has_words():
    for call in calls("not_examined"):
        for measure in literals(call, "measure", 1):
            assert "title" in catalogue()[measure], measure
        for why in literals(call, "why", 2):
            assert "message" in catalogue()[why], why
    for call in calls("guarded"):
        (measure,) = literals(call, "measure", 1)
        assert "title" in catalogue()[measure], measure


def test_a_remedy_that_names_settings_has_some_or_says_what_to_do_by_hand():
    for name, wordings in catalogue().items():
        if "{changes}" in wordings.get("remedy", {}).get("en", ""):
            assert candidates(name, {"topk": [10], "metrics": ["Recall"]}) or "by-hand" in wordings, name


def test_an_unknown_id_says_so():
    with pytest.raises(UnknownMessageError, match="no sentence nonsense / message / en"):
        sentence("nonsense", "message", "en", {})
    with pytest.raises(KeyError):
        Finding("nonsense", "advice", 0, 0).say("en")
