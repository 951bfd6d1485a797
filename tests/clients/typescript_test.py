"""The TypeScript client: built, its tests against the scripted server, and its README's example
against a real one. The modules are those that `.ci/prepare clients` has installed."""

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

PACKAGE = ROOT / "build" / "clients" / "typescript"
MODULES = PACKAGE / "node_modules"


def run(arguments, folder, **environment):
    """Runs a program; its output where it fails."""
    ran = subprocess.run(arguments, cwd=folder, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False, timeout=400,
                         env={**os.environ, **environment})
    if ran.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}:\n{ran.stdout}")
    return ran.stdout


class TypeScriptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not MODULES.is_dir():
            raise AssertionError("no modules; make them: .ci/prepare clients")
        run([ROOT / "clients" / "typescript" / "build.sh", MODULES, PACKAGE], ROOT)

    def test_the_client_against_the_scripted_server(self):
        server, port, tls_port = scripted_server.serve("127.0.0.1:0", str(TLS_FOLDER),
                                                       "127.0.0.1:0")
        self.addCleanup(lambda: server.stop(grace=0).wait())
        out = run(["node", "--test", "client.test.mjs"], ROOT / "tests" / "clients" / "typescript",
                  TIDEMARK_TEST_ADDRESS=f"127.0.0.1:{port}",
                  TIDEMARK_TEST_TLS_ADDRESS=f"localhost:{tls_port}",
                  TIDEMARK_TEST_CA=str(TLS_FOLDER / "localhost.crt"),
                  TIDEMARK_TEST_PACKAGE=str(PACKAGE))
        self.assertRegex(out, r"# skipped 0")
        self.assertNotRegex(out, r"# tests 0")

    def test_a_server_that_is_killed_loses_and_doubles_nothing(self):
        with RealServer() as server:
            server.apply("orders")
            resume = ROOT / "tests" / "clients" / "typescript" / "resume.mjs"
            self.assertEqual(4, len(server.kill_while(
                ["node", resume], TIDEMARK_TEST_PACKAGE=str(PACKAGE))))
            self.assertEqual([(i, 0.5) for i in range(20_000)], server.orders())

    def test_the_example_against_a_server(self):
        with RealServer() as server, tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/example.ts", "w", encoding="utf-8") as file:
                file.write(examples("typescript", "ts")[0])
            os.mkdir(f"{folder}/node_modules")
            os.symlink(PACKAGE, f"{folder}/node_modules/tidemark")
            os.symlink(MODULES / "@types", f"{folder}/node_modules/@types")
            shutil.copy(ROOT / "clients" / "typescript" / "tsconfig.json", folder)
            run([MODULES / ".bin" / "tsc", "--strict", "--target", "ES2022", "--module", "node16",
                 "--moduleResolution", "node16", "--types", "node", "--skipLibCheck",
                 "example.ts"], folder)
            server.apply("numbers")
            out = run(["node", f"{folder}/example.js"], server.folder)
            self.assertIn('"status": "completed"', out + server.log())
            self.assertEqual([(1, 9.5)], server.orders())


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 3 else 1)
