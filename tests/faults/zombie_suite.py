"""K5: a run is stopped at any moment, another one takes over, the first one wakes up. It commits
nothing any more; where it holds the database's write lock, the taker changes nothing instead.

The stores on servers have the same test in tests/end_to_end/stores.
"""

import os
import signal
import sys
import time

from crash_suites import ENDED_WELL, finish, in_parallel, judge
from fault_suite import FaultSuite
from ledger_bench import BIN, TIMEOUT_S, LedgerBench, await_line

STORAGES = (None,
            "state:\n  storage: {{type: sqlite, connection: \"{folder}/states.db\"}}",
            "state:\n  storage: {{type: file, connection: \"{folder}/states\"}}")


class Zombies:
    def __init__(self, suite):
        self.suite = suite
        self.refused = 0

    def __call__(self, case, folder):
        random = self.suite.random(case)
        storage = STORAGES[case % len(STORAGES)]
        bench = LedgerBench(folder, rows=1000, seed=random.getrandbits(31),
                            checkpoint_rows=random.choice((20, 50)), wait_every=1,
                            storage=storage and storage.format(folder=folder),
                            pause_us=random.choice((0, 2000, 20_000)))
        zombie = bench.start("run", "ledger.yaml", "--quiet")
        # A third of them before their first commit.
        await_line(bench, "started", 0, zombie)
        if random.random() < 0.7:
            await_line(bench, "durable", 1, zombie)
        time.sleep(random.uniform(0, 0.02))
        zombie.send_signal(signal.SIGSTOP)
        state = os.waitid(os.P_PID, zombie.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if state.si_code != os.CLD_STOPPED:
            zombie.wait()
            return judge(self.suite, case, bench)  # it was quicker
        try:
            return self._take_over(case, bench, zombie)
        finally:
            zombie.send_signal(signal.SIGCONT)
            zombie.kill()
            zombie.wait()

    def _take_over(self, case, bench, zombie):
        before = bench.everything()
        code = bench.run(arguments=("run", "ledger.yaml", "--quiet", "--take-over", "--yes"))
        self.suite.count(hit=1)
        if code not in ENDED_WELL:
            # It stands inside a transaction, of the destination or of the store beside it: named,
            # and nothing is touched.
            self.refused += 1
            if before != bench.everything():
                self.suite.count(silent=1)
                self.suite.fail(f"case {case}: a refused take-over changed something")
                return False
            zombie.send_signal(signal.SIGCONT)
            code = zombie.wait(TIMEOUT_S)
            if code not in ENDED_WELL:
                self.suite.fail(f"case {case}: refused, and yet its holder ends with {code}")
                return False
            return finish(self.suite, case, bench)
        if not judge(self.suite, case, bench, complete=True):
            return False
        before = bench.everything()
        zombie.send_signal(signal.SIGCONT)
        code = zombie.wait(TIMEOUT_S)
        after = bench.everything()
        if before != after:
            written = len(set(after) - set(before))
            self.suite.count(duplicated=max(1, written))
            self.suite.fail(f"case {case}: the one that woke up wrote {written} rows")
            return False
        if code in ENDED_WELL:
            self.suite.count(silent=1)
            self.suite.fail(f"case {case}: the one that woke up says that it ended well")
            return False
        return finish(self.suite, case, bench)


def run_k5():
    suite = FaultSuite("K5", 12)
    suite.want = max(1, suite.cases // 2)
    zombies = Zombies(suite)
    in_parallel(suite, range(suite.cases), zombies)
    print(f"suite K5: {zombies.refused} take-overs found their holder inside a transaction",
          flush=True)
    return suite.finish()


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BIN, "tidemark")):
        sys.exit(f"no tidemark in TIDEMARK_BIN={BIN!r}")
    sys.exit(run_k5())
