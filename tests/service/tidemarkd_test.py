"""The server as a program: how it starts, what its signals do, how it ends."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
import time
import unittest

BIN = os.environ.get("TIDEMARK_BIN", "")
TIMEOUT_S = 60
FILE = ("name: {name}\nsync:\n  source: {{connector: generator, config: {{count: {count}, "
        "checkpoint_interval: 10, pause_us: {pause}}}}}\n"
        "  destination: {{connection: \"{folder}/{name}.db\"}}\n  frequency: {frequency}\n")


class TidemarkdTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidemarkd-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(self.path("connections"))
        self.configure()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def configure(self, more="", data="data"):
        with open(self.path("tidemarkd.yaml"), "w", encoding="utf-8") as file:
            file.write(f"data: {data}\nconnections: connections\nhttp: {{address: \"off\"}}\n"
                       f"listen: [{{address: \"unix:{self.folder}/s.sock\"}}]\n{more}")

    def connection(self, name, count=10, pause=0, frequency="manual"):
        with open(self.path("connections", name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(FILE.format(name=name, count=count, pause=pause, frequency=frequency,
                                   folder=self.folder))

    def start(self, *arguments, environment=None):
        process = subprocess.Popen(
            [os.path.join(BIN, "tidemarkd"), *(arguments or ("--config", "tidemarkd.yaml"))],
            cwd=self.folder, env={**os.environ, **(environment or {})}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(self._end, process)
        self.output = ""
        os.set_blocking(process.stdout.fileno(), False)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()

    def read(self, process):
        try:
            self.output += os.read(process.stdout.fileno(), 1 << 20).decode()
        except BlockingIOError:
            pass
        return self.output

    def wait_for(self, met, what):
        deadline = time.monotonic() + TIMEOUT_S
        while not met():
            self.assertLess(time.monotonic(), deadline, f"{what}\n{self.output}")
            time.sleep(0.02)

    def wait_says(self, process, words):
        self.wait_for(lambda: words in self.read(process), words)

    def end(self, process):
        code = process.wait(TIMEOUT_S)
        self.read(process)
        return code

    def rows(self, name):
        try:
            db = sqlite3.connect(f"file:{self.path(name)}.db?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return 0
        try:
            return db.execute("SELECT count(*) FROM rows").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
        finally:
            db.close()

    def test_syncs_by_schedule_and_stops_cleanly(self):
        self.connection("shop", 100, frequency="every 1 second")
        process = self.start()
        self.wait_says(process, "serves 1 connections on unix:")
        self.wait_for(lambda: self.rows("shop") == 100, "rows")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process), 0, self.output)
        self.assertIn("the server has stopped", self.output)
        self.assertFalse(os.path.exists(self.path("s.sock")))

    def test_stops_in_order_and_goes_on_at_the_next_start(self):
        self.connection("slow", 2000, pause=20_000, frequency="every 1 second")
        process = self.start()
        self.wait_for(lambda: self.rows("slow") > 50, "rows")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process), 0, self.output)
        rows = self.rows("slow")
        self.assertEqual(rows % 10, 0)
        self.assertLess(rows, 2000)
        process = self.start()
        self.wait_for(lambda: self.rows("slow") > rows, "more rows")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process), 0, self.output)

    def test_a_second_signal_cuts_what_does_not_end(self):
        # No checkpoint comes: a commit group that does not finish by itself.
        self.configure("stop_timeout: 10 minutes\n")
        self.connection("slow", 100_000, pause=1, frequency="every 1 second")
        process = self.start()
        self.wait_for(lambda: self.rows("slow") > 0, "rows")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process), 0, self.output)

    def test_hangup_reads_the_folder_again(self):
        process = self.start()
        self.wait_says(process, "serves 0 connections")
        self.connection("late", frequency="every 1 second")
        process.send_signal(signal.SIGHUP)
        self.wait_says(process, "connections read again, 1 changed: late")
        self.wait_for(lambda: self.rows("late") == 10, "rows")

    def test_a_broken_file_takes_nobody_down(self):
        self.connection("good", frequency="every 1 second")
        with open(self.path("connections", "bad.yaml"), "w", encoding="utf-8") as file:
            file.write("name: bad\nsync: [")
        self.start()
        self.wait_for(lambda: self.rows("good") == 10, "rows")

    def test_a_second_server_is_refused_the_folder(self):
        first = self.start()
        self.wait_says(first, "serves")
        second = self.start()
        self.assertEqual(self.end(second), 1)
        self.assertIn(str(first.pid), self.output)

    def test_two_servers_on_one_folder_of_connections_take_turns(self):
        self.connection("shop", 300, pause=20_000, frequency="every 1 second")
        first = self.start()
        self.wait_for(lambda: self.rows("shop") > 0, "rows")
        self.configure("", data="second")
        with open(self.path("tidemarkd.yaml"), encoding="utf-8") as file:
            text = file.read().replace("s.sock", "t.sock")
        with open(self.path("tidemarkd.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        second = self.start()
        self.wait_says(second, "is being worked on by tidemark on")
        first.kill()
        first.wait()
        self.wait_for(lambda: self.rows("shop") == 300, "the second goes on")
        second.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(second), 0, self.output)

    def test_flags_and_configuration_are_checked(self):
        for arguments, code, words in (
                (("--version",), 0, "tidemark"),
                (("--help",), 0, "--check-config"),
                (("--config", "tidemarkd.yaml", "--check-config"), 0, "ok"),
                (("--sideways",), 2, "sideways"),
                (("--config", "none.yaml"), 2, "none.yaml")):
            with self.subTest(arguments=arguments):
                process = self.start(*arguments)
                self.assertEqual(self.end(process), code, self.output)
                self.assertIn(words, self.output)
        self.configure("limits: {sinks: 3}\nlogg: 1\n")
        process = self.start("--config", "tidemarkd.yaml", "--check-config")
        self.assertEqual(self.end(process), 2)
        self.assertIn("sinks", self.output)
        self.assertIn("logg", self.output)

    def test_a_log_file_is_private_and_rotates(self):
        self.configure("log: {file: server.log, format: json, max_bytes: 2 KiB, files: 2}\n")
        self.connection("shop", frequency="every 1 second")
        process = self.start()
        self.wait_for(lambda: os.path.exists(self.path("server.1.log")), "a rotated log")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process), 0)
        for name in ("server.log", "server.1.log"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600)
        self.assertLessEqual(os.path.getsize(self.path("server.1.log")), 2048)

    def test_systemd_is_told(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(self.path("notify"))
            notices.settimeout(TIMEOUT_S)
            process = self.start(environment={"NOTIFY_SOCKET": self.path("notify")})
            self.assertIn(b"READY=1", notices.recv(4096))
            process.send_signal(signal.SIGHUP)
            self.assertIn(b"RELOADING=1", notices.recv(4096))
            self.assertIn(b"READY=1", notices.recv(4096))
            process.send_signal(signal.SIGTERM)
            self.assertIn(b"STOPPING=1", notices.recv(4096))
            self.assertEqual(self.end(process), 0)


if __name__ == "__main__":
    unittest.main()
