"""The Go client: its tests against the scripted server, and its README's example against a real
one. The modules are those that `.ci/prepare clients` has downloaded; nothing is fetched."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from client_paths import ROOT, TLS_FOLDER
import scripted_server
from readme_example import examples
from real_server import RealServer

BUILD = ROOT / "build" / "clients" / "go"
GO = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")


def go(arguments, folder, **environment):
    """Runs the toolchain; its output where it fails."""
    if GO is None or not (BUILD / "mod").is_dir():
        raise AssertionError("no Go, or no modules; make them: .ci/prepare clients")
    ran = subprocess.run([GO, *arguments], cwd=folder, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False, env={
                             **os.environ, "GOMODCACHE": str(BUILD / "mod"),
                             "GOCACHE": str(BUILD / "cache"), "GOPROXY": "off", "GOSUMDB": "off",
                             "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", **environment})
    if ran.returncode != 0:
        raise AssertionError(f"go {' '.join(arguments)}:\n{ran.stdout}")
    return ran.stdout


class GoTest(unittest.TestCase):
    def test_the_client_against_the_scripted_server(self):
        server, port, tls_port = scripted_server.serve("127.0.0.1:0", str(TLS_FOLDER),
                                                       "127.0.0.1:0")
        self.addCleanup(lambda: server.stop(grace=0).wait())
        out = go(["test", "-count=1", "-mod=readonly", "-v", "./..."],
                 ROOT / "tests" / "clients" / "go",
                 TIDEMARK_TEST_ADDRESS=f"127.0.0.1:{port}",
                 TIDEMARK_TEST_TLS_ADDRESS=f"localhost:{tls_port}",
                 TIDEMARK_TEST_CA=str(TLS_FOLDER / "localhost.crt"))
        self.assertNotIn("--- SKIP", out)

    def test_the_code_is_formatted_and_vetted(self):
        client = ROOT / "clients" / "go"
        formatter = shutil.which("gofmt", path=os.path.dirname(GO))
        listed = subprocess.run([formatter, "-l", client, ROOT / "tests" / "clients" / "go"],
                                text=True, stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual("", listed)
        go(["vet", "-mod=readonly", "."], client)

    def test_a_server_that_is_killed_loses_and_doubles_nothing(self):
        with RealServer() as server, tempfile.TemporaryDirectory() as folder:
            go(["build", "-mod=readonly", "-o", f"{folder}/resume", "./resume"],
               ROOT / "tests" / "clients" / "go")
            server.apply("orders")
            self.assertEqual(4, len(server.kill_while([f"{folder}/resume"])))
            self.assertEqual([(i, 0.5) for i in range(20_000)], server.orders())

    def test_the_example_against_a_server(self):
        with RealServer() as server, tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/main.go", "w", encoding="utf-8") as file:
                file.write(examples("go", "go")[0])
            shutil.copy(ROOT / "tests" / "clients" / "go" / "go.sum", folder)
            with open(ROOT / "tests" / "clients" / "go" / "go.mod", encoding="utf-8") as file:
                module = file.read().replace("../../../clients/go", str(ROOT / "clients" / "go"))
            with open(f"{folder}/go.mod", "w", encoding="utf-8") as file:
                file.write(module)
            go(["build", "-o", "example", "."], folder)
            server.apply("numbers")
            ran = subprocess.run([f"{folder}/example"], cwd=server.folder, text=True, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            self.assertEqual(0, ran.returncode, ran.stdout + server.log())
            self.assertEqual([(1, 9.5)], server.orders())


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 4 else 1)
