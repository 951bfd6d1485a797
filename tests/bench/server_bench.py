"""The lines `server` of `make bench`: tidemarkd with many connections, idle ones, a history."""

import json
import os
import signal
import sqlite3
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CONNECTIONS, EVERY_S, ROUNDS = 50, 10, 6
IDLE, IDLE_S = 1000, 30
SYNCS, CALLS = 100_000, 2_000


class ServerRun:
    """One tidemarkd in a folder of its own."""

    def __init__(self, build, folder, limits="syncs: 8"):
        self.build, self.folder = build, folder
        self.connections = os.path.join(folder, "connections")
        os.makedirs(self.connections)
        self.address = "unix:" + os.path.join(folder, "s.sock")
        self.log = os.path.join(folder, "tidemarkd.log")
        self.config = os.path.join(folder, "tidemarkd.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"data: {folder}/data\nconnections: {self.connections}\n"
                       f"http: {{address: \"off\"}}\nlisten: [{{address: \"{self.address}\"}}]\n"
                       f"limits: {{memory: 64 GiB, plugins: 64, {limits}}}\n")
        self.process = None

    def add(self, name, config, frequency):
        with open(os.path.join(self.connections, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(f"name: {name}\nsync:\n"
                       f"  source: {{connector: generator, config: {config}}}\n"
                       f"  destination: {{connection: \"{self.folder}/{name}.db\"}}\n"
                       f"  frequency: {frequency}\n")

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.build, "bin", "tidemarkd"), "--config", self.config],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not self.says("serves"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"tidemarkd does not start:\n{self.text()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def says(self, words):
        return words in self.text()

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * PAGE / 2**20

    def syncs(self):
        db = sqlite3.connect(f"file:{self.folder}/data/catalog.db?mode=ro", uri=True, timeout=30)
        try:
            return db.execute("SELECT connection, phase, queued_at, started_at FROM syncs "
                              "ORDER BY queued_at").fetchall()
        finally:
            db.close()


def schedule(build, folder):
    """Every connection every ten seconds: how late syncs begin, at the same moment and apart."""
    result = {"bench": "server_schedule"}
    for name, jitter in (("together", ""), ("apart", f"\n  jitter: {EVERY_S} seconds")):
        server = ServerRun(build, os.path.join(folder, "schedule-" + name),
                           f"syncs: {CONNECTIONS}")
        for i in range(CONNECTIONS):
            server.add(f"c{i}", "{count: 100}", f"every {EVERY_S} seconds{jitter}")
        with server:
            time.sleep(EVERY_S * (ROUNDS + 1))
            rows = server.syncs()
        late = _lateness(rows, 0 if name == "together" else None)
        result[name] = {"syncs": len(rows), "failed": sum(1 for r in rows if r[1] == 5),
                        "latest_start_ms": round(max(late) / 1000),
                        "missed": _missed(rows)}
    return result


def _lateness(rows, planned):
    """Microseconds after the planned moment, which is the same within each ten seconds; None: as
    early as the connection was ever queued."""
    by_connection = {}
    for connection, _, queued, started in rows:
        if started:
            by_connection.setdefault(connection, []).append((queued, started))
    late = []
    for times in by_connection.values():
        phase = planned
        if phase is None:
            phase = min(queued % (EVERY_S * 1_000_000) for queued, _ in times)
        late += [(started - phase) % (EVERY_S * 1_000_000) for _, started in times]
    return late


def _missed(rows):
    """Starts that are not there between a connection's first and its last."""
    missed = 0
    by_connection = {}
    for connection, _, queued, _ in rows:
        by_connection.setdefault(connection, []).append(queued)
    for times in by_connection.values():
        missed += round((times[-1] - times[0]) / (EVERY_S * 1_000_000)) + 1 - len(times)
    return missed


def idle(build, folder):
    server = ServerRun(build, os.path.join(folder, "idle"))
    for i in range(IDLE):
        server.add(f"c{i}", "{count: 10}", '"0 0 29 2 *"')
    with server:
        time.sleep(5)
        begin, cpu = time.monotonic(), server.cpu_s()
        time.sleep(IDLE_S)
        share = (server.cpu_s() - cpu) / (time.monotonic() - begin)
        memory = server.resident_mb()
    return {"bench": "server_idle", "connections": IDLE, "resident_mb": round(memory, 1),
            "percent_of_a_core": round(100 * share, 2)}


def list_syncs(build, folder):
    server = ServerRun(build, os.path.join(folder, "list"))
    program = os.path.join(build, "bench", "list_syncs")
    subprocess.run([program, "fill", server.folder + "/data", "--count", str(SYNCS)], check=True)
    with server:
        asked = subprocess.run([program, "ask", server.address, "--count", str(CALLS)], check=True,
                               capture_output=True, text=True)
    figures = dict(line.split() for line in asked.stdout.splitlines())
    return {"bench": "server_list_syncs", "syncs": SYNCS, "calls": CALLS,
            "p50_ms": round(float(figures["p50"]), 2), "p99_ms": round(float(figures["p99"]), 2)}


def memory(build, folder, minutes=10):
    """Continuous syncs: how the server's memory grows."""
    server = ServerRun(build, os.path.join(folder, "memory"), "syncs: 4")
    for i in range(10):
        server.add(f"c{i}", "{count: 100}", "every 5 seconds")
    server.add("live", "{count: 100000000, rate: 2000}", "realtime")
    samples = []
    with server:
        time.sleep(150)  # until the live database has more pages than are kept of it
        begin = time.monotonic()
        while time.monotonic() - begin < 60 * minutes:
            samples.append((time.monotonic() - begin, server.resident_mb()))
            time.sleep(5)
        syncs = len(server.syncs())
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    slope = (sum((x - mean_x) * (y - mean_y) for x, y in samples) /
             sum((x - mean_x) ** 2 for x, _ in samples))
    return {"bench": "server_memory", "minutes": minutes, "syncs": syncs,
            "resident_mb": round(samples[-1][1], 1), "mb_per_10_minutes": round(slope * 600, 2)}


def python_client(build, folder, rows=100_000, pairs=3):
    """The Python client, readable form: into a destination, against a server that keeps nothing."""
    seconds = {"kept": [], "discarded": []}
    push = [os.path.join(os.path.dirname(build), "venv", "bin", "python"),
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "ingest_python.py")]

    def timed(address):
        ran = subprocess.run([*push, address, str(rows)], capture_output=True, text=True,
                             check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"ingest_python: {ran.stderr}")
        return float(ran.stdout)

    for pair in range(pairs):
        server = ServerRun(build, os.path.join(folder, f"python-{pair}"))
        with open(os.path.join(server.connections, "pushed.yaml"), "w", encoding="utf-8") as file:
            file.write("name: pushed\nsync:\n  source: {connector: ingest, tables: [{rows: "
                       "{primary_key: [id]}}]}\n"
                       f"  destination: {{connection: \"{server.folder}/pushed.db\"}}\n")
        with server:
            seconds["kept"].append(timed(server.address))
        db = sqlite3.connect(f"{server.folder}/pushed.db")
        held = db.execute("SELECT count(*) FROM rows").fetchone()[0]
        db.close()
        if held != rows:
            raise RuntimeError(f"{rows} rows were pushed, the destination holds {held}")
        address = "unix:" + os.path.join(server.folder, "d.sock")
        with subprocess.Popen([os.path.join(build, "bench", "discarding_ingest"), address],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as discarding:
            discarding.stdout.readline()
            seconds["discarded"].append(timed(address))
            discarding.stdin.close()
    kept, discarded = (sorted(s)[pairs // 2] for s in (seconds["kept"], seconds["discarded"]))
    return {"bench": "server_ingest_python", "rows": rows, "pairs": pairs,
            "rows_per_s": round(rows / kept), "discarding_rows_per_s": round(rows / discarded),
            "times_discarding": round(kept / discarded, 2)}


CASES = {"server_schedule": schedule, "server_idle": idle, "server_list_syncs": list_syncs,
         "server_ingest_python": python_client}


if __name__ == "__main__":
    import sys
    import tempfile
    # server_bench.py BUILD server_memory 10
    with tempfile.TemporaryDirectory(prefix="server-", dir=os.path.abspath(sys.argv[1])) as place:
        case = {**CASES, "server_memory": memory}[sys.argv[2]]
        print(json.dumps(case(os.path.abspath(sys.argv[1]), place, *map(float, sys.argv[3:]))))
