"""The records of a board: JSON lines, each appended whole, and the scores by user beside them."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from dataset_prep.writing import lock
from dataset_prep.writing.whole_file import written
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.runner import Outcome
from recbole_alibaba.board.trial import Surveyed, Trial, digest
from recbole_alibaba.host.errors import BadInput

_SCORES = re.compile(r"[^/\\]+/[0-9a-f]{16}\.npz")
UNKNOWN = (
    *("best_epoch", "valid", "valid_score", "test", "test_read", "groups", "beyond", "competition", "peak_memory_mb"),
    "parameters",
)
"""None in the record of a trial that did not come so far."""


class Records:
    """The records of one board.

    Args:
        folder: holds `<board>.jsonl` and the folder `<board>` of the scores.
    """

    def __init__(self, folder: Path, board: str) -> None:
        self.file, self._scores = folder / f"{board}.jsonl", folder / board

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no other board write them. The system frees them when the process ends, however it ends.

        Raises:
            BadInput: another board does.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with lock.held(self.file.with_name(f".{self.file.name}.lock")):
                yield
        except lock.HeldError as error:
            raise BadInput(
                f"Another process runs this board: it writes {self.file}. Wait until it has ended, or name another "
                "folder with --records."
            ) from error

    def read(self) -> list[dict[str, Any]]:
        """All records, the later of two of one id; a last line that was cut off is no record.

        Raises:
            BadInput: another line is none.
        """
        try:
            lines = self.file.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return []
        found = {}
        for number, line in enumerate(lines[:-1], 1):
            try:
                record = json.loads(line)
                found[record["id"]] = record
            except (ValueError, LookupError, TypeError) as error:
                raise BadInput(
                    f"{self.file}:{number}: this line is no record. Take it out; its trial is then run again."
                ) from error
        return list(found.values())

    def of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The records of these ids, in this order, and those of lists made elsewhere, the last of each label."""
        found = {record["id"]: record for record in self.read()}
        outside = {
            (record["dataset"], record["label"]): record for record in found.values() if record["purpose"] == "outside"
        }
        here = {record["data"]["fingerprint"] for record in found.values() if record["id"] in ids}
        lists = [outside[key] for key in sorted(outside) if outside[key]["data"]["fingerprint"] in here]
        return [found[one] for one in ids if one in found] + lists

    def read_board(self) -> dict[str, Any]:
        """`ids`: the trials of the board, in order; `spaces`: what is searched, by label.

        Raises:
            BadInput: the board has not run yet, or the file is damaged.
        """
        path = self._scores / "board.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise BadInput(
                f"{path} is missing or damaged. Run the board without --render; it writes it anew."
            ) from error

    def write_board(self, ids: Sequence[str], spaces: Mapping[str, Any]) -> None:
        """See `read_board`."""
        self._scores.mkdir(parents=True, exist_ok=True)
        with written(self._scores / "board.json") as part:
            text = json.dumps({"ids": list(ids), "spaces": spaces}, indent=1, ensure_ascii=False)
            part.write_text(text + "\n", encoding="utf-8")

    def append(self, record: Mapping[str, Any], scores: Mapping[str, np.ndarray]) -> None:
        """Write the scores, then the line."""
        if scores:
            self._scores.mkdir(parents=True, exist_ok=True)
            with written(self._scores / f"{record['id']}.npz") as part:
                buffer = io.BytesIO()
                np.savez_compressed(buffer, **scores)  # type: ignore[arg-type]
                part.write_bytes(buffer.getvalue())
        self.file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        with self.file.open("a+b") as file:
            _drop_torn_line(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def scores(self, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The arrays of a record, {} where it has none.

        Raises:
            BadInput: the file is missing or damaged.
        """
        if not record.get("scores"):
            return {}
        path = self.file.parent / record["scores"]
        try:
            with np.load(path) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, LookupError, EOFError) as error:
            raise BadInput(
                f"{path} is missing or damaged; it holds the scores of {record['label']}, seed {record['seed']}. Take "
                f"the line with {record['id']} out of {self.file}; its trial is then run again."
            ) from error

    def add(self, folder: Path, fingerprints: Mapping[str, str]) -> tuple[int, list[str]]:
        """Take over the records of another machine.

        Args:
            folder: its folder of records.
            fingerprints: of the data sets here.

        Returns:
            How many are new, and a sentence for each that was refused.
        """
        other = Records(folder, self.file.stem)
        if not other.file.is_file():
            raise BadInput(
                f"{folder}: there is no {other.file.name}. Name the folder with the other machine's records."
            )
        known, taken, refused = {record["id"] for record in self.read()}, 0, []
        for record in other.read():
            if record["id"] in known:
                continue
            if reason := _wrong(record, fingerprints):
                refused.append(f"{record.get('label')}, seed {record.get('seed')} ({record['id']}): {reason}")
                continue
            self.append(record, other.scores(record))
            taken += 1
        return taken, refused


def _wrong(record: Mapping[str, Any], fingerprints: Mapping[str, str]) -> str:
    """Why a record of another machine cannot stand beside ours; empty where it can."""
    scores = record.get("scores")
    if not re.fullmatch("[0-9a-f]{16}", str(record["id"])) or not (scores is None or _SCORES.fullmatch(str(scores))):
        return "its id or the name of its scores is none that a board gives."
    dataset, found = str(record.get("dataset")), record.get("data", {}).get("fingerprint")
    if dataset not in fingerprints:
        return f"this board has no data set {dataset}."
    if found != fingerprints[dataset]:
        return f"its {dataset} has other content (fingerprint {found}, here {fingerprints[dataset]})."
    if record.get("purpose") != "outside" and digest(record.get("config")) != record.get("config_hash"):
        return "its configuration does not have the hash that the record names: the line was altered."
    return ""


def record_of(trial: Trial, surveyed: Surveyed, outcome: Outcome) -> dict[str, Any]:
    """The record of a trial that has ended, in JSON's types."""
    fields = dict(outcome.fields)
    return {
        "id": trial.id,
        "board": trial.board,
        "purpose": trial.purpose,
        "dataset": trial.dataset,
        "model": trial.model,
        "label": trial.label,
        "seed": trial.seed,
        "index": trial.index,
        "settings": dict(trial.own),
        "searched": dict(trial.searched),
        "config": dict(trial.config),
        "config_hash": digest(trial.config),
        "data": surveyed.data,
        "state": fields.pop("state"),
        "reason": fields.pop("reason", None),
        **dict.fromkeys(UNKNOWN),
        "history": [],
        "seconds": {},
        **surveyed.about,
        **fields,
        "scores": f"{trial.board}/{trial.id}.npz" if outcome.scores else None,
        "at": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def outside_record(
    plan: Plan, dataset: str, label: str, surveyed: Surveyed, outcome: Outcome, content: str
) -> dict[str, Any]:
    """The record of lists that another program made.

    Args:
        content: SHA-256 of their file.
    """
    config = {"valid_metric": plan.valid_metric, "topk": list(plan.topk), "file": content}
    identity = {"data": surveyed.fingerprint, "label": label, "config": config}
    lists = Trial(plan.name, dataset, label, "", {}, {}, {}, 0, "outside", None, config, digest(identity))
    return {**record_of(lists, surveyed, outcome), "model": None}


def _drop_torn_line(file: Any) -> None:
    """Cut off what follows the last end of a line: a process was killed while it wrote."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - 65536, 0)
        file.seek(start)
        block = file.read(end - start)
        if (at := block.rfind(b"\n")) >= 0:
            file.truncate(start + at + 1)
            return
        end = start
    file.truncate(0)
