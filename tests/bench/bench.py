"""make bench: bench.py BUILD_FOLDER [--rows N] [--pairs N] [--only NAME].

Runs the contenders in turns, prints a table and, on lines of their own, JSON. Every number is of
this run on this machine; compare ratios, not rows per second. Ends 1 when a destination does not
hold what it should.
"""

import argparse
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import server_bench
from contenders import Load, TidemarkRun, UpsertLoop, database, digest
from measured_run import run

STARTS = 11


class Bench:
    """Holds the folder, the programs and the results of one run."""

    def __init__(self, build, rows, pairs, folder):
        self.rows, self.pairs, self.folder = rows, pairs, folder
        self.build = build
        self.loop_program = os.path.join(build, "bench", "upsert_loop")
        self.tidemark = TidemarkRun(os.path.join(build, "bin", "tidemark"))
        self.loop = UpsertLoop(self.loop_program, system_columns=True)
        self.plain_loop = UpsertLoop(self.loop_program, system_columns=False)
        self.results = []

    def report(self, **result):
        self.results.append(result)
        print(json.dumps(result), flush=True)

    def fresh(self, contender, filled):
        """A folder for one run: empty, or with a copy of the contender's filled database."""
        folder = os.path.join(self.folder, contender.name)
        shutil.rmtree(folder, ignore_errors=True)
        if filled:
            shutil.copytree(filled[contender.name], folder)
        else:
            os.makedirs(folder)
        os.sync()  # so that no contender's fsync pays for the copy
        return folder

    def fill(self, contender, load):
        folder = os.path.join(self.folder, "filled-" + contender.name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        run(contender.command(load, folder), folder)
        return folder

    def table_case(self, name, load, filled_before):
        """One line of the table. `filled_before`: into a database with the rows of variant 0."""
        contenders = (self.loop, self.tidemark, self.plain_loop)
        filled = filled_before and {c.name: self.fill(c, Load(load.rows, load.order))
                                    for c in contenders}
        seconds = {c.name: [] for c in contenders}
        peak = 0.0
        for pair in range(self.pairs):
            digests = set()
            for contender in contenders if pair % 2 == 0 else contenders[::-1]:
                folder = self.fresh(contender, filled)
                measured = run(contender.command(load, folder), folder)
                seconds[contender.name].append(measured.seconds)
                digests.add(digest(self.loop_program, folder))
                if contender is self.tidemark:
                    peak = max(peak, measured.peak_mb)
            if len(digests) != 1 or int(digests.copy().pop().split()[0]) != self.rows:
                raise RuntimeError(f"{name}: the destinations differ: {digests}")
        speed = {n: self.rows / statistics.median(s) for n, s in seconds.items()}
        self.report(bench=name, rows=self.rows, pairs=self.pairs,
                    baseline_rows_per_s=round(speed["loop12"]),
                    plain_baseline_rows_per_s=round(speed["loop10"]),
                    tidemark_rows_per_s=round(speed["tidemark"]),
                    ratio=round(speed["tidemark"] / speed["loop12"], 3),
                    plain_ratio=round(speed["tidemark"] / speed["loop10"], 3),
                    peak_rss_mb=round(peak, 1))

    def wire(self):
        """Rows through plugin process and gRPC into an apply thread that checks every value."""
        speeds = []
        for _ in range(self.pairs):
            folder = self.fresh(self.tidemark, None)
            measured = run([os.path.join(self.build, "bench", "wire"), str(self.rows),
                            os.path.join(self.build, "bin", "tidemark-plugin-host"),
                            os.path.join(self.build, "plugins", "generator.so")], folder)
            answer = json.loads(measured.output.splitlines()[-1])
            if answer["rows"] != self.rows:
                raise RuntimeError(f"wire: {answer['rows']} of {self.rows} rows arrived")
            speeds.append(self.rows / answer["seconds"])
        self.report(bench="wire", rows=self.rows, pairs=self.pairs,
                    tidemark_rows_per_s=round(statistics.median(speeds)),
                    peak_rss_mb=round(measured.peak_mb, 1))

    def ingest(self):
        """The generator's rows pushed through Ingest, against a connector's of the same rows."""
        program = os.path.join(self.build, "bench", "ingest_push")
        load = Load(self.rows, "ascending")
        seconds, digests = {"plugin": [], "packed": [], "readable": []}, set()
        for pair in range(self.pairs):
            for form in sorted(seconds, reverse=pair % 2 == 1):
                folder = self.fresh(self.tidemark, None)
                if form == "plugin":
                    seconds[form].append(run(self.tidemark.command(load, folder), folder).seconds)
                else:
                    answer = run([program, folder, str(self.rows), form], folder)
                    seconds[form].append(json.loads(answer.output.splitlines()[-1])["seconds"])
                self.require_rows(folder, self.rows)
                digests.add(digest(self.loop_program, folder))
        if len(digests) != 1:
            raise RuntimeError(f"ingest: the destinations differ: {digests}")
        speed = {form: self.rows / statistics.median(s) for form, s in seconds.items()}
        for form in ("packed", "readable"):
            self.report(bench=f"ingest_{form}", rows=self.rows, pairs=self.pairs,
                        baseline_rows_per_s=round(speed["plugin"]),
                        tidemark_rows_per_s=round(speed[form]),
                        ratio=round(speed[form] / speed["plugin"], 3))

    def start(self):
        """A whole `tidemark run` of one row into an existing database: its first row and more."""
        folder = self.fresh(self.tidemark, None)
        milliseconds = []
        for variant in range(STARTS + 1):  # the first makes the database
            load = Load(1, "ascending", variant)
            milliseconds.append(1000 * run(self.tidemark.command(load, folder), folder).seconds)
        self.report(bench="start", runs=STARTS,
                    whole_run_ms=round(statistics.median(milliseconds[1:]), 1))

    def frequent_checkpoints(self):
        """What a checkpoint every 1,000 rows costs against one every 10,000."""
        seconds = {1_000: [], 10_000: []}
        for pair in range(self.pairs):
            for interval in sorted(seconds, reverse=pair % 2 == 1):
                folder = self.fresh(self.tidemark, None)
                load = Load(self.rows, "ascending", checkpoint_rows=interval)
                seconds[interval].append(run(self.tidemark.command(load, folder), folder).seconds)
                self.require_rows(folder, self.rows)
        speed = {interval: self.rows / statistics.median(s) for interval, s in seconds.items()}
        self.report(bench="checkpoint_every_1000_rows", rows=self.rows, pairs=self.pairs,
                    baseline_rows_per_s=round(speed[10_000]),
                    tidemark_rows_per_s=round(speed[1_000]),
                    ratio=round(speed[1_000] / speed[10_000], 3))

    def checkpoint_per_row(self):
        """Checkpoints per second when each row has one, process start and end included."""
        rows, seconds = max(1, self.rows // 10), []
        for _ in range(self.pairs):
            folder = self.fresh(self.tidemark, None)
            load = Load(rows, "ascending", checkpoint_rows=1)
            seconds.append(run(self.tidemark.command(load, folder), folder).seconds)
            self.require_rows(folder, rows)
        self.report(bench="checkpoint_per_row", rows=rows, pairs=self.pairs,
                    checkpoints_per_s=round(rows / statistics.median(seconds)))

    def state_history(self):
        """`tidemark state log` over 100,000 versions (newest, all), and L0 at start over 1,000."""
        program = os.path.join(self.build, "bench", "state_history")
        found = {}
        for versions in (1_000, 100_000):
            folder = self.fresh(self.tidemark, None)
            run([program, "fill", "--database", database(folder), "--versions", str(versions)],
                folder)
            if versions == 1_000:
                checks = [run([program, "check", "--database", database(folder)], folder)
                          for _ in range(STARTS)]
                found["check_ms"] = statistics.median(
                    float(c.output.split()[1]) for c in checks)
            else:
                log = [os.path.join(self.build, "bin", "tidemark"), "state", "log", "--db",
                       database(folder)]
                for name, more in (("log_ms", []), ("log_all_ms", ["--limit", str(versions)])):
                    found[name] = 1000 * statistics.median(
                        run(log + more, folder).seconds for _ in range(STARTS))
        self.report(bench="state_history", check_1000_ms=round(found["check_ms"], 1),
                    log_100000_ms=round(found["log_ms"], 1),
                    log_all_100000_ms=round(found["log_all_ms"], 1))

    def require_rows(self, folder, rows):
        found = digest(self.loop_program, folder)
        if int(found.split()[0]) != rows:
            raise RuntimeError(f"{rows} rows were sent, the destination holds: {found}")

    def server(self, case):
        self.report(**case(self.build, self.folder))

    def cases(self):
        """Name -> what runs it, in the order of the table."""
        listed = {}
        for order in ("ascending", "shuffled"):
            for what, load in (("empty", Load(self.rows, order)),
                               ("all_changed", Load(self.rows, order, variant=1)),
                               ("all_unchanged", Load(self.rows, order, repetition=1))):
                case = (f"sqlite_{what}_{order}", load, what != "empty")
                listed[case[0]] = lambda case=case: self.table_case(*case)
        listed["wire"] = self.wire
        listed["ingest"] = self.ingest
        listed["start"] = self.start
        listed["checkpoint_every_1000_rows"] = self.frequent_checkpoints
        listed["checkpoint_per_row"] = self.checkpoint_per_row
        listed["state_history"] = self.state_history
        for name, case in server_bench.CASES.items():
            listed[name] = functools.partial(self.server, case)
        return listed


def machine():
    """One line that says what the numbers belong to."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        model = next((l.split(":")[1].strip() for l in cpuinfo if l.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {os.uname().release}"


def print_table(results):
    head = ("bench", "C loop", "10 columns", "tidemark", "ratio", "to 10", "peak MB")
    keys = ("bench", "baseline_rows_per_s", "plain_baseline_rows_per_s", "tidemark_rows_per_s",
            "ratio", "plain_ratio", "peak_rss_mb")
    print()
    print("{:32}{:>12}{:>12}{:>12}{:>8}{:>8}{:>9}".format(*head))
    for result in results:
        if "whole_run_ms" in result:
            print(f"{result['bench']:32}{result['whole_run_ms']:>12} ms for a whole run of one row")
        elif "log_100000_ms" in result:
            print(f"{'check of 1,000 state versions':32}{result['check_1000_ms']:>12} ms")
            print(f"{'state log of 100,000 versions':32}{result['log_100000_ms']:>12} ms")
            print(f"{'every line of it':32}{result['log_all_100000_ms']:>12} ms")
        elif "checkpoints_per_s" in result:
            print(f"{result['bench']:32}{result['checkpoints_per_s']:>12} checkpoints/s")
        elif result["bench"].startswith("server_"):
            figures = {key: value for key, value in result.items() if key != "bench"}
            print(f"{result['bench']:32}{json.dumps(figures)}")
        else:
            print("{:32}{:>12}{:>12}{:>12}{:>8}{:>8}{:>9}".format(
                *(result.get(k, "") for k in keys)))


def main():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("build")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", help="run the cases whose name contains this")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        bench = Bench(build, arguments.rows, arguments.pairs, folder)
        print(f"== bench: {arguments.rows} rows, {arguments.pairs} pairs, {machine()}", flush=True)
        try:
            for name, case in bench.cases().items():
                if not arguments.only or arguments.only in name:
                    case()
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
        print_table(bench.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
