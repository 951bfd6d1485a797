"""`make faults`: runs every suite of suites.py and prints what was lost (README.md).

  faults.py BUILD_FOLDER          SUITES=K1,C1 in the environment: only these
  TIDEMARK_FAULT_FACTOR=10        ten times as many cases
  TIDEMARK_FAULT_SEED=7           the same again
  TIDEMARK_FAULT_JOBS=1           suites that run beside each other; as many as there are cores, 2
"""

import concurrent.futures
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

from suites import SUITES

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
ZEROS = ("lost", "duplicated", "stale", "silent")
HEADINGS = ("suite", "cases", "faults hit", "lost rows", "duplicated rows", "stale rows",
            "silent wrong starts", "seconds", "seed", "verdict")
SUITE_LIMIT_S = 45 * 60  # a suite that takes longer hangs
SEED = re.compile(r"^suite (\S+): .*TIDEMARK_FAULT_SEED=(\d+)", re.MULTILINE)
GOOGLETEST = re.compile(r"\[[ =-]|Running main\(\)|Note: Google Test filter")


def environment_of(build, cases, program_environment=None):
    environment = dict(os.environ)
    environment.update({"TIDEMARK_BIN": os.path.join(build, "bin"),
                        "TIDEMARK_FAULT_PLUGINS": os.path.join(build, "tests", "fault_plugins"),
                        "TIDEMARK_FAULT_CASES": str(cases)})
    environment.update(program_environment or {})
    return environment


def command_of(suite, build):
    places = {"source": SOURCE, "python": sys.executable, "bin": os.path.join(build, "bin"),
              "tests": os.path.join(build, "tests"), "build": build}
    return [part.format(**places) for part in suite.command]


def result_lines(output):
    """{id: result} of the lines that suites print."""
    results = {}
    for line in output.splitlines():
        if line.startswith('{"suite":'):
            result = json.loads(line)
            results[result["suite"]] = result
    return results


def judge(ids, results, code):
    """What is wrong with these results, in words; [] when nothing is."""
    problems = []
    for suite_id in ids:
        result = results.get(suite_id)
        if result is None:
            problems.append(f"{suite_id}: no result")
            continue
        problems += [f"{suite_id}: {result[zero]} {zero}" for zero in ZEROS if result[zero]]
        if result["hit"] < result.get("want", 1):
            problems.append(f"{suite_id}: only {result['hit']} faults hit, "
                            f"{result.get('want', 1)} wanted")
    if code != 0 and not problems:
        how = f"exit code {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"
        problems.append(f"{'/'.join(ids)}: {how}")
    return problems


class Run:
    """One program of suites, run to its end; what it says is shown and kept in a file."""

    printing = threading.Lock()

    def __init__(self, suite, build, cases):
        self.suite = suite
        self.name = "/".join(suite.ids)
        self.build = build
        self.cases = cases
        self.log = os.path.join(build, "faults", f"{suite.ids[0]}.log")
        self.results, self.problems, self.seconds = {}, [], 0

    def __call__(self):
        begin = time.monotonic()
        self.say(f"{self.cases} cases")
        code, output = -signal.SIGABRT, ""
        try:
            code, output = self._run()
        except OSError as error:
            self.problems.append(f"{self.name}: {error}")
        self.seconds = time.monotonic() - begin
        self.results = result_lines(output)
        self.problems += judge(self.suite.ids, self.results, code)
        if self.problems:
            seeds = dict(SEED.findall(output))
            seed = next((seeds[name] for name in self.suite.ids if name in seeds), None)
            again = f"TIDEMARK_FAULT_SEED={seed} " if seed else ""
            self.problems.append(
                f"    seed {seed}; all it said: {self.log}; again: {again}"
                f"TIDEMARK_FAULT_CASES={self.cases} TIDEMARK_BIN={self.build}/bin "
                f"TIDEMARK_FAULT_PLUGINS={self.build}/tests/fault_plugins "
                + shlex.join(command_of(self.suite, self.build)))
        verdict = "FAILED" if self.problems else "ok"
        self.say(f"{verdict} after {self.seconds:.0f} s")
        return self

    def _run(self):
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        output = []
        with open(self.log, "w", encoding="utf-8") as log, subprocess.Popen(
                command_of(self.suite, self.build), env=environment_of(self.build, self.cases),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                text=True, errors="replace") as process:
            limit = threading.Timer(SUITE_LIMIT_S, self._hung, [process])
            limit.start()
            try:
                for line in process.stdout:
                    output.append(line)
                    log.write(line)
                    if line.strip() and not GOOGLETEST.match(line):
                        self.say(line.rstrip())
                code = process.wait()
            finally:
                limit.cancel()
        return code, "".join(output)

    def _hung(self, process):
        self.problems.append(f"{self.name}: it hung, and was killed after {SUITE_LIMIT_S // 60} "
                             "minutes")
        process.kill()

    def say(self, text):
        with self.printing:
            print(f"{self.name}: {text}", flush=True)

    def rows(self):
        for suite_id in self.suite.ids:
            result = self.results.get(suite_id)
            figures = ["-"] * 6 if result is None else \
                [result["cases"], result["hit"], *(result[zero] for zero in ZEROS)]
            yield (suite_id, *figures, round(self.seconds),
                   "-" if result is None else result.get("seed", "-"),
                   "FAILED" if self.problems else "ok")


def table(rows):
    widths = [max(len(str(row[i])) for row in [HEADINGS, *rows]) for i in range(len(HEADINGS))]
    for row in [HEADINGS, *rows]:
        print("  ".join(str(cell).rjust(width) if i else str(cell).ljust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))


def main():
    build = os.path.abspath(sys.argv[1])
    chosen = [name for name in os.environ.get("SUITES", "").split(",") if name]
    unknown = set(chosen) - {suite_id for suite in SUITES for suite_id in suite.ids}
    if unknown:
        sys.exit(f"no suite {', '.join(sorted(unknown))}; there are "
                 f"{', '.join(i for s in SUITES for i in s.ids)}")
    factor = float(os.environ.get("TIDEMARK_FAULT_FACTOR", "1"))
    jobs = int(os.environ.get("TIDEMARK_FAULT_JOBS", min(2, os.cpu_count() or 1)))
    runs = [Run(suite, build, max(1, round(suite.cases * factor))) for suite in SUITES
            if not chosen or set(chosen) & set(suite.ids)]
    begin = time.monotonic()
    # A suite that fails keeps no other from running.
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(lambda run: run(), runs))
    rows = [row for run in done for row in run.rows()]
    print(f"\n{len(rows)} suites in {(time.monotonic() - begin) / 60:.1f} minutes\n")
    table(rows)
    problems = [problem for run in done for problem in run.problems]
    for problem in problems:
        print(problem if problem.startswith(" ") else f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
