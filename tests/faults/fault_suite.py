"""What every fault suite in Python shares: count, seed and the line of its result (README.md)."""

import json
import os
import random
import threading


class FaultSuite:
    """One suite's figures. Thread-safe."""

    FIELDS = ("hit", "lost", "duplicated", "stale", "silent")

    def __init__(self, suite_id, short_cases):
        self.suite_id = suite_id
        self.cases = int(os.environ.get("TIDEMARK_FAULT_CASES", short_cases))
        seed = os.environ.get("TIDEMARK_FAULT_SEED")
        self.seed = int(seed) if seed else random.SystemRandom().getrandbits(32)
        self.want = 1
        self.tried = 0
        self.figures = dict.fromkeys(self.FIELDS, 0)
        self.failures = []
        self._lock = threading.Lock()
        print(f"suite {suite_id}: {self.cases} cases, TIDEMARK_FAULT_SEED={self.seed}", flush=True)

    def random(self, case):
        """The stream of one case: the same whatever order or number of cases is run."""
        return random.Random(f"{self.seed}/{case}")

    def count(self, **figures):
        """count(hit=1, lost=3): adds to the figures."""
        with self._lock:
            for field, number in figures.items():
                self.figures[field] += number

    def case(self):
        with self._lock:
            self.tried += 1

    def fail(self, text):
        """Something is wrong that no figure says."""
        with self._lock:
            self.failures.append(text)
        print(f"suite {self.suite_id}: {text}", flush=True)

    @property
    def clean(self):
        wrong = sum(self.figures[field] for field in self.FIELDS if field != "hit")
        return not self.failures and wrong == 0 and self.figures["hit"] >= self.want

    def finish(self):
        """Prints the line; the exit code."""
        line = {"suite": self.suite_id, "cases": self.tried, **self.figures,
                "want": self.want, "seed": self.seed}
        print(json.dumps(line), flush=True)
        return 0 if self.clean else 1
