"""`tidemark` with sqlite and files: programs that write meanwhile, kills, every method."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from tidemark_case import TidemarkCase, main  # noqa: E402  the path comes first

SCHEMA = """
PRAGMA journal_mode = wal;
CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER, updated_at TEXT, v);
CREATE TABLE numbers(n INTEGER); INSERT INTO numbers VALUES (0);
"""
NEXT = "UPDATE numbers SET n = n + 1 RETURNING n"
# What each method needs beside its name.
METHODS = {
    "timestamp": ("", "cdc: {timestamp: {updated_at_field: updated_at, settle: 2 seconds}}\n"),
    "version": ("", "cdc: {version: {version_field: ver}}\n"),
    "trigger": (", config: {install_triggers: true}", ""),
    "polling": ("", ""),
    "full": ("", ""),
}


class Writers:
    """Applications that write to the source at the same time, some in long transactions."""

    def __init__(self, path, deletes):
        self.path, self.deletes, self.seed = path, deletes, random.randrange(1 << 30)
        self.stop, self.threads, self.errors = threading.Event(), [], []
        for number in range(3):
            self.threads.append(threading.Thread(target=self._write, args=(number,)))
            self.threads[-1].start()

    def _write(self, number):
        choose = random.Random(self.seed + number)
        try:
            source = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            while not self.stop.is_set():
                # The time is taken before the lock: rows of longer waits become visible late.
                now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
                source.execute("BEGIN IMMEDIATE")
                for _ in range(choose.randrange(1, 6)):
                    self._change(source, choose, now)
                if number == 0:
                    self.stop.wait(0.05)  # A transaction that takes its time.
                source.execute("ROLLBACK" if choose.random() < 0.1 else "COMMIT")
                self.stop.wait(0.002)
            source.close()
        except sqlite3.Error as error:
            self.errors.append(error)

    def _change(self, source, choose, now):
        number = source.execute(NEXT).fetchall()[0][0]
        key = choose.randrange(400)
        kind = choose.random()
        if kind < 0.5 or not self.deletes:
            source.execute("INSERT INTO t VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET ver = "
                           "excluded.ver, updated_at = excluded.updated_at, v = excluded.v",
                           (key, number, now, choose.choice([number, number + 0.5, f"x{number}"])))
        elif kind < 0.7:
            source.execute("DELETE FROM t WHERE id = ?", (key,))
        elif kind < 0.8:
            source.execute("UPDATE OR REPLACE t SET id = ?, ver = ?, updated_at = ? WHERE id = ?",
                           (choose.randrange(400), number, now, key))
        else:
            source.execute("REPLACE INTO t VALUES (?, ?, ?, ?)", (key, number, now, number))

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]


class SourcesTest(TidemarkCase):
    def source(self, sql=SCHEMA):
        source = sqlite3.connect(self.path("app.db"))
        source.executescript(sql)
        source.close()

    def method(self, method):
        config, cdc = METHODS[method]
        return self.connection(
            method, f"{{type: database, connection: app.db, tables: [t]{config}}}\n"
            f"  cdc_method: {method}", cdc, destination=f"{method}.db")

    def assert_equal_tables(self, method, said=""):
        columns = "id, ver, updated_at, v"
        want = self.query(f"SELECT {columns} FROM t ORDER BY id", "app.db")
        got = self.query(f"SELECT {columns} FROM t WHERE NOT _tidemark_deleted ORDER BY id",
                         f"{method}.db")
        # A column that once held text keeps all its values as text.
        plain = [tuple(None if x is None else str(x) for x in row) for row in want]
        self.assertEqual(plain, [tuple(None if x is None else str(x) for x in r) for r in got],
                         f"{method} {said}")

    def test_no_change_is_missed_while_others_write(self):
        for method in METHODS:
            with self.subTest(method=method):
                if os.path.exists(self.path("app.db")):
                    os.remove(self.path("app.db"))
                self.source()
                writers = Writers(self.path("app.db"), method not in ("timestamp", "version"))
                try:
                    file = self.method(method)
                    for _ in range(3):
                        self.run_tidemark("run", file)
                finally:
                    writers.end()
                report = self.json("run", file)
                self.assertEqual("completed", report["metadata"]["status"], report)
                self.assert_equal_tables(method, f"seed {writers.seed}")

    def test_triggers_lose_nothing_to_kills(self):
        self.source()
        file = self.method("trigger")
        seed = random.randrange(1 << 30)
        choose = random.Random(seed)
        writers = Writers(self.path("app.db"), True)
        killed = 0
        longest = 0.5  # how long a run may be waited for; less where runs turn out shorter
        try:
            for _ in range(100):
                process = self.start("run", file)
                began = time.monotonic()
                try:
                    process.wait(timeout=choose.uniform(0, longest))
                    longest = min(longest, time.monotonic() - began)
                except subprocess.TimeoutExpired:  # it still runs: that is the point
                    process.send_signal(signal.SIGKILL)
                    killed += 1
                process.communicate()
                if killed == 5:
                    break
        finally:
            writers.end()
        self.assertEqual(5, killed, f"seed {seed}")
        self.run_tidemark("run", file)
        self.assert_equal_tables("trigger", f"seed {seed} {writers.seed}")

    def test_every_method_ends_with_the_same_table(self):
        self.source(SCHEMA + "INSERT INTO t VALUES (1, 1, '2024-01-15 10:00:00', 1), "
                    "(2, 2, '2024-01-15 10:00:01', 'b'), (3, 3, '2024-01-15 10:00:02', NULL)")
        for method in METHODS:
            self.run_tidemark("run", self.method(method))
        source = sqlite3.connect(self.path("app.db"))
        source.executescript("INSERT INTO t VALUES (4, 4, '2024-01-15 10:00:02', 2.5); "
                             "UPDATE t SET v = 'c', ver = 5, updated_at = '2024-01-15 11:00:00' "
                             "WHERE id = 1")
        source.close()
        for method in METHODS:
            report = self.json("run", f"{method}.yaml")
            self.assert_equal_tables(method)
            if method != "full":
                self.assertEqual(1, report["statistics"]["records_inserted"], method)
                self.assertEqual(1, report["statistics"]["records_updated"], method)

    def test_verify_finds_what_differs(self):
        self.source(SCHEMA + "INSERT INTO t VALUES (1, 1, 'a', 1), (2, 2, 'b', 2), (3, 3, 'c', 3)")
        file = self.method("timestamp")
        self.run_tidemark("run", file)
        self.run_tidemark("verify", file)
        warehouse = sqlite3.connect(self.path("timestamp.db"))
        warehouse.execute("UPDATE t SET v = 9 WHERE id = 2")
        warehouse.commit()
        warehouse.close()
        out, _ = self.run_tidemark("verify", file, code=3)
        self.assertIn("2", out)

    def test_files_are_the_meaning_of_type_file(self):
        self.write("people.csv", "id,name\n1,Ann\n2,\"Bob, the second\"\nbad\n")
        file = self.connection("people", "{type: file, connection: \"*.csv\", "
                               "config: {primary_key: [id]}}")
        self.run_tidemark("run", file, code=3)  # one dead letter
        self.assertEqual([(1, "Ann"), (2, "Bob, the second")],
                         self.query("SELECT id, name FROM people ORDER BY id"))
        reason = self.query("SELECT reason FROM _tidemark_dead_letters")[0][0]
        self.assertIn("people.csv, line 4", reason)
        with open(self.path("people.csv"), "a", encoding="utf-8") as people:
            people.write("3,Cid\n")
        report = self.json("run", file)
        self.assertEqual(1, report["statistics"]["records_processed"], json.dumps(report))

    def test_connectors_are_listed_and_others_refuse_the_methods(self):
        out, _ = self.run_tidemark("plugins", "list")
        for name in ("sqlite", "files"):
            self.assertIn(name, out)
        file = self.connection("made", "{connector: generator}\n  cdc_method: trigger")
        _, error = self.run_tidemark("check", file, code=2)
        self.assertIn("connector generator does not support trigger", error)


if __name__ == "__main__":
    main()
