"""`tidemark` and the sandbox of plugins: what a connection file opens, and what it says of it."""

import json
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
# noqa: E402 below: the path comes first.
from tidemark_case import BIN, SERVERS, TIMEOUT_S, TidemarkCase, main  # noqa: E402

TESTS = os.path.join(BIN, "..", "tests")
HOSTILE = os.path.join(TESTS, "plugins", "hostile.so")


class SandboxTest(TidemarkCase):
    def check(self, config, more="", code=0):
        """What `tidemark check` says of the hostile plugin with these options."""
        file = self.connection("attack", f"{{connector: {HOSTILE}, config: {{{config}}}}}", more)
        return "".join(self.run_tidemark("check", file, code=code))

    def test_a_plugin_opens_what_its_path_options_name(self):
        self.write("secret.txt", "x")
        os.mkdir(self.path("rows"))
        self.write("rows/a.csv", "id\n1\n")
        secret, rows = self.path("secret.txt"), self.path("rows")
        allowed = f"allowed: {rows}, "
        self.check(f"{allowed}attack: read, target: {rows}/a.csv")
        self.assertIn("EACCES", self.check(f"{allowed}attack: read, target: {secret}", code=4))
        self.check(f"attack: read, target: {secret}", "  sandbox_paths: [secret.txt]\n")
        self.assertIn("EACCES", self.check(f"attack: write, target: {secret}",
                                           "  sandbox_paths: [secret.txt]\n", code=4))
        self.check(f"attack: write, target: {secret}", "  sandbox_write_paths: [.]\n")

    def test_off_is_what_it_says(self):
        self.assertIn("EPERM", self.check("attack: fork", code=4))
        self.check("attack: fork", "  sandbox: off\n")
        self.assertIn("sync.sandbox", "".join(self.run_tidemark(
            "check", self.connection("odd", "{connector: hello}",
                                     "  isolation: in_process\n  sandbox: full\n"), code=2)))

    def test_secrets_of_the_environment_stay_outside(self):
        self.environment["WAREHOUSE_PASSWORD"] = "hunter2"
        self.assertIn("ENOENT", self.check("attack: environment, target: WAREHOUSE_PASSWORD",
                                           code=4))
        self.check("attack: environment, target: WAREHOUSE_PASSWORD", "  sandbox: off\n")

    def test_sqlite_and_files_work_in_it(self):
        source = sqlite3.connect(self.path("source.db"))
        source.executescript("PRAGMA journal_mode = wal; CREATE TABLE t(id INTEGER PRIMARY KEY);"
                             "INSERT INTO t VALUES (1), (2)")
        os.mkdir(self.path("rows"))
        self.write("rows/a.csv", "id\n1\n2\n3\n")
        database = self.connection("database", "{type: database, connection: source.db}")
        files = self.connection("files", "{connector: files, connection: \"rows/*.csv\"}")
        self.run_tidemark("run", database)
        source.close()  # and with it the files of the WAL
        self.run_tidemark("run", database)
        self.run_tidemark("run", files)
        self.assertEqual([(2,)], self.query("SELECT count(*) FROM t"))
        self.assertEqual([(3,)], self.query("SELECT count(*) FROM a"))

    def test_rest_resolves_names_and_reads_its_certificates(self):
        process = subprocess.Popen(
            [sys.executable, os.path.join(SERVERS, "tls.py"), "--folder", SERVERS], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = self.wait_for(process.stdout, "listening on ").strip().rsplit(":", 1)[1]
        file = self.connection(
            "secure", f"{{connector: rest, config: {{base_url: \"https://localhost:{port}\", "
            f"ca_file: {os.path.join(SERVERS, 'localhost.crt')}, endpoints: [{{path: /, "
            "table: rows, records: /data, primary_key: [id]}]}}")
        self.run_tidemark("check", file)
        self.run_tidemark("run", file)

    def test_a_kernel_that_lacks_a_part_is_named_once(self):
        file = self.connection("greet", "{connector: hello}")
        command = [os.path.join(TESTS, "old_kernel_landlock"), os.path.join(BIN, "tidemark"),
                   "run", file, "--json"]
        ended = subprocess.run(command, cwd=self.folder, env=self.environment, text=True,
                               capture_output=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(0, ended.returncode, ended.stderr)
        self.assertEqual(1, ended.stderr.count("sandbox: partial: the kernel has no landlock"))
        warnings = json.loads(ended.stdout)["warnings"]
        self.assertEqual(1, len(warnings), warnings)
        self.assertTrue(warnings[0].startswith("sandbox: partial: "), warnings)
        report = self.json("run", file)
        self.assertEqual([], report.get("warnings", []))


if __name__ == "__main__":
    main()
