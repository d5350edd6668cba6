"""The cheap part before every training: silent when healthy, and nothing is disturbed."""

import numpy as np
import pytest
import torch
from faults import spoil
from faults.setups import Fault, builder
from faults.worlds import two_tastes

from recbole_alibaba.diagnosis.examination import preflight
from recbole_alibaba.diagnosis.monitor.short_training import FirstBatches


@pytest.fixture(params=["AlibabaLightGCN", "BPR", "NGCF", "NeuMF", "Pop"])
def build(request, tmp_path):
    return builder(Fault("healthy", "", model=request.param), two_tastes(), tmp_path, healthy=True)[0]


def looked_at(made):
    return preflight(made)


def test_silent_on_a_healthy_set_up_and_training_goes_as_if_nobody_had_looked(build):
    weights = []
    for look in (False, True):
        made = build({})
        if look:
            assert looked_at(made) == []
        for epoch in range(2):
            made.trainer._train_epoch(FirstBatches(made.train_data, 50), epoch)
        weights.append({**made.model.state_dict(), "drawn": torch.rand(3), "numpy": torch.as_tensor(np.random.rand(3))})
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_the_loader_s_next_pass_is_the_one_that_was_due(build):
    made = build({})
    if made.config["model"] == "Pop":
        return
    due = next(iter(build({}).train_data)).interaction
    fresh = build({})
    looked_at(fresh)
    for name, column in next(iter(fresh.train_data)).interaction.items():
        assert torch.equal(column, due[name]), name


@pytest.mark.parametrize(
    ("settings", "broken", "name"),
    [
        ({"learner": "adam", "weight_decay": 1e-2}, None, "coupled-decay"),
        ({}, spoil.sampler_hits_positives, "sampler-hits-positives"),
        ({}, spoil.frozen_items, "frozen-table"),
        ({}, spoil.nan_scores, "forward-not-finite"),
        ({"clip_grad_norm": {"max_norm": 1e-6, "norm_type": 2}}, None, "clip-too-tight"),
        ({"init": "normal", "init_std": 100.0}, None, "init-too-large"),
    ],
)
def test_what_can_be_seen_before_training_is_seen(tmp_path, settings, broken, name):
    build, _ = builder(Fault("faulty", "", settings=settings, spoil=broken), two_tastes(), tmp_path)
    assert name in {finding.id for finding in looked_at(build({}))}


def test_advice_is_left_out(tmp_path):
    build, _ = builder(Fault("advice", "", settings={"learning_rate": 0.05}), two_tastes(), tmp_path)
    assert looked_at(build({})) == []
