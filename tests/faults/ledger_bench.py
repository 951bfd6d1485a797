"""A connection from the ledger (ledger/ledger.cc) into a destination in a folder of its own: runs
of `tidemark`, killed or not, and the oracle that looks at the rows, the state and the ledger's log.
The oracle never reads a report, a log of ours or an exit code."""

import collections
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from ledger_model import TABLES, LedgerModel

BIN = os.environ.get("TIDEMARK_BIN", "")
PLUGINS = os.environ.get("TIDEMARK_FAULT_PLUGINS", "")
TIMEOUT_S = 120
NAME = "ledger"

# The versions as they stand in the destination: position and what was counted on the way there.
_STATE = ("SELECT h.cursor_max, b.body FROM _tidemark_state s JOIN _tidemark_state_history h "
          "USING (connection, entry, version) JOIN _tidemark_state_bodies b "
          "USING (connection, entry, body_hash) WHERE s.connection = ? AND s.entry = ''")
_COUNTED = ("SELECT sum(inserted + updated + deleted + unchanged + superseded + missing + "
            "conflict + late_queue + dead_letter) FROM _tidemark_state_history "
            "WHERE connection = ?")

LogLines = collections.namedtuple("LogLines", "started sent durable pruned")


class Wrong(collections.Counter):
    """What the oracle found: lost, duplicated and stale rows, with words for the log."""

    def __init__(self):
        super().__init__()
        self.words = []

    def add(self, kind, number, words):
        if number > 0:
            self[kind] += number
            self.words.append(f"{number} {kind}: {words}")

    def __bool__(self):
        return sum(self.values()) > 0


class LedgerBench:
    """Confined to one thread."""

    def __init__(self, folder, rows=600, seed=1, dead_letters=True, storage=None, name=NAME,
                 file=None, schedule=None, **config):
        self.folder = folder
        os.makedirs(folder)
        self.name = name
        self.file = file or self.path("ledger.yaml")
        self.schedule = schedule
        self.model = LedgerModel(rows, seed, dead_letters=dead_letters)
        self.config = {"log": self.path("ledger.log"), "rows": rows, "seed": seed,
                       "dead_letters": dead_letters, **config}
        self.storage = storage
        self.database = self.path("warehouse.db")
        self.failpoint_log = self.path("failpoints.log")
        self.output = self.path("output.log")
        self.configure()

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, **config):
        """Writes the connection file; later options win and stay."""
        self.config.update(config)
        lines = [f"name: {self.name}", "sync:", "  source:", "    connector: ledger", "    config:"]
        for key, value in self.config.items():
            text = str(value).lower() if isinstance(value, bool) else value
            lines.append(f"      {key}: {text}")
        lines.append(f"  destination: {{type: sqlite, connection: \"{self.database}\"}}")
        if self.schedule:
            lines.append(f"  frequency: {self.schedule}")
        if self.storage:
            lines.append(self.storage)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    # ---- Runs ----

    def start(self, *arguments, failpoints=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TIDEMARK_FAIL")}
        environment["TIDEMARK_FAILPOINT_LOG"] = self.failpoint_log
        if failpoints:
            environment["TIDEMARK_FAILPOINTS"] = failpoints
        with open(self.output, "ab") as output:
            return subprocess.Popen(
                [os.path.join(BIN, "tidemark"), "--plugin-path", PLUGINS, *arguments],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True)

    def run(self, failpoints=None, kill_after=None, arguments=("run", "ledger.yaml", "--quiet")):
        """Runs to its end, or kills it after so many seconds; the exit code, negative: signal."""
        process = self.start(*arguments, failpoints=failpoints)
        try:
            return process.wait(TIMEOUT_S if kill_after is None else kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
            if kill_after is None:
                raise RuntimeError(f"{arguments} hung; see {self.output}") from None
            return code

    def fired(self, name):
        return f"fired {name}\n" in self.failpoint_lines()

    def failpoint_lines(self):
        try:
            with open(self.failpoint_log, encoding="utf-8") as file:
                return file.readlines()
        except FileNotFoundError:
            return []

    # ---- The oracle ----

    def ledger(self):
        """The largest position of each kind of line in the source's own log; -1: none."""
        best = {"start": -1, "sent": -1, "durable": -1, "pruned": -1}
        try:
            with open(self.config["log"], encoding="utf-8") as file:
                for line in file:
                    words = line.split()
                    if line.endswith("\n") and words:
                        best[words[0]] = max(best[words[0]], int(words[-1]))
        except FileNotFoundError:
            pass
        return LogLines(best["start"], best["sent"], best["durable"], best["pruned"])

    def _copy(self):
        """A copy to look at: opening the original would already repair it."""
        look = self.path("look")
        shutil.rmtree(look, ignore_errors=True)
        os.makedirs(look)
        for suffix in ("", "-wal"):
            if os.path.exists(self.database + suffix):
                shutil.copyfile(self.database + suffix, os.path.join(look, "w.db" + suffix))
        return sqlite3.connect(os.path.join(look, "w.db"))

    def damage(self, sql):
        """Changes the stored bytes behind everybody's back."""
        db = sqlite3.connect(self.database)
        try:
            db.execute(sql)
            db.commit()
        finally:
            db.close()

    def everything(self):
        """All that stands in the destination, as SQL."""
        db = self._copy()
        try:
            return list(db.iterdump())
        finally:
            db.close()

    def position(self):
        """What the destination's state says; 0: nothing yet."""
        db = self._copy()
        try:
            return self._position(db)
        finally:
            db.close()

    def _position(self, db):
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = '_tidemark_state'").fetchone():
            return 0
        row = db.execute(_STATE, (self.name,)).fetchone()
        if row is None:
            return 0
        body = row[1].decode() if isinstance(row[1], bytes) else row[1]
        if body == "":
            return 0
        if body != row[0]:
            raise AssertionError(f"the state's body {body!r} and cursor {row[0]!r} differ")
        return int(body)

    def check(self, complete=False, moved=False):
        """Compares everything with the model. `complete`: the sync says it has ended well.
        `moved`: the state was taken back, so rows may be ahead of it, and changes come again."""
        wrong = Wrong()
        db = self._copy()
        try:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
            wrong.add("lost", 0 if verdict == "ok" else 1, f"integrity_check: {verdict}")
            position = self._position(db)
            log = self.ledger()
            # Invariant I2: told durable, and so pruned, only what is.
            early = log.durable - position if log.durable > position and not moved else 0
            wrong.add("lost", early,
                      f"told durable at {log.durable}, the state stands at {position}")
            wrong.add("lost", log.pruned - position if log.pruned > position else 0,
                      f"operations from {position} on are pruned up to {log.pruned}")
            wrong.add("duplicated", position - log.sent if position > max(log.sent, 0) else 0,
                      f"the state stands at {position}, the source has sent {log.sent}")
            if complete:
                wrong.add("lost", self.model.rows - position, "the sync ended well before its end")
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
            if complete or not moved:
                want = self.model.at(position)
                for table in TABLES:
                    self._compare(wrong, db, table, want[table], table in tables, exact=True)
                self._compare(wrong, db, "drafts", self.model.drafts(position),
                              "drafts" in tables, exact=complete)
            if "_tidemark_state_history" in tables and not moved:
                self._check_counts(wrong, db, position)
        finally:
            db.close()
        return wrong

    def _check_counts(self, wrong, db, position):
        # Invariant I5: each change received is counted once.
        counted = db.execute(_COUNTED, (self.name,)).fetchone()[0] or 0
        want = self.model.operations(position)
        wrong.add("duplicated", counted - want, f"{counted} changes counted, {want} were made")
        wrong.add("lost", want - counted, f"{counted} changes counted, {want} were made")
        letters = db.execute("SELECT count(*), count(DISTINCT change) FROM "
                             "_tidemark_dead_letters").fetchone()
        want = self.model.letters(position)
        wrong.add("lost", want - letters[1], f"{letters[1]} dead letters of {want}")
        wrong.add("duplicated", letters[0] - want, f"{letters[0]} dead letters of {want}")

    @staticmethod
    def _compare(wrong, db, table, want, exists, exact):
        have = {}
        if exists:
            columns = {"events": "body", "accounts": "n, text", "measures": "value, grade",
                       "moves": "n", "drafts": "n"}[table]
            known = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            # An undeclared column comes with its first value.
            asked = ", ".join(column if column in known else f"NULL AS {column}"
                              for column in columns.split(", "))
            for row in db.execute(f"SELECT id, {asked} FROM {table} "
                                  "WHERE _tidemark_deleted IS NOT 1"):
                have[row[0]] = tuple(row[1:])
            rows = db.execute(f"SELECT count(*), count(DISTINCT id) FROM {table}").fetchone()
            wrong.add("duplicated", rows[0] - rows[1], f"keys of {table} stand twice")
        missing = [key for key in want if key not in have]
        extra = [key for key in have if key not in want]
        differ = [key for key in want if key in have and _plain(have[key]) != _plain(want[key])]
        wrong.add("lost", len(missing), f"{table} {missing[:5]}")
        if exact:
            wrong.add("duplicated", len(extra), f"{table} {extra[:5]}")
        wrong.add("stale", len(differ),
                  f"{table} {[(key, have[key], want[key]) for key in differ[:3]]}")


def _plain(row):
    """A number is the same number in a column that has been widened."""
    plain = []
    for value in row:
        try:
            plain.append(float(value))
        except (TypeError, ValueError):
            plain.append(value)
    return plain


def await_line(bench, kind, position, process):
    """Waits until the ledger's log has `kind` at or beyond `position`; False when the run ended."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if getattr(bench.ledger(), kind) >= position:
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.001)
    raise RuntimeError(f"no {kind} {position} within {TIMEOUT_S} s")


def gone(pid):
    """True once the process does not exist any more (a zombie counts as gone)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children(pid):
    """The connectors' processes of a server, not the tracer that LeakSanitizer starts last."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as file:
                found += [int(child) for child in file.read().split()]
    except FileNotFoundError:
        pass
    return [child for child in found if comm(child).startswith("tidemark-plugin")]


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
