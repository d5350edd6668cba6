"""What does the process import that all trials are forked from? Everything that a trial needs; it computes nothing."""

import recbole_alibaba.cli
import recbole_alibaba.experiment  # noqa: F401  (imports torch and recbole once for all)
from recbole_alibaba.board.processes import run_trial, survey
from recbole_alibaba.board.processes.child import work
from recbole_alibaba.diagnosis.catalogue import catalogue

catalogue()  # read once for all

__all__ = ["run_trial", "survey", "work"]
