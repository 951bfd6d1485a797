"""The examples of the Python client's README, against a real server and by `tidemark debug`."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from client_case import BIN, ROOT, main
from readme_example import examples
from real_server import RealServer

PYTHON = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python")}


class ExampleTest(unittest.TestCase):
    def test_the_client(self):
        with RealServer() as server:
            ran = subprocess.run([sys.executable, "-c", examples("python", "python")[0]],
                                 cwd=server.folder, env=PYTHON, text=True, timeout=60,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(0, ran.returncode, ran.stdout + server.log())
            self.assertIn(" ended\n", ran.stdout)
            self.assertIn('"status": "completed"', ran.stdout)
            self.assertEqual([(1, 9.5)], server.orders())

    def test_the_connector(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/squares.py", "w", encoding="utf-8") as file:
                file.write(examples("python", "python")[1])
            with open(f"{folder}/configuration.json", "w", encoding="utf-8") as file:
                file.write('{"limit": 10}')
            ran = subprocess.run([f"{BIN}/tidemark", "debug", "squares.py"], cwd=folder, text=True,
                                 env={**PYTHON, "TIDEMARK_PYTHON": sys.executable}, timeout=60,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(0, ran.returncode, ran.stdout)
            with sqlite3.connect(f"{folder}/files/warehouse.db") as base:
                held = base.execute("SELECT count(*), sum(square) FROM squares").fetchall()
                self.assertEqual([(10, 285)], held)


if __name__ == "__main__":
    main()
