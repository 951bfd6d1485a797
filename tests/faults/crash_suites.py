"""K1, K2 and K3: the server and the plugin die; nothing is lost, doubled or stale (README.md).

  crash_suites.py K1|K2|K3 ...
"""

import concurrent.futures
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
import time

from fault_suite import FaultSuite
from ledger_bench import BIN, TIMEOUT_S, LedgerBench, await_line, children, gone
from suites import failpoint_names

WORKERS = int(os.environ.get("TIDEMARK_FAULT_WORKERS", "2"))
STOP = "TIDEMARK_FAULT_STOP" in os.environ  # at the first failure
ENDED_WELL = (0, 3)  # completed; with dead letters: partial
ASLEEP_US = 600_000_000  # longer than any test waits


def in_parallel(suite, cases, run):
    """run(case, folder) for each case, each in a folder that is kept when it went wrong."""
    root = tempfile.mkdtemp(prefix=f"tidemark-{suite.suite_id.lower()}-")
    failed = []

    def one(case):
        if failed and STOP:
            return
        folder = os.path.join(root, re.sub(r"[^\w.]+", "_", str(case)).strip("_"))
        suite.case()
        try:
            good = run(case, folder)
        except Exception as error:  # pylint: disable=broad-except
            suite.fail(f"case {case}: {type(error).__name__}: {error} ({folder})")
            good = False
        if good:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            failed.append(case)
            suite.fail(f"case {case} failed ({folder})")

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, cases))
    if not failed:
        shutil.rmtree(root, ignore_errors=True)


def judge(suite, case, bench, complete=False, moved=False):
    """Looks at everything and counts; True when nothing is wrong."""
    wrong = bench.check(complete, moved)
    if not wrong:
        return True
    suite.count(**wrong, silent=1 if complete else 0)
    print(f"suite {suite.suite_id}, case {case} ({bench.folder}):", flush=True)
    for words in wrong.words:
        print("    " + words, flush=True)
    return False


def finish(suite, case, bench, moved=False):
    """An undisturbed run ends well, and then everything is there."""
    bench.configure(die_in='""', pause_us=0, wait_every=0, tail=False)
    code = bench.run()
    if code not in ENDED_WELL:
        # A source that cannot go on says so: what it misses was told durable too early.
        suite.count(lost=max(1, bench.ledger().pruned - bench.position()))
        suite.fail(f"case {case}: the undisturbed run exits with {code}; {bench.output}")
        return False
    return judge(suite, case, bench, True, moved)


# ---- K1: kill -9 of the server at random moments ----

class RandomKills:
    """Kills one connection again and again, until its source has nothing more."""

    ROWS = 3000

    def __init__(self, suite):
        self.suite = suite

    def __call__(self, case, folder):
        """Cases of one folder: `case` is the first one and how many."""
        first, count = case
        random = self.suite.random(first)
        bench, files, kills, last, tries = None, 0, 0, 0, 0
        while kills < count:
            tries += 1
            if tries > 4 * count + 20:
                self.suite.fail(f"case {case}: only {kills} of {count} kills hit")
                return False
            if bench is None:
                files += 1
                bench = LedgerBench(f"{folder}/{files}", rows=self.ROWS,
                                    seed=random.getrandbits(31),
                                    checkpoint_rows=random.choice((10, 50, 200)))
                last = 0
            bench.configure(wait_every=random.choice((0, 1, 3)),
                            pause_us=random.choice((0, 500, 3000)))
            process = bench.start("run", "ledger.yaml", "--quiet")
            self._await_moment(bench, process, random)
            hosts = children(process.pid)
            process.send_signal(signal.SIGKILL)
            code = process.wait()
            if code == -signal.SIGKILL:
                kills += 1
                self.suite.count(hit=1)
                if not _all_gone(hosts):
                    self.suite.fail(f"case {case}: a plugin's host outlived the server")
                    return False
            elif code not in ENDED_WELL:
                self.suite.fail(f"case {case}: exit {code} before the kill; {bench.output}")
                return False
            if not judge(self.suite, (first, kills), bench):
                return False
            position = bench.position()
            if position < last:
                self.suite.count(lost=last - position)
                return False
            last = position
            if position == self.ROWS:
                if not finish(self.suite, (first, kills), bench):
                    return False
                shutil.rmtree(bench.folder)
                bench = None
        return bench is None or finish(self.suite, (first, kills), bench)

    @staticmethod
    def _await_moment(bench, process, random):
        """Any time, or shortly after something that is seldom hit by chance."""
        kind = random.choice(("any", "any", "sent", "durable", "start"))
        if kind == "any":
            time.sleep(random.uniform(0, 0.6))
            return
        reached = getattr(bench.ledger(), {"start": "started"}.get(kind, kind))
        await_line(bench, {"start": "started"}.get(kind, kind), reached + 1, process)
        time.sleep(random.choice((0, random.uniform(0, 0.01))))


def _all_gone(pids):
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if all(gone(pid) for pid in pids):
            return True
        time.sleep(0.002)
    return False


def run_k1():
    suite = FaultSuite("K1", 30)
    per_folder = 15
    suite.want = suite.cases
    cases = [(first, min(per_folder, suite.cases - first))
             for first in range(0, suite.cases, per_folder)]
    in_parallel(suite, cases, RandomKills(suite))
    suite.tried = suite.cases
    return suite.finish()


# ---- K2: kill -9 at every failpoint ----

class Scenario:
    """What is done so that a failpoint is passed."""

    def __init__(self, prefix="", config=None, arguments=None, interrupt=False, half=False,
                 moves=False, damage=None, storage=None, ahead=False):
        self.prefix = prefix  # further failpoints, ahead
        self.config = config or {}
        self.arguments = arguments or ("run", "ledger.yaml", "--quiet")
        self.interrupt = interrupt
        self.half = half or moves  # something was synced before
        self.moves = moves         # the state goes back
        self.ahead = ahead or moves  # rows may stand that the state does not cover yet
        self.damage = damage       # SQL
        self.storage = storage     # of the connection file

    def prepare(self, folder, seed, half):
        if self.moves:
            self.config["prune"] = "releasable"
        bench = LedgerBench(folder, rows=400, seed=seed, checkpoint_rows=25, wait_every=1,
                            storage=self.storage and self.storage.format(folder=folder),
                            die_marker=os.path.join(folder, "marker"), **self.config)
        if half or self.half:
            bench.configure(die_in='""', pause_us=0)
            bench.run(failpoints=HALF)
            bench.configure(**self.config)
        if self.damage:
            bench.damage(self.damage)
        return bench

    def run(self, bench, failpoints):
        failpoints = ";".join(filter(None, (self.prefix, failpoints)))
        if not self.interrupt:
            return bench.run(failpoints=failpoints, arguments=self.arguments)
        process = bench.start(*self.arguments, failpoints=failpoints)
        if await_line(bench, "durable", bench.ledger().durable + 1, process):
            process.send_signal(signal.SIGINT)
        return process.wait(TIMEOUT_S)


_RETRIED = {"die_in": "checkpoint", "die_how": "unavailable", "die_at": 3}
# Interrupted once, rows whose checkpoint has not come yet may be kept ahead of the state.
_INTERRUPTED = Scenario(config={"pause_us": ASLEEP_US}, interrupt=True, ahead=True)
_ROLLBACK = Scenario(arguments=("state", "rollback", "--to", "2", "--yes", "ledger.yaml"),
                     moves=True)
_REPAIR = Scenario(moves=True, damage="UPDATE _tidemark_state_bodies SET body = 'x' WHERE rowid = "
                                      "(SELECT max(rowid) FROM _tidemark_state_bodies)")
_STORE = "state:\n  storage: {{type: %s, connection: \"{folder}/%s\"}}"
_OUTER = Scenario(storage=_STORE % ("sqlite", "states.db"))
_FILES = Scenario(storage=_STORE % ("file", "states"))
# The next run finds the store behind the destination.
_BEHIND = Scenario(storage=_STORE % ("file", "states"), prefix="store.append=1*error(UNAVAILABLE)")
SCENARIOS = {
    "open.load_entry": Scenario(half=True),
    "connector.check": Scenario(arguments=("check", "ledger.yaml")),
    "connector.validate_state": _ROLLBACK,
    "plugin.validate_state": _ROLLBACK,
    "connector.cancel": _INTERRUPTED,
    "attempt.interrupted": _INTERRUPTED,
    "attempt.tail_discarded": Scenario(config={"tail": True}),
    "sync.retry": Scenario(config=_RETRIED),
    "apply.rollback": Scenario(config=_RETRIED),
    # Time for an acknowledgement that was given too early to arrive.
    "apply.before_commit": Scenario(prefix="apply.fence=2*delay(30)"),
    "apply.settle_unknown": Scenario(prefix="apply.commit_unknown=1*error(UNAVAILABLE)"),
    "store.acquire": _OUTER,
    "store.compare": _OUTER,
    "store.append": _OUTER,
    "store.appended": _FILES,
    "store.rolled_forward": _BEHIND,
    "store.sqlite_commit": _OUTER,
    "store.file_sync": _FILES,
    "store.file_rename": _FILES,
    "store.file_renamed": _FILES,
    "file.write": _FILES,
    "state.write": _ROLLBACK,
    "state.written": _ROLLBACK,
    "state.repair": _REPAIR,
    "backup.rename": Scenario(half=True),
    "backup.rotate": Scenario(half=True),
}
DEFAULT = Scenario()
# A part of a sync, so that the next run finds something to open and to go on from.
HALF = "apply.committed=6*off->1*kill"


class FailpointKills:
    """Kills whoever passes a failpoint for the first or the second time."""

    def __init__(self, suite):
        self.suite = suite
        self.seen = set()

    def __call__(self, case, folder):
        name, nth, seed = case
        scenario = SCENARIOS.get(name, DEFAULT)
        bench = scenario.prepare(f"{folder}/first", seed, half=False)
        scenario.run(bench, f"{name}=1*kill" if nth == 1 else f"{name}=1*off->1*kill")
        self._note(bench)
        fired = bench.fired(name)
        if not fired and nth == 2:
            # Not passed twice in one run: then in a run that goes on from an earlier one.
            bench = scenario.prepare(f"{folder}/second", seed, half=True)
            scenario.run(bench, f"{name}=1*kill")
            fired = bench.fired(name)
        if not fired:
            if nth == 1:
                self.suite.fail(f"case {case}: never passed ({folder})")
            return nth != 1  # such as the making of what is made once
        self.suite.count(hit=1)
        # With a damaged state there is nothing to compare with before it is repaired.
        if scenario.damage is None and not judge(self.suite, case, bench, moved=scenario.ahead):
            return False
        return finish(self.suite, case, bench, moved=scenario.ahead)

    def _note(self, bench):
        for line in bench.failpoint_lines():
            self.seen.add(line.split()[1])


def run_k2():
    names = [os.environ["TIDEMARK_FAULT_ONLY"]] if "TIDEMARK_FAULT_ONLY" in os.environ else \
        failpoint_names()
    suite = FaultSuite("K2", len(names))
    rounds = max(1, suite.cases // len(names))  # of one kill at each
    random = suite.random("seeds")
    cases = []
    for turn, name in itertools.product(range(rounds), names):
        cases.append((name, 1 + turn % 2, random.getrandbits(31)))
    suite.want = len(names)
    kills = FailpointKills(suite)
    in_parallel(suite, cases, kills)
    missed = sorted(set(names) - kills.seen)
    if missed:
        suite.fail(f"failpoints that nothing passed: {', '.join(missed)}")
    print(f"suite K2: {len(names)} failpoints, {len(kills.seen)} of them passed", flush=True)
    return suite.finish()


# ---- K3: the plugin dies in each of its calls ----

CALLS = ("create", "check", "schema", "update", "upsert", "update_row", "delete", "truncate",
         "define_table", "dead_letter", "checkpoint", "wait", "sleep", "acknowledged", "warn",
         "table_done", "end", "interrupt", "destroy")
OFTEN = ("upsert", "update_row", "delete", "checkpoint", "wait", "sleep", "acknowledged")
KINDS = ("kill", "abort", "segv", "exit", "throw")


class PluginDeaths:
    """The server lives on: it begins again once, or ends with an error at its last commit."""

    def __init__(self, suite):
        self.suite = suite

    def __call__(self, case, folder):
        call, kind, nth, always, seed = case
        marker = os.path.join(folder, "marker")
        bench = LedgerBench(folder, rows=400, seed=seed, checkpoint_rows=25, wait_every=2,
                            pause_us=200, die_in=call, die_how=kind, die_at=nth,
                            die_always=always, die_marker=marker)
        if call == "check":
            code = bench.run(arguments=("check", "ledger.yaml"))
        elif call == "interrupt":
            code = self._interrupted(bench)
        else:
            code = bench.run()
        if code < 0 or code > 130:
            self.suite.fail(f"case {case}: the server died with it ({code}); {bench.output}")
            return False
        hit = os.path.exists(marker)
        if hit:
            self.suite.count(hit=1)
        elif nth == 1:
            self.suite.fail(f"case {case}: the call was not made; {bench.output}")
            return False
        # Interrupted, it may keep rows ahead of their checkpoint.
        ahead = call == "interrupt"
        if not judge(self.suite, case, bench, moved=ahead):
            return False
        # Once is forgiven, where the process died and not the call failed.
        forgiven = not always and kind != "throw" and call not in ("check", "interrupt")
        if code in ENDED_WELL and call != "check":
            return judge(self.suite, case, bench, complete=True)
        if hit and forgiven:
            self.suite.fail(f"case {case}: exit {code} after one death; {bench.output}")
            return False
        return finish(self.suite, case, bench, moved=ahead)

    @staticmethod
    def _interrupted(bench):
        # It waits for the commit, and then sleeps until it is interrupted.
        bench.configure(wait_every=1, pause_us=ASLEEP_US)
        process = bench.start("run", "ledger.yaml", "--quiet")
        await_line(bench, "durable", 1, process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        return process.wait(TIMEOUT_S)


def run_k3():
    calls = (os.environ["TIDEMARK_FAULT_ONLY"],) if "TIDEMARK_FAULT_ONLY" in os.environ else CALLS
    suite = FaultSuite("K3", len(calls))
    random = suite.random("cases")
    cases = []
    kinds = itertools.cycle(KINDS)
    for i in range(suite.cases):
        call = calls[i % len(calls)]
        turn = i // len(calls)
        nth = random.choice((2, 5)) if turn >= 2 and call in OFTEN else 1
        kind = next(kinds) if turn == 0 else KINDS[(i + turn) % len(KINDS)]
        always = turn % 2 == 1 if suite.cases > len(calls) else i % 3 == 2
        cases.append((call, kind, nth, always, random.getrandbits(31)))
    suite.want = max(len(calls), suite.cases * 9 // 10)
    in_parallel(suite, cases, PluginDeaths(suite))
    return suite.finish()


SUITES = {"K1": run_k1, "K2": run_k2, "K3": run_k3}


def main():
    if not os.path.exists(os.path.join(BIN, "tidemark")):
        sys.exit(f"no tidemark in TIDEMARK_BIN={BIN!r}")
    codes = [SUITES[name]() for name in sys.argv[1:]]
    sys.exit(max(codes, default=2))


if __name__ == "__main__":
    main()
