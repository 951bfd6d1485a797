"""Runs a command and measures it from outside: wall time, and peak memory of its process tree."""

import os
import select
import subprocess
import time
from dataclasses import dataclass

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Measured:
    """`peak_mb` is the sum over the tree of each process's peak resident memory (VmHWM): at least
    the peak of the sum. A process that lives shorter than a poll may be missed."""
    seconds: float
    peak_mb: float
    output: str


def run(command, folder, environment=None):
    """Runs to the end; raises with the command's output when it fails."""
    begin = time.monotonic()
    with open(os.path.join(folder, "output.log"), "w+", encoding="utf-8") as log:
        started = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, env=environment)
        ended = os.pidfd_open(started.pid)  # readable the moment the process ends
        peaks = {}
        while not select.select([ended], [], [], POLL_SECONDS)[0]:
            _note_peaks(started.pid, peaks)
        seconds = time.monotonic() - begin
        started.wait()
        os.close(ended)
        log.seek(0)
        output = log.read()
    if started.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {started.returncode}:\n{output}")
    return Measured(seconds, sum(peaks.values()) / 1024, output)


def _note_peaks(pid, peaks):
    """Records VmHWM (KiB) of the process and its descendants."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    peaks[pid] = int(line.split()[1])
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                for child in children.read().split():
                    _note_peaks(int(child), peaks)
    except OSError:
        return  # it ended meanwhile
