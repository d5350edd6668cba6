"""What the doctor made of a fault: detected, cause named, cured; and of its healthy twin."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination
from recbole_alibaba.diagnosis.cures.trials import try_remedies
from recbole_alibaba.diagnosis.examination import consult

from .setups import Fault, builder
from .worlds import WORLDS, World

BATCHES = 25


@dataclass
class Outcome:
    """One line of the table."""

    fault: Fault
    examined: Examination
    cure: Cure | None = None
    twin: list[str] = field(default_factory=list)  # ids found on the healthy twin

    @property
    def detected(self) -> bool:
        return self.examined.ill

    @property
    def named(self) -> int | None:
        """Place of the planted cause, from 1; None when it is not named."""
        causes = self.examined.causes
        return causes.index(self.fault.cause) + 1 if self.fault.cause in causes else None

    @property
    def cured(self) -> bool:
        return self.cure is not None and self.cure.kept is not None

    @property
    def good(self) -> bool:
        """Everything as it should be."""
        return self.detected and self.named in (1, 2) and not self.twin and self.cured == self.fault.curable


@cache
def world(name: str) -> World:
    return WORLDS[name]()


def examine_fault(fault: Fault, trying: bool = False) -> Outcome:
    """Examine the faulty set-up, try remedies if asked, and examine the twin (once for all that share it)."""
    with tempfile.TemporaryDirectory() as folder:
        build, settings = builder(fault, world(fault.world), Path(folder))
        examined = consult(build, {}, settings, batches_an_epoch=BATCHES)
        cure = try_remedies(build, examined, settings) if trying and fault.curable else None
    healthy = dataclasses.replace(fault, id="twin", cause="", settings={}, spoil=None, spoil_world=None, before=None)
    return Outcome(fault, examined, cure, twin_findings(json.dumps([healthy.world, healthy.model, dict(fault.twin)])))


@cache
def twin_findings(key: str) -> list[str]:
    """Ids found on a healthy set-up: advice counts as well."""
    name, model, settings = json.loads(key)
    twin = Fault("twin", "", name, model, twin=settings)
    with tempfile.TemporaryDirectory() as folder:
        build, known = builder(twin, world(name), Path(folder), healthy=True)
        return [finding.id for finding in consult(build, {}, known, batches_an_epoch=BATCHES).findings]
