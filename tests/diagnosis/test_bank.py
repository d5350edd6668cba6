"""The bank of planted faults: found, the cause named first or second, the healthy twin silent, cured if it can be."""

from dataclasses import replace

import pytest
from faults.bank import FAULTS
from faults.outcome import examine_fault, twin_findings
from faults.worlds import SHARED, WORLDS

HEAVY = ("NeuMF", "LightGCN", "NGCF")
"""Models of RecBole that need minutes for the larger worlds: here they are examined in the smallest one."""


def marked(fault):
    if fault.model in HEAVY:
        return pytest.param(replace(fault, world="two-tastes"), id=fault.id)
    marks = []
    if fault.world == "real-slice":
        absent = not (SHARED / "userbehavior").is_dir()
        marks = [pytest.mark.slow, pytest.mark.skipif(absent, reason="needs userbehavior/ in ../shared/data")]
    return pytest.param(fault, id=fault.id, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fault", [marked(fault) for fault in FAULTS])
def test_fault(fault):
    outcome = examine_fault(fault, trying=True)
    assert outcome.detected, "nothing was found"
    assert outcome.named in (1, 2), f"named {outcome.examined.causes[:4]}"
    assert outcome.twin == [], "the healthy twin shows findings"
    assert outcome.cured == fault.curable


def test_the_bank_is_as_large_as_promised():
    assert len({fault.id for fault in FAULTS}) == len(FAULTS) >= 40
    assert {fault.world for fault in FAULTS} == set(WORLDS)


@pytest.mark.parametrize("model", ["SimpleX", "Pop", "ItemKNN", "EASE", "MultiVAE", "SGL", "ENMF"])
def test_models_of_other_kinds_are_examined_as_far_as_they_can_be(model):
    settings = '{"aggregator": "mean"}' if model == "SimpleX" else "{}"
    assert twin_findings(f'["two-tastes", "{model}", {settings}]') == []
