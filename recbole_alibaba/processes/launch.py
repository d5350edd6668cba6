"""How do several processes start, and how does one that dies end them all?"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any

import torch
import torch.multiprocessing as mp

from recbole_alibaba.host.errors import (
    BadInput,
    BadSettingError,
    DeadProcessError,
    Interrupted,
    NotFiniteLossError,
    disk_fault,
)
from recbole_alibaba.processes import group

GRACE = 10.0
"""Seconds that the other processes get to end by themselves after the first one ended."""
MOST = 20_000
"""Characters of an error that fit into a pipe before anybody reads it."""
Said = tuple[float, int, type[BaseException], str]
"""The time, the number of the process, and the type and the message of its error."""


@dataclass(frozen=True)
class Layout:
    """Processes of a run: `here` of `size` on this machine, from number `first` on; `host:port` is the first one's.

    gpus: a GPU for each process here; empty for CPUs.
    """

    here: int
    size: int
    first: int
    host: str
    port: str
    gpus: tuple[str, ...]


def layout(nproc: int, world_size: int, host: str, port: str | None, first: int, gpu_id: str) -> Layout:
    """The processes that these options of RecBole's ask for.

    Raises:
        BadSettingError: more processes than GPUs or cores, or than all machines have together; no port.
    """
    size = world_size if world_size > 0 else nproc
    asked = f"--nproc={nproc}" + (f" --world_size={world_size}" if world_size > 0 else "")
    if not 0 <= first <= size - nproc:
        raise BadSettingError(
            f"{asked} --group_offset={first}: the processes of this machine have the numbers {first} to "
            f"{first + nproc - 1}, and there are {size} in all. --world_size counts the processes of all machines."
        )
    gpus = tuple(one.strip() for one in gpu_id.split(",") if one.strip()) if torch.cuda.is_available() else ()
    if gpus and len(gpus) < nproc:
        numbers = ",".join(map(str, range(nproc)))
        raise BadSettingError(
            f"{asked} needs {nproc} GPUs, and gpu_id names {len(gpus)}. Write --gpu_id={numbers}, or --gpu_id='' for "
            "the cores of the CPU."
        )
    if gpus and torch.cuda.device_count() < nproc:
        raise BadSettingError(f"{asked} needs {nproc} GPUs on this machine, and it has {torch.cuda.device_count()}.")
    if not gpus and nproc > (cores := os.cpu_count() or 1):
        raise BadSettingError(f"{asked} needs a core for each process, and this machine has {cores}.")
    if port is None:
        if size > nproc:
            raise BadSettingError(f"{asked}: several machines need --ip and --port of the first one.")
        with socket.socket() as one:
            one.bind(("localhost", 0))
            port = str(one.getsockname()[1])
    return Layout(nproc, size, first, host, port, gpus[:nproc])


def launch(task: Callable[..., None], arguments: tuple[Any, ...], layout: Layout) -> None:
    """Call `task(*arguments, gpu)` in every process and wait; `gpu` is the process's own, or empty.

    Raises:
        BadInput, NotFiniteLossError: as a process raised it.
        Interrupted: Ctrl-C.
        DeadProcessError: a process ended in another way; the others are ended.
    """
    context = mp.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(layout.here)]
    said = [receiver for receiver, _ in pipes]
    processes = [
        context.Process(target=_work, args=(task, arguments, layout, number, sender))
        for number, (_, sender) in enumerate(pipes)
    ]
    try:
        for process in processes:
            process.start()
        codes = _wait(processes)
    except KeyboardInterrupt:
        processes[0].join()  # it writes what is kept; the others wait for it
        kept = [message for *_, kind, message in _all(said) if kind is Interrupted and message]
        raise Interrupted(kept[0] if kept else "") from None
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
    if any(codes):
        raise _reason(codes, layout, _all(said))


def _work(task: Callable[..., None], arguments: tuple[Any, ...], layout: Layout, number: int, said: Connection) -> None:
    """What a process does from its start to its end."""
    rank = layout.first + number
    gpu = layout.gpus[number] if layout.gpus else ""
    if number:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all, and the first one ends the run
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # CUDA reads it once: when the group is joined, before RecBole sets it
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max((os.cpu_count() or 1) // layout.here, 1))
    try:
        with group.joined(rank, layout.size, f"{layout.host}:{layout.port}", "nccl" if gpu else "gloo"):
            task(*arguments, gpu)
    except KeyboardInterrupt as stopped:
        said.send((monotonic(), rank, Interrupted, str(stopped)))
        os._exit(130)
    except (BadInput, NotFiniteLossError) as error:
        said.send((monotonic(), rank, type(error), str(error)))
        os._exit(2)
    except BaseException as error:
        fault = disk_fault(error)
        text = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"[:MOST]
        said.send((monotonic(), rank, *((BadInput, fault) if fault else (DeadProcessError, text))))
        os._exit(1)  # at once: the others wait for this process, and a thread of the group for them


def _wait(processes: Sequence[BaseProcess]) -> list[int | None]:
    """The exit codes when all have ended, or soon after the first failure: those that still wait then have none."""
    while alive := [process for process in processes if process.exitcode is None]:
        wait([process.sentinel for process in alive])
        if any(process.exitcode for process in processes):
            _end(processes)
            break
    return [process.exitcode for process in processes]


def _end(processes: Sequence[BaseProcess]) -> None:
    until = monotonic() + GRACE
    for process in processes:
        process.join(max(until - monotonic(), 0))


def _all(said: Sequence[Connection]) -> list[Said]:
    """What the processes said; one that was killed said nothing."""
    found = []
    for one in said:
        try:
            found += [one.recv()] if one.poll() else []
        except EOFError:
            continue
    return found


def _reason(codes: list[int | None], layout: Layout, said: list[Said]) -> BaseException:
    """Why the run ended: what the user can mend first, then a process that was killed, then any error."""
    for *_, kind, message in said:
        if issubclass(kind, BadInput | NotFiniteLossError):
            return kind(message)
    killed = [(number, -code) for number, code in enumerate(codes) if code is not None and code < 0]
    if killed:
        number, code = killed[0]
        name = signal.Signals(code).name
        why = " Was there enough memory?" if name == "SIGKILL" else ""
        return DeadProcessError(
            f"Process {layout.first + number} of {layout.size} was ended by {name}, so the others were ended, too."
            f"{why} --resume goes on, in one process, after the last epoch that was kept."
        )
    nothing: Said = (0.0, layout.first, DeadProcessError, "it gave no reason")
    _, rank, _, message = min(said, key=lambda one: one[0], default=nothing)  # the others failed because of the first
    first, _, rest = message.partition("\n")
    sys.stderr.write(rest)
    return DeadProcessError(f"Process {rank} of {layout.size} failed, so the others were ended, too: {first}")
