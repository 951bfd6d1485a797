"""Each suite fails when the bug is there that it is to find; no program of a release has one.

  canary_test.py BUILD_FOLDER SUITE...    runs these suites with each of their canaries
  canary_test.py BUILD_FOLDER release     looks into the programs that users run
"""

import os
import re
import subprocess
import sys

from canaries import CANARIES, SOURCE, names_in_code, sources_with_canaries
from faults import ZEROS, command_of, result_lines
from suites import SUITES

LISTED = re.compile(r"\$\{server\}/([a-z_/]+\.cc)")


def run_suite(canary, build, bug=True):
    """(exit code, the suite's result or None, output) of a run with the bug, or without it."""
    suite = next(suite for suite in SUITES if canary.suite in suite.ids)
    canary_build = os.path.join(build, "canary")
    command = [part.replace(os.path.join(build, "tests"), os.path.join(canary_build, "tests"))
               for part in command_of(suite, build)]
    if command[0].startswith(canary_build):
        command[0] += "_canary"
    environment = {"TIDEMARK_FAULT_SEED": "1", **os.environ, **canary.environment}
    environment.update({"TIDEMARK_CANARY": canary.name if bug else "", "TIDEMARK_FAULT_STOP": "1",
                        "TIDEMARK_BIN": os.path.join(canary_build, "bin"),
                        "TIDEMARK_FAULT_PLUGINS": os.path.join(build, "tests", "fault_plugins")})
    if canary.cases is not None:
        environment["TIDEMARK_FAULT_CASES"] = str(canary.cases)
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    results = result_lines(process.stdout)
    found = [results[name] for name in suite.ids if name in results and results[name]["hit"]]
    guilty = [result for result in found if any(result[zero] for zero in ZEROS)]
    return process.returncode, (guilty or found or [None])[0], process.stdout


def check_canary(canary, build):
    code, result, output = run_suite(canary, build)
    if result is None and code and "\nsuite " in output:  # it ended before it could count
        result = {"hit": 1, **dict.fromkeys(ZEROS, 0)}
    if result is None:
        return f"{canary.suite} printed no result:\n{output[-2000:]}"
    found = {zero: result[zero] for zero in ZEROS if result[zero]}
    print(f"{canary.suite} with {canary.name}: exit {code}, {found}", flush=True)
    if code == 0:
        return f"{canary.suite} did not notice {canary.name}: {result}"
    if result["hit"] == 0:
        return f"{canary.suite} failed before it began: {result}\n{output[-2000:]}"
    if found:
        return None
    # Said by an assertion, or it died of it: only the bug may be the reason.
    code, _, output = run_suite(canary, build, bug=False)
    return code and f"{canary.suite} fails without {canary.name} too:\n{output[-2000:]}"


def check_release(build):
    """Each bug has its suite, and stands in no program that users run."""
    problems = []
    listed = {canary.name for canary in CANARIES}
    for name in sorted(names_in_code() ^ listed):
        problems.append(f"{name} stands in {'the code' if name not in listed else 'the list'} only")
    cmake = os.path.join(SOURCE, "tests", "faults", "CMakeLists.txt")
    with open(cmake, encoding="utf-8") as file:
        built = set(LISTED.findall(file.read()))
    for path in sorted(sources_with_canaries() ^ built):
        problems.append(f"{path}: in tests/faults/CMakeLists.txt or with core/canary.h, not both")
    programs = [os.path.join(build, "bin", name) for name in ("tidemark", "tidemark-plugin-host")]
    for program in programs:
        with open(program, "rb") as file:
            content = file.read()
        for name in [b"TIDEMARK_CANARY", *(name.encode() for name in sorted(listed))]:
            if name in content:
                problems.append(f"{program} contains {name.decode()}")
    with open(os.path.join(build, "canary", "bin", "tidemark"), "rb") as file:
        if b"TIDEMARK_CANARY" not in file.read():
            problems.append("the canary program has no canaries")
    return problems


def main():
    build = os.path.abspath(sys.argv[1])
    problems = []
    for name in sys.argv[2:]:
        if name == "release":
            problems += check_release(build)
            continue
        chosen = [canary for canary in CANARIES if canary.suite == name]
        problems += [] if chosen else [f"{name} has no canary"]
        problems += filter(None, (check_canary(canary, build) for canary in chosen))
    for problem in problems:
        print(f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
