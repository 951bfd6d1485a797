"""What is compared: the C loop (12 or 10 columns) and `tidemark run`, on a database of their own.

A contender makes a command line; it knows nothing of measuring or of cases.
"""

import os
import subprocess
from dataclasses import dataclass

COMMIT_ROWS = 10_000

CONNECTION = """\
name: bench
sync:
  source:
    connector: generator
    config:
      count: {load.rows}
      seed: 1
      variant: {load.variant}
      pass: {load.repetition}
      key_order: {load.order}
      checkpoint_interval: {load.checkpoint_rows}
  destination:
    type: sqlite
    connection: {database}
"""


@dataclass(frozen=True)
class Load:
    """The rows of one run. Another variant: the same keys, other values in every row. Another
    repetition: the same rows, which Tidemark's generator would else not emit again."""
    rows: int
    order: str  # ascending, shuffled
    variant: int = 0
    repetition: int = 0
    checkpoint_rows: int = COMMIT_ROWS  # a checkpoint of the connector after so many rows


class UpsertLoop:
    """tests/bench/upsert_loop.h."""

    def __init__(self, loop_program, system_columns):
        self._program = loop_program
        self._columns = "12" if system_columns else "10"
        self.name = "loop" + self._columns

    def command(self, load, folder):
        return [self._program, "write", "--database", database(folder), "--rows", str(load.rows),
                "--variant", str(load.variant), "--order", load.order, "--columns", self._columns,
                "--commit-rows", str(COMMIT_ROWS)]


class TidemarkRun:
    """`tidemark run` of a generator connection; the plugin runs in its child process."""

    name = "tidemark"

    def __init__(self, tidemark):
        self._tidemark = tidemark

    def command(self, load, folder):
        path = os.path.join(folder, "bench.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONNECTION.format(load=load, database=database(folder)))
        return [self._tidemark, "run", path, "--quiet"]


def database(folder):
    return os.path.join(folder, "bench.db")


def digest(loop_program, folder):
    """"ROWS HASH" of the ten source columns in key order."""
    return subprocess.run([loop_program, "digest", "--database", database(folder)], check=True,
                          capture_output=True, text=True).stdout.strip()
