"""Keys that change in a SQLite source read by trigger, through kills, full runs and rollbacks.

  TIDEMARK_FAULT_SEED=.. TIDEMARK_FAULT_CASES=.. key_histories_test.py
"""

import os
import random
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from tidemark_case import TIMEOUT_S, TidemarkCase, main  # noqa: E402  the path comes first

SEED = int(os.environ.get("TIDEMARK_FAULT_SEED") or random.randrange(1 << 30))
HISTORIES = int(os.environ.get("TIDEMARK_FAULT_CASES") or 3)
ROUNDS = 15
SCHEMA = """
PRAGMA journal_mode = wal;
CREATE TABLE t(id INTEGER PRIMARY KEY, u INT UNIQUE, v);
CREATE TABLE pair(a INT, b TEXT, PRIMARY KEY (a, b));
CREATE TABLE keyless(a, b);
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (5, 5, 5), (6, 6, 6), (8, 8, 8), (9, 9, 9);
INSERT INTO pair VALUES (1, '1'), (2, '0');
INSERT INTO keyless VALUES (1, 1);
"""
COLUMNS = {"t": "id, u, v", "pair": "a, b", "keyless": "a, b"}
CHANGES = (
    "INSERT OR IGNORE INTO t VALUES ({i}, {o}, {n})",
    "REPLACE INTO t VALUES ({i}, {o}, {n})",
    "UPDATE OR IGNORE t SET v = v + 0.5, u = {o} WHERE id = {i}",
    "UPDATE OR REPLACE t SET id = {o} WHERE id = {i}",
    "UPDATE OR REPLACE t SET id = 11 - id WHERE id > {i}",
    "DELETE FROM t WHERE id = {i}",
    "INSERT OR IGNORE INTO pair VALUES ({i} % 4, '{o}')",
    "UPDATE OR REPLACE pair SET a = {o} % 4 WHERE a = {i} % 4",
    "UPDATE OR IGNORE pair SET a = 3 - a",
    "INSERT INTO keyless VALUES ({i} % 3, {o} % 2)",
    "UPDATE keyless SET a = {o} % 3 WHERE rowid % 5 = {i} % 5",
    "DELETE FROM keyless WHERE rowid % 7 = {i} % 7",
)
POINTS = ("attempt.batch", "apply.before_commit", "apply.committed", "acknowledge.before")


class KeyHistoriesTest(TidemarkCase):
    def run_any(self, *arguments, failpoints=""):
        """(exit code, what it said) of a run that may end in any way."""
        environment = {**self.environment, "TIDEMARK_FAILPOINTS": failpoints}
        process = subprocess.run(["tidemark", *arguments], cwd=self.folder, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
        return process.returncode, process.stdout

    def disturb(self, choose, file, most):
        kind = choose.randrange(4)
        if kind == 3:
            table = choose.choice(list(COLUMNS))
            code, _ = self.run_any("state", "rollback", file, "--table", table, "--yes", "--to",
                                   str(choose.randrange(1, most)))
            return "rollback" if code == 0 else "no rollback"
        point = f"{choose.choice(POINTS)}={choose.randrange(5)}*off->1*kill"
        full = ("--full",) if kind == 2 else ()
        code, _ = self.run_any("run", file, *full, failpoints=point)
        return f"{' '.join(full)} {point}: {code}"

    def play(self, number, choose):
        name = f"history{number}"
        source = sqlite3.connect(self.path(f"{name}.db"), isolation_level=None)
        self.addCleanup(source.close)
        source.executescript(SCHEMA)
        file = self.connection(
            name, f"{{type: database, connection: \"{name}.db\", tables: [t, pair, keyless], "
            "config: {install_triggers: true}}", "  cdc_method: trigger\n  batch_size: 5\n",
            destination=f"{name}_warehouse.db")
        self.run_tidemark("run", file)
        for i in range(ROUNDS):
            for _ in range(choose.randrange(1, 14)):
                source.execute(choose.choice(CHANGES).format(
                    i=choose.randrange(12), o=choose.randrange(12), n=i))
            done = self.disturb(choose, file, 2 * i + 2)
            code, said = self.run_any("run", file)
            if code != 0 and "--full" in said:  # rolled back behind what the source has forgotten
                code, said = self.run_any("run", file, "--full")
            self.assertEqual(0, code, f"round {i}, {done}: {said}")
            for table, columns in COLUMNS.items():
                got = self.query(f"SELECT DISTINCT {columns} FROM {table} WHERE NOT "
                                 "_tidemark_deleted", f"{name}_warehouse.db")
                want = set(source.execute(f"SELECT {columns} FROM {table}"))
                self.assertEqual(want, set(got), f"round {i}, {done}: {table}")

    def test_every_row_is_at_its_newest_key(self):
        for number in range(HISTORIES):
            seed = SEED + number
            with self.subTest(repeat=f"TIDEMARK_FAULT_SEED={seed} TIDEMARK_FAULT_CASES=1"):
                self.play(number, random.Random(seed))


if __name__ == "__main__":
    main()
