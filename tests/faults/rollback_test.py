"""Rollback with a source that forgets: past what it was told is durable, and beyond the horizon."""

import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

from ledger_bench import BIN, LedgerBench

ROWS = 1000
STEP = 25  # rows of each version
ENDED_WELL = 3  # with dead letters: partial


class RollbackTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tidemark-rollback-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.bench = LedgerBench(os.path.join(self.folder, "bench"), rows=ROWS, seed=3,
                                 checkpoint_rows=STEP, wait_every=1, prune="releasable")
        self.assertEqual(ENDED_WELL, self.bench.run(), self.output())
        self.assertEqual([], self.bench.check(complete=True).words)

    def output(self):
        with open(self.bench.output, encoding="utf-8") as file:
            return file.read()[-2000:]

    def query(self, sql):
        db = sqlite3.connect(self.bench.database)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def head(self):
        return self.query("SELECT version FROM _tidemark_state")[0][0]

    def rows(self):
        """Every row of every table, without what the engine adds."""
        return {table: self.query(f"SELECT {columns} FROM {table} "
                                  "WHERE _tidemark_deleted IS NOT 1 ORDER BY id")
                for table, columns in (("events", "id, body"), ("accounts", "id, n, text"),
                                       ("measures", "id, value, grade, extra"), ("moves", "id, n"),
                                       ("drafts", "id, n"))}

    def rollback(self, version):
        return self.bench.run(arguments=("state", "rollback", "--to", str(version), "--yes",
                                         "ledger.yaml"))

    def test_past_the_acknowledged_position_the_rows_are_still_there(self):
        before = self.rows()
        told = self.bench.ledger()
        self.assertEqual(ROWS, told.durable)
        self.assertLess(told.pruned, told.durable, "the horizon keeps some back")
        version = self.head() - 6
        self.assertEqual(0, self.rollback(version), self.output())
        position = self.bench.position()
        self.assertLess(position, told.durable)
        self.assertGreaterEqual(position, told.pruned)
        self.assertEqual(before, self.rows(), "a rollback moves the state, not the rows")
        self.assertEqual(ENDED_WELL, self.bench.run(), self.output())
        self.assertGreaterEqual(self.bench.ledger().sent, ROWS)
        with open(self.bench.config["log"], encoding="utf-8") as file:
            starts = [int(line.split()[-1]) for line in file if line.startswith("start ")]
        self.assertEqual([0, position], starts, "it replayed from there")
        self.assertEqual(before, self.rows())
        self.assertEqual(ROWS, self.bench.position())

    def test_beyond_the_horizon_it_is_refused_and_nothing_changes(self):
        head = self.head()
        version = head - 20
        body = self.query("SELECT cursor_max FROM _tidemark_state_history "
                          f"WHERE version = {version}")[0][0]
        self.assertLess(int(body), self.bench.ledger().pruned)
        history = self.query("SELECT * FROM _tidemark_state_history ORDER BY version")
        self.assertEqual(1, self.rollback(version), self.output())
        self.assertIn("horizon", self.output())
        self.assertEqual(head, self.head())
        self.assertEqual(history,
                         self.query("SELECT * FROM _tidemark_state_history ORDER BY version"))


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BIN, "tidemark")):
        sys.exit(f"no tidemark in TIDEMARK_BIN={BIN!r}")
    unittest.main(argv=[sys.argv[0], "-v"])
