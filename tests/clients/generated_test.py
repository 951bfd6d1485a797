"""What is committed of the protos' code is what the protos make now."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from client_paths import ROOT
from go_test import BUILD, GO

CLIENTS = ROOT / "clients"
MEND = "it is not what proto/ makes now; run clients/generate.sh"


class GeneratedTest(unittest.TestCase):
    def compare(self, committed, made, suffixes):
        """Every file of both folders, less the lines that name a version of protoc."""
        def read(folder):
            return {path.name: "\n".join(line for line in path.read_text().splitlines()
                                         if "protoc" not in line)
                    for path in pathlib.Path(folder).iterdir() if path.name.endswith(suffixes)}
        expected, held = read(made), read(committed)
        self.assertEqual(sorted(expected), sorted(held), f"{committed}: {MEND}")
        self.assertTrue(expected)
        for name, text in expected.items():
            self.assertTrue(text == held[name], f"{committed}/{name}: {MEND}")

    def test_python(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, CLIENTS / "python" / "generate.py", folder], check=True)
            package = CLIENTS / "python" / "tidemark"
            self.compare(package / "_wire", f"{folder}/_wire", ("_pb2.py", "_pb2.pyi"))
            self.compare(package, folder, ("client.py",))

    def test_go(self):
        self.assertIsNotNone(GO, "no Go; install it: .ci/prepare clients")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([CLIENTS / "go" / "generate.sh", folder], check=True, env={
                **os.environ, "GOMODCACHE": str(BUILD / "mod"), "GOCACHE": str(BUILD / "cache"),
                "GOPROXY": "off", "GOTOOLCHAIN": "local",
                "PATH": f"{os.path.dirname(GO)}:{os.environ['PATH']}"})
            self.compare(CLIENTS / "go" / "internal" / "wire", f"{folder}/internal/wire", (".go",))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 2 else 1)
