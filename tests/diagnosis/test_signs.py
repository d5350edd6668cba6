"""Each sign on a planted fault and on its healthy twin."""

import math

from recbole_alibaba.diagnosis.signs import examine

LN2 = math.log(2)
ADAM = {"learner": "adam", "weight_decay": 1e-4, "learning_rate": 0.001}


def history(*losses, **readings):
    return [{"epoch": epoch, "loss": loss, "bpr": loss, **readings} for epoch, loss in enumerate(losses)]


def found(records, settings=None):
    return {finding.id: finding for finding in examine(records, settings)}


def test_adam_with_decay_is_named_as_cause_of_a_loss_stuck_at_ln2():
    finding = found(history(0.6931, 0.6931, 0.6931), ADAM)["stuck-at-ln2"]
    assert finding.severity == "error"
    assert finding.causes[0] == "coupled-decay"
    assert finding.changes == {"learner": "adamw"}
    assert "0.693100" in finding.message and "adamw" in finding.remedy


def test_decay_that_brings_the_loss_back_to_ln2():
    finding = found(history(0.6863, 0.6918, 0.6929), ADAM)["stuck-at-ln2"]
    assert finding.wording == "returned" and finding.severity == "error"


def test_a_large_table_that_begins_at_ln2_gets_advice_then_nothing():
    losses = [0.693147, 0.6915, 0.6853, 0.6601]
    assert found(history(losses[0]))["stuck-at-ln2"].severity == "advice"
    for epochs in range(2, 5):
        assert found(history(*losses[:epochs])) == {}


def test_thin_data_that_learns_is_healthy():
    losses = [0.6905, 0.6843, 0.6721, 0.6519, 0.6230]
    for epochs in range(1, 6):
        assert found(history(*losses[:epochs])) == {}


def test_flat_away_from_ln2_and_its_twin():
    assert found(history(0.60, 0.60, 0.6001, 0.60))["flat"].severity == "warning"
    assert "flat" not in found(history(0.60, 0.60, 0.6001, 0.598))
    assert found(history(0.69, 0.2, 0.2, 0.2001, 0.2))["flat"].severity == "advice"
