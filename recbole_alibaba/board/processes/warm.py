"""What does the process import that all trials are forked from? Everything that a trial needs; it computes nothing."""

import atexit
import gc
import threading

import thop  # noqa: F401  (RecBole imports it to count operations)
import torch._dynamo  # noqa: F401  (torch's optimisers import it when they are built, for seconds)
from tqdm import tqdm

import recbole_alibaba.cli  # noqa: F401  (the main module of the parent, which each process imports)
from recbole_alibaba.board.processes import run_trial, survey
from recbole_alibaba.board.processes.child import work
from recbole_alibaba.diagnosis.catalogue import catalogue
from recbole_alibaba.host.known_settings import known_to_all

catalogue(), survey.code(), known_to_all()  # read once for all
tqdm.set_lock(threading.RLock())  # its own is a named semaphore, which a process that is killed leaves behind
gc.collect()
gc.freeze()  # what is imported is never garbage: a trial need not look through it, nor copy its pages
atexit.register(gc.unfreeze)  # some libraries complain of what is left at the end

__all__ = ["run_trial", "survey", "work"]
