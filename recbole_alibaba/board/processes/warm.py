"""What does the process import that all trials are forked from? Everything that a trial needs; it computes nothing."""

import thop  # noqa: F401  (RecBole imports it to count operations)
import torch._dynamo  # noqa: F401  (torch's optimisers import it when they are built, for seconds)

import recbole_alibaba.cli  # noqa: F401  (the main module of the parent, which each process imports)
from recbole_alibaba.board.processes import run_trial, survey
from recbole_alibaba.board.processes.child import work
from recbole_alibaba.diagnosis.catalogue import catalogue

catalogue(), survey.code()  # read once for all

__all__ = ["run_trial", "survey", "work"]
