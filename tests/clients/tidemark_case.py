"""What the tests of `tidemark` share: a folder per test, runs of the built program, servers."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "plugins", "servers")
BIN = os.environ.get("TIDEMARK_BIN", "")
TIMEOUT_S = 60


class TidemarkCase(unittest.TestCase):
    """Each test works in a fresh folder of its own."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidemark-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("FIVETRAN_", "TIDEMARK_"))}
        self.environment["PATH"] = BIN + os.pathsep + self.environment["PATH"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def connection(self, name, source, more="", destination="warehouse.db"):
        """Writes NAME.yaml; `source` is flow YAML."""
        return self.write(f"{name}.yaml", f"name: {name}\nsync:\n  source: {source}\n"
                          f"  destination: {{connection: \"{destination}\"}}\n{more}")

    def start(self, *arguments):
        process = subprocess.Popen(["tidemark", *arguments], cwd=self.folder, text=True,
                                   env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_tidemark(self, *arguments, code=0):
        """Runs to the end; returns (stdout, stderr) after checking the exit code."""
        process = self.start(*arguments)
        out, error = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(code, process.returncode, f"{arguments}:\n{out}\n{error}")
        return out, error

    def json(self, *arguments, code=0):
        return json.loads(self.run_tidemark(*arguments, "--json", code=code)[0])

    def query(self, sql, database="warehouse.db"):
        connection = sqlite3.connect(self.path(database))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def wait_for(self, stream, text):
        """Reads lines until one contains `text`; returns it."""
        for line in stream:
            if text in line:
                return line
        self.fail(f"the program ended without saying {text!r}")

    def server(self, script):
        """A script of tests/plugins/servers; returns its URL."""
        process = subprocess.Popen([sys.executable, os.path.join(SERVERS, script)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGKILL)
        line = self.wait_for(process.stdout, "listening on ")
        return "http://" + line.split("listening on ")[1].strip()


def main():
    if not os.path.exists(os.path.join(BIN, "tidemark")):
        sys.exit(f"no tidemark in TIDEMARK_BIN={BIN!r}")
    unittest.main(argv=[sys.argv[0], "-v"])
