"""`make faults`: runs every suite of suites.py and prints what was lost (README.md).

  faults.py BUILD_FOLDER          SUITES=K1,C1 in the environment: only these
  TIDEMARK_FAULT_FACTOR=10        ten times as many cases
  TIDEMARK_FAULT_SEED=7           the same again
"""

import json
import os
import re
import subprocess
import sys
import time

from suites import SUITES

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
ZEROS = ("lost", "duplicated", "stale", "silent")
HEADINGS = ("suite", "cases", "faults hit", "lost rows", "duplicated rows", "stale rows",
            "silent wrong starts", "seconds", "seed")


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
        problems.append(f"{'/'.join(ids)}: exit code {code}")
    return problems


def run(suite, build, cases):
    """Runs one program, showing what it says; (results, problems, seconds)."""
    begin = time.monotonic()
    try:
        process = subprocess.Popen(command_of(suite, build), env=environment_of(build, cases),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace")
    except OSError as error:
        return {}, [f"{'/'.join(suite.ids)}: {error}"], 0
    output = []
    for line in process.stdout:
        output.append(line)
        if not re.match(r"\[[ =-]", line) and line.strip():  # GoogleTest's own lines
            print("    " + line, end="", flush=True)
    code = process.wait()
    results = result_lines("".join(output))
    return results, judge(suite.ids, results, code), time.monotonic() - begin


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
    rows, problems = [], []
    begin = time.monotonic()
    for suite in SUITES:
        if chosen and not set(chosen) & set(suite.ids):
            continue
        cases = max(1, round(suite.cases * factor))
        print(f"== {'/'.join(suite.ids)}: {cases} cases", flush=True)
        results, wrong, seconds = run(suite, build, cases)
        problems += wrong
        for suite_id in suite.ids:
            result = results.get(suite_id)
            rows.append((suite_id, *(["-"] * 6 if result is None else
                                     [result["cases"], result["hit"],
                                      *(result[zero] for zero in ZEROS)]),
                         round(seconds), "-" if result is None else result.get("seed", "-")))
    print(f"\n{len(rows)} suites in {(time.monotonic() - begin) / 60:.1f} minutes\n")
    table(rows)
    for problem in problems:
        print(f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
