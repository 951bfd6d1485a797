"""T1: tidemarkd is killed (-9) while 20 of its syncs run and five programs push. After its next
start everything goes on by itself, and the destinations hold what the sources do.
"""

import os
import random as randoms
import signal
import sqlite3
import subprocess
import sys
import threading
import time

from crash_suites import in_parallel, judge
from fault_suite import FaultSuite
from ledger_bench import BIN, PLUGINS, TIMEOUT_S, LedgerBench, children, gone

LEDGERS, GENERATORS, DATABASES, PUSHERS = 12, 8, 5, 5
RUNNING = 20  # plugins' processes at the kill, or it does not count
MESSAGES = 400  # of each program that pushes, ten rows each
GENERATED = 1500
SCHEDULE = "every 1 second"


class TidemarkServer:
    """One tidemarkd with its configuration in a folder; started, killed and started again."""

    def __init__(self, folder, more=""):
        self.folder = folder
        self.connections = os.path.join(folder, "connections")
        os.makedirs(self.connections)
        self.socket = os.path.join(folder, "s.sock")
        self.config = os.path.join(folder, "tidemarkd.yaml")
        self.output = os.path.join(folder, "tidemarkd.log")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"data: {folder}/data\nconnections: {self.connections}\n"
                       f"plugin_path: [{PLUGINS}]\nhttp: {{address: \"off\"}}\n"
                       f"listen: [{{address: \"unix:{self.socket}\"}}]\n"
                       "limits: {syncs: 32, plugins: 64, memory: 64 GiB}\n" + more)
        self.process = None

    def start(self):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "tidemarkd"), "--config", self.config], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def kill(self):
        """True when it died by this."""
        hosts = children(self.process.pid)
        self.process.send_signal(signal.SIGKILL)
        code = self.process.wait()
        deadline = time.monotonic() + TIMEOUT_S
        while not all(gone(host) for host in hosts):
            if time.monotonic() > deadline:
                raise RuntimeError("a plugin's host outlived the server")
            time.sleep(0.01)
        return code == -signal.SIGKILL

    def stop(self):
        """The exit code of an end in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"it does not stop; see {self.output}") from None


class Database:
    """A SQLite source that somebody writes into, read by triggers."""

    def __init__(self, folder, name, server, seed):
        os.makedirs(folder)
        self.name = name
        self.source = os.path.join(folder, "app.db")
        self.target = os.path.join(folder, "warehouse.db")
        self.random = randoms.Random(seed)
        self.next = 1
        db = sqlite3.connect(self.source)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE orders(id INTEGER PRIMARY KEY, amount INTEGER, note TEXT)")
        db.close()
        self.write(500)
        with open(os.path.join(server.connections, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(f"name: {name}\nsync:\n  source: {{type: database, connection: "
                       f"\"{self.source}\", config: {{install_triggers: true}}, tables: [orders]}}"
                       f"\n  destination: {{type: sqlite, connection: \"{self.target}\", "
                       f"deletes: hard}}\n  cdc_method: trigger\n  frequency: {SCHEDULE}\n")

    def write(self, count):
        db = sqlite3.connect(self.source, timeout=60)
        try:
            for _ in range(count):
                if self.next < 100 or self.random.random() < 0.5:
                    db.execute("INSERT INTO orders VALUES(?, ?, ?)",
                               (self.next, self.random.getrandbits(30), "new"))
                    self.next += 1
                elif self.random.random() < 0.7:
                    db.execute("UPDATE orders SET amount = ?, note = 'changed' WHERE id = ?",
                               (self.random.getrandbits(30), self.random.randrange(1, self.next)))
                else:
                    db.execute("DELETE FROM orders WHERE id = ?",
                               (self.random.randrange(1, self.next),))
            db.commit()
        finally:
            db.close()

    def differences(self):
        """{kind: number} of what differs between source and destination."""
        want = _rows(self.source, "SELECT id, amount, note FROM orders")
        have = _rows(self.target, "SELECT id, amount, note FROM orders")
        return _differences(want, have)


class Generated:
    """The generator, whose rows another run has written before."""

    COLUMNS = "id, account, amount, price, active, code, name, updated_at, day, payload"

    def __init__(self, folder, name, server, reference):
        os.makedirs(folder)
        self.name = name
        self.target = os.path.join(folder, "warehouse.db")
        self.reference = reference
        with open(os.path.join(server.connections, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(generator_file(name, self.target, pause_us=60_000,
                                      schedule=f"  frequency: {SCHEDULE}\n"))

    def differences(self):
        return _differences(self.reference,
                            _rows(self.target, f"SELECT {self.COLUMNS} FROM rows"))


class Pushers:
    """Programs that push into one connection; each keeps what is not acknowledged."""

    def __init__(self, folder, server):
        self.name = "pushed"
        self.folder = folder
        self.server = server
        self.target = os.path.join(folder, "pushed.db")
        self.output = os.path.join(folder, "pushers.log")
        self.processes = []
        with open(os.path.join(server.connections, "pushed.yaml"), "w", encoding="utf-8") as file:
            file.write("name: pushed\nsync:\n  source: {connector: ingest}\n"
                       f"  destination: {{type: sqlite, connection: \"{self.target}\"}}\n")

    def start(self):
        program = os.path.join(PLUGINS, "pusher")
        with open(self.output, "ab") as output:
            self.processes = [subprocess.Popen(
                [program, "unix:" + self.server.socket, "pushed", str(number), str(MESSAGES)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
                for number in range(1, PUSHERS + 1)]

    def running(self):
        return sum(1 for process in self.processes if process.poll() is None)

    def begun(self):
        query = "SELECT count(DISTINCT id / 1000000), 0 FROM item"
        return list(_rows(self.target, query)) == [PUSHERS]

    def failed(self):
        return [process.returncode for process in self.processes if process.poll() != 0]

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def differences(self):
        want = {producer * 1_000_000 + i: ("last",) for producer in range(1, PUSHERS + 1)
                for i in range(1, 10 * MESSAGES + 1)}
        return _differences(want, _rows(self.target, "SELECT id, name FROM item"))


def generator_file(name, target, pause_us=0, schedule=""):
    return (f"name: {name}\nsync:\n  source: {{connector: generator, config: {{count: {GENERATED}, "
            f"checkpoint_interval: 30, update_share: 0.2, pause_us: {pause_us}}}}}\n"
            f"  destination: {{type: sqlite, connection: \"{target}\"}}\n{schedule}")


def _rows(path, query):
    if not os.path.exists(path):
        return {}
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
    try:
        return {row[0]: row[1:] for row in db.execute(query)}
    except sqlite3.OperationalError:
        return {}  # no table yet
    finally:
        db.close()


def _differences(want, have):
    return {"lost": len(want.keys() - have.keys()), "duplicated": len(have.keys() - want.keys()),
            "stale": sum(1 for key in want.keys() & have.keys() if want[key] != have[key])}


class KilledServer:
    def __init__(self, suite):
        self.suite = suite
        self.reference = None
        self.lock = threading.Lock()

    def _reference(self, folder):
        """What the generator leaves when nobody disturbs it."""
        with self.lock:
            if self.reference is None:
                path = os.path.join(folder, "reference.yaml")
                target = os.path.join(folder, "reference.db")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(generator_file("reference", target))
                subprocess.run([os.path.join(BIN, "tidemark"), "run", path, "--quiet"], check=True,
                               stdout=subprocess.DEVNULL, timeout=TIMEOUT_S)
                self.reference = _rows(target, f"SELECT {Generated.COLUMNS} FROM rows")
        return self.reference

    def __call__(self, case, folder):
        random = self.suite.random(case)
        os.makedirs(folder)
        server = TidemarkServer(folder)
        reference = self._reference(folder)
        benches = [LedgerBench(f"{folder}/l{i}", rows=2000, seed=random.getrandbits(31),
                               checkpoint_rows=random.choice((20, 50)), name=f"ledger{i}",
                               file=f"{server.connections}/ledger{i}.yaml", schedule=SCHEDULE,
                               wait_every=random.choice((0, 1, 3)), pause_us=60_000)
                   for i in range(LEDGERS)]
        sources = [Generated(f"{folder}/g{i}", f"generator{i}", server, reference)
                   for i in range(GENERATORS)]
        sources += [Database(f"{folder}/d{i}", f"database{i}", server, random.getrandbits(31))
                    for i in range(DATABASES)]
        pushers = Pushers(folder, server)
        server.start()
        try:
            return self._break(case, random, server, benches, sources, pushers)
        finally:
            pushers.end()
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()

    def _break(self, case, random, server, benches, sources, pushers):
        self._await(server, lambda: os.path.exists(server.socket))
        pushers.start()
        self._await(server, lambda: all(bench.ledger().started >= 0 for bench in benches))
        self._await(server, pushers.begun)
        time.sleep(random.uniform(0, 1))
        for source in sources:
            if isinstance(source, Database):
                source.write(200)
        running, pushing = len(children(server.process.pid)), pushers.running()
        if server.kill() and running >= RUNNING and pushing == PUSHERS:
            self.suite.count(hit=1)
        good = all([judge(self.suite, f"{case} after the kill", bench) for bench in benches])
        # Pauses have done their part; the file may change while the server is away.
        for bench in benches:
            bench.configure(pause_us=0, wait_every=0)
        server.start()
        self._await(server, lambda: all(bench.position() == bench.model.rows
                                        for bench in benches))
        self._await(server, lambda: pushers.running() == 0)
        if pushers.failed():
            self.suite.fail(f"case {case}: pushers end with {pushers.failed()}; {pushers.output}")
            good = False
        sources.append(pushers)
        wrong = lambda: [source for source in sources if any(source.differences().values())]
        try:
            self._await(server, lambda: not wrong())
        except RuntimeError:
            for source in wrong():
                self.suite.count(**source.differences())
                self.suite.fail(f"case {case}: {source.name}: {source.differences()}")
            good = False
        if server.stop() != 0:
            self.suite.fail(f"case {case}: the end in order fails; see {server.output}")
            good = False
        good = all([judge(self.suite, case, bench, True) for bench in benches]) and good
        return self._check_history(case, server) and good

    def _check_history(self, case, server):
        """What the kill cut off is closed, and nothing is left open."""
        db = sqlite3.connect(f"file:{server.folder}/data/catalog.db?mode=ro", uri=True)
        try:
            open_, cut = db.execute(
                "SELECT count(*) FILTER (WHERE phase < 3), "
                "count(*) FILTER (WHERE error = 'the server ended') FROM syncs").fetchone()
        finally:
            db.close()
        if open_ == 0 and cut > 0:
            return True
        self.suite.fail(f"case {case}: {open_} syncs are open, {cut} closed as cut off")
        return False

    @staticmethod
    def _await(server, met):
        deadline = time.monotonic() + TIMEOUT_S
        while not met():
            if server.process.poll() is not None:
                raise RuntimeError(f"the server ended; see {server.output}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not come; see {server.output}")
            time.sleep(0.1)


def main():
    suite = FaultSuite("T1", 3)
    suite.want = max(1, suite.cases // 2)
    os.environ.setdefault("TIDEMARK_FAULT_WORKERS", "1")
    in_parallel(suite, range(suite.cases), KilledServer(suite))
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
