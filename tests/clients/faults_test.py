"""What `tidemark run` does when it is interrupted, locked out, or its disk or file fails."""

import os
import signal
import subprocess

from tidemark_case import TIMEOUT_S, TidemarkCase, main

ROWS = 200_000
# Pauses after each checkpoint, so that the sync lasts until somebody ends it.
SLOW = (f"{{connector: generator, config: {{count: {ROWS}, checkpoint_interval: 1000, "
        "pause_us: %d}}")


class InterruptTest(TidemarkCase):
    def begin(self, file):
        """A sync that has committed something: its progress was told."""
        process = self.start("run", file, "--json")
        self.wait_for(process.stderr, "progress: ")
        return process

    def end(self, process):
        out, error = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, out, error

    def test_once_finishes_the_commit_group_and_the_next_run_completes(self):
        file = self.connection("slow", SLOW % 200_000)
        process = self.begin(file)
        process.send_signal(signal.SIGINT)
        code, out, error = self.end(process)
        self.assertEqual(130, code, out + error)
        self.assertIn('"interrupted": true', out)
        rows = self.query("SELECT count(*) FROM rows")[0][0]
        self.assertGreater(rows, 0)
        self.assertLess(rows, ROWS)
        self.assertEqual("valid", self.json("state", "log", file)["chain"])
        self.connection("slow", SLOW % 0)
        report = self.json("run", file)
        self.assertEqual("completed", report["metadata"]["status"])
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows"))

    def test_twice_stops_at_once_and_loses_nothing(self):
        file = self.connection("slow", SLOW % 200_000)
        process = self.begin(file)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        code, out, error = self.end(process)
        self.assertEqual(130, code, out + error)
        self.assertNotIn("Traceback", error)
        self.connection("slow", SLOW % 0)
        self.run_tidemark("run", file)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows"))

    def test_a_second_run_names_the_holder_and_readers_are_let_in(self):
        file = self.connection("slow", SLOW % 200_000)
        process = self.begin(file)
        _, error = self.run_tidemark("run", file, code=1)
        self.assertIn(f"pid {process.pid}", error)
        self.assertIn('connection "slow"', error)
        self.assertEqual("running", self.json("report", file)["metadata"]["status"])
        log = self.json("state", "log", file)
        self.assertEqual("valid", log["chain"])
        self.assertGreater(len(log["versions"]), 0)
        self.assertIsNone(process.poll(), "the first run goes on")
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.end(process)[0])

    def test_a_killed_run_is_closed_by_the_next(self):
        file = self.connection("slow", SLOW % 200_000)
        process = self.begin(file)
        killed = self.json("report", file)["metadata"]["sync_id"]
        process.kill()
        self.end(process)
        self.connection("slow", SLOW % 0)
        self.run_tidemark("run", file)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows"))
        self.assertEqual("failed",
                         self.json("report", file, "--sync", killed)["metadata"]["status"])


class Destinations(TidemarkCase):
    """Databases, and small file systems for them."""

    def tmpfs(self, name, size):
        """A small file system, as root; without root there is none to be filled."""
        folder = self.path(name)
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return folder

    def database(self, name, folder=""):
        """A synced database and its connection file."""
        file = self.connection(name, "{connector: generator, config: {count: 5000}}",
                               destination=os.path.join(folder, f"{name}.db"))
        self.run_tidemark("run", file)
        return file, self.path(os.path.join(folder, f"{name}.db"))


class DestinationTest(Destinations):
    def test_a_damaged_file_is_named_and_left_alone(self):
        damages = {"no database at all": (0, b"this is no database"),
                   "a broken first page": (16, bytes(4000))}
        for what, (offset, junk) in damages.items():
            with self.subTest(what):
                name = what.replace(" ", "_")
                file, path = self.database(name)
                with open(path, "r+b") as database:
                    database.seek(offset)
                    database.write(junk)
                with open(path, "rb") as database:
                    before = database.read()
                _, error = self.run_tidemark("run", file, code=1)
                self.assertIn(f"{name}.db", error)
                self.assertNotIn("SQLITE_", error.split("\n")[0][:20])
                with open(path, "rb") as database:
                    self.assertEqual(before, database.read())
                _, error = self.run_tidemark("report", file, code=1)
                self.assertIn(f"{name}.db", error)

    def test_a_folder_that_is_not_there_is_named(self):
        file = self.connection("far", "{connector: hello}", destination="none/such/w.db")
        _, error = self.run_tidemark("run", file, code=1)
        self.assertIn("none/such", error)
        _, error = self.run_tidemark("report", "--db", "none.db", code=1)
        self.assertIn("none.db", error)


# Only root may mount; tests/destination makes disks full through SQLite's file layer everywhere.
if os.geteuid() == 0:
    class SmallDiskTest(Destinations):
        def test_a_full_disk_is_named_and_everything_committed_stays(self):
            # Left to the time, a slow machine's first commit may be one that does not fit.
            folder = self.tmpfs("full", "10m")
            file = self.connection(
                "big", "{connector: generator, config: {count: 200000, checkpoint_interval: 1000}}",
                "state:\n  checkpointing: {frequency: every_n_records, interval: 5000}\n",
                destination=os.path.join(folder, "big.db"))
            _, error = self.run_tidemark("run", file, code=1)
            self.assertRegex(error, "(?i)full")
            self.assertIn("big.db", error)
            rows = self.query("SELECT count(*) FROM rows", "full/big.db")[0][0]
            log = self.json("state", "log", file)
            self.assertEqual("valid", log["chain"])
            self.assertGreater(rows, 0)
            self.assertEqual(rows, sum(v["records_processed"] for v in log["versions"]))
            subprocess.run(["mount", "-o", "remount,size=100m", folder], check=True)
            self.run_tidemark("run", file)
            self.assertEqual([(200000,)], self.query("SELECT count(*) FROM rows", "full/big.db"))

        def test_a_read_only_file_is_named(self):
            folder = self.tmpfs("locked", "10m")
            file, path = self.database("kept", "locked")
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            _, error = self.run_tidemark("run", file, code=1)
            self.assertIn("kept.db", error)
            self.assertRegex(error, "read-only|write|permission")
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
            self.assertEqual([(5000,)], self.query("SELECT count(*) FROM rows", path))


if __name__ == "__main__":
    main()
