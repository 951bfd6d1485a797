"""Connectors in Python under `tidemark debug`: operations, state, errors, and their process."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

from client_case import BIN, ROOT, main

NO_PACKAGE = "has no package tidemark; install it"


class ConnectorCase(unittest.TestCase):
    """A connector in a folder of its own."""

    def setUp(self):
        # pylint: disable-next=consider-using-with
        scratch = tempfile.TemporaryDirectory(prefix="tidemark_")
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.environment = {**os.environ, "TIDEMARK_PYTHON": sys.executable, "TMPDIR": self.folder,
                            "PYTHONPATH": str(ROOT / "clients" / "python")}

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))

    def connector(self, body, head="", name="mine.py"):
        """A file with one connector, whose class has this body."""
        self.write(name, "import tidemark\n" + textwrap.dedent(head) +
                   "\nclass Mine(tidemark.Connector):\n" + textwrap.indent(
                       textwrap.dedent(body), "    "))

    def debug(self, target="mine.py", code=0, arguments=()):
        """`tidemark debug` and what it printed."""
        ran = subprocess.run([f"{BIN}/tidemark", "debug", target, *arguments], cwd=self.folder,
                             env=self.environment, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=100, check=False)
        self.assertEqual(code, ran.returncode, ran.stdout)
        return ran.stdout

    def query(self, sql):
        with sqlite3.connect(f"{self.folder}/files/warehouse.db") as base:
            return base.execute(sql).fetchall()

    def left(self):
        """What is left in the folder for temporary files."""
        return [name for name in os.listdir(self.folder) if name.startswith("tidemark")]


class OperationsTest(ConnectorCase):
    def test_each_operation_reaches_the_destination(self):
        for how in ("", "yield "):
            with self.subTest(how or "called"):
                self.connector(f'''
                    def schema(self):
                        columns = {{"id": "LONG", "n": "DECIMAL(9,2)"}}
                        return [tidemark.Table("t", columns, key=["id"])]

                    def update(self, state):
                        for i in range(2500):
                            {how}tidemark.upsert("t", {{"id": i, "n": None, "extra": [i]}})
                        {how}tidemark.update("t", {{"id": 1, "n": decimal.Decimal("1.50")}})
                        {how}tidemark.delete("t", {{"id": 2}})
                        {how}tidemark.upsert("other", {{"at": datetime.date(2026, 1, 2)}})
                        {how}tidemark.warning("look here")
                        {how}tidemark.log("a line")
                        {how}tidemark.checkpoint({{"seen": 2500}}, cursor="2500")
                        {how}tidemark.upsert("t", {{"id": 9999}})
                    ''', "import datetime, decimal")
                out = self.debug()
                self.assertIn("Upserts         | 2502", out)
                self.assertIn("Checkpoints     | 1", out)
                self.assertIn("look here", out)
                self.assertIn("sandbox: off: a connector in Python runs without one", out)
                self.assertEqual([(1, "1.50", "[1]")],
                                 self.query("SELECT id, n, extra FROM t WHERE id = 1"))
                with open(f"{self.folder}/files/state.json", encoding="utf-8") as file:
                    self.assertIn('"seen"', file.read())
                self.assertEqual([], self.left())

    def test_a_sync_goes_on_from_the_committed_state(self):
        self.connector('''
            def update(self, state):
                n = state.get("n", 0)
                tidemark.upsert("t", {"n": n})
                tidemark.checkpoint({"n": n + 1})
            ''')
        for _ in range(3):
            self.debug()
        self.assertEqual([(0,), (1,), (2,)], self.query("SELECT n FROM t ORDER BY n"))

    def test_a_folder_options_and_its_own_modules(self):
        self.write("project/parts.py", "NAME = 'from parts'\n")
        self.connector('''
            options = [tidemark.Option("count", "LONG", default="2"),
                       tidemark.Option("names", "JSON")]

            def update(self, state):
                for i in range(self.config["count"]):
                    tidemark.upsert("t", {"i": i, "name": parts.NAME, **self.config["names"]})
                tidemark.checkpoint({})
            ''', "import parts", name="project/connector.py")
        self.write("configuration.json", '{"names": {"a": 1}}')
        self.debug("project")
        self.assertEqual([(0, "from parts", 1), (1, "from parts", 1)],
                         self.query("SELECT i, name, a FROM t ORDER BY i"))
        self.write("configuration.json", '{"count": 1, "cuont": 3}')
        self.assertIn('has no option "cuont"', self.debug("project", code=2))

    def test_committed_tells_what_is_durable(self):
        self.connector('''
            def committed(self, state):
                with open("committed", "a") as file:
                    file.write(f"{state['n']}\\n")
                done.set()

            def update(self, state):
                tidemark.upsert("t", {"n": 1})
                tidemark.checkpoint({"n": 1})
                assert done.wait(20)
            ''', "import threading\ndone = threading.Event()")
        self.debug()
        with open(f"{self.folder}/committed", encoding="utf-8") as file:
            self.assertIn("1", file.read().split())

    def test_threads_of_the_author_may_call(self):
        self.connector('''
            def update(self, state):
                def some(first):
                    for i in range(first, first + 3000):
                        tidemark.upsert("t", {"i": i})
                workers = [threading.Thread(target=some, args=(k * 3000,)) for k in range(4)]
                for worker in workers: worker.start()
                for worker in workers: worker.join()
                tidemark.checkpoint({})
            ''', "import threading")
        self.debug()
        self.assertEqual([(12_000, 12_000)],
                         self.query("SELECT count(*), count(DISTINCT i) FROM t"))


class FailureTest(ConnectorCase):
    def test_the_conformance_kit_finds_nothing(self):
        self.connector('''
            options = [tidemark.Option("limit", "LONG", required=True)]

            def schema(self):
                return [tidemark.Table("t", {"n": "LONG"}, key=["n"])]

            def update(self, state):
                for n in range(state.get("next", 0), self.config["limit"]):
                    tidemark.upsert("t", {"n": n})
                    if n % 10 == 9:
                        tidemark.checkpoint({"next": n + 1})
                tidemark.checkpoint({"next": self.config["limit"]})
            ''')
        self.write("configuration.json", '{"limit": 20}')
        ran = subprocess.run([f"{BIN}/tidemark", "plugins", "test", "./mine.py", "--configuration",
                              "configuration.json"], cwd=self.folder, env=self.environment,
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             timeout=200, check=False)
        self.assertEqual(0, ran.returncode, ran.stdout)
        self.assertIn("a damaged state is refused with words", ran.stdout)
        self.assertIn("the stored state is not JSON", ran.stdout)

    def test_exceptions_become_words_without_a_trace(self):
        for line, words, code in (
                ("raise KeyError('id')", r"update\(\): KeyError: 'id' \(mine.py:\d+\)", 1),
                ("sys.exit(3)", r"update\(\): it called exit\(\)", 1),
                ("tidemark.upsert('t', {'v': object()})", "column 'v': a value of type object", 1),
                ("tidemark.checkpoint({'s': {1}})", "not JSON serializable", 1),
                ("raise tidemark.Error('INVALID_ARGUMENT', 'no account')", "no account", 1),
                ("raise tidemark.Error('UNAUTHENTICATED', 'a wrong key')", "a wrong key", 4)):
            with self.subTest(line):
                self.connector(f"def update(self, state):\n    {line}\n", "import sys")
                out = self.debug(code=code)
                self.assertRegex(out, words)
                self.assertNotIn("Traceback", out.split("Sync FAILED")[-1])

    def test_what_fails_before_the_sync_is_named(self):
        for text, words in (("import tidemark\nx = = 1\n", "SyntaxError|invalid syntax"),
                            ("import tidemark\n", "one class derived from tidemark.Connector"),
                            ("import missing_module\n", "missing_module"),
                            ("import tidemark\nclass A(tidemark.Connector):\n"
                             "    def schema(self):\n        raise ValueError('bad schema')\n",
                             r"schema\(\): ValueError: bad schema")):
            self.write("mine.py", text)
            ran = subprocess.run([f"{BIN}/tidemark", "debug", "mine.py"], cwd=self.folder,
                                 env=self.environment, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=60, check=False)
            self.assertNotEqual(0, ran.returncode)
            self.assertRegex(ran.stdout, words)
            self.assertEqual([], self.left())

    def test_a_missing_package_says_what_to_type(self):
        self.connector("def update(self, state):\n    pass\n")
        del self.environment["PYTHONPATH"]
        self.environment["TIDEMARK_PYTHON"] = "/usr/bin/python3"
        os.mkdir(f"{self.folder}/tidemark")  # no package: a folder that happens to be called so
        out = self.debug(code=1)
        self.assertIn(f"/usr/bin/python3 {NO_PACKAGE}", out)
        self.assertIn("/usr/bin/python3 -m pip install", out)
        self.environment["TIDEMARK_PYTHON"] = "/nowhere/python3"
        self.assertIn("TIDEMARK_PYTHON: /nowhere/python3", self.debug(code=2))

    def test_the_environment_beside_the_connector_is_taken(self):
        self.connector("def update(self, state):\n    tidemark.checkpoint({})\n")
        del self.environment["TIDEMARK_PYTHON"]
        self.write(".venv/bin/python3", f'#!/bin/sh\ntouch taken\nexec "{sys.executable}" "$@"\n')
        os.chmod(f"{self.folder}/.venv/bin/python3", 0o755)
        self.debug()
        self.assertTrue(os.path.exists(f"{self.folder}/taken"))

    def test_usage_errors(self):
        self.assertIn("mine.py: there is no such file", self.debug(code=2))
        self.connector("def update(self, state):\n    pass\n")
        self.assertIn("isolation in_process needs a plugin",
                      self.debug(code=2, arguments=("--isolation", "in_process")))

    def test_what_it_prints_is_kept_out_of_the_output(self):
        self.connector('''
            def update(self, state):
                print("to stdout")
                tidemark.checkpoint({})
            ''')
        report = subprocess.run([f"{BIN}/tidemark", "debug", "mine.py", "--json"], cwd=self.folder,
                                env=self.environment, text=True, stdout=subprocess.PIPE,
                                timeout=60, check=True).stdout
        self.assertEqual("completed", json.loads(report)["metadata"]["status"])


class EndTest(ConnectorCase):
    def begin(self):
        """A sync that runs until it is ended, its process and the connector's."""
        self.connector('''
            def update(self, state):
                i = 0
                with open("running", "w") as file:
                    file.write(str(os.getpid()))
                while True:
                    tidemark.upsert("t", {"i": (i := i + 1)})
                    if i % 100 == 0:
                        tidemark.checkpoint({"i": i})
            ''', "import os")
        os.mkfifo(f"{self.folder}/running")
        sync = subprocess.Popen(  # pylint: disable=consider-using-with
            [f"{BIN}/tidemark", "debug", "mine.py"], cwd=self.folder, env=self.environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with open(f"{self.folder}/running", encoding="utf-8") as file:
            return sync, int(file.read())

    def ended(self, pid):
        """Waits until a process that is no child of ours is gone."""
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        waiting = threading.Thread(target=lambda: __import__("select").select([handle], [], []))
        waiting.daemon = True
        waiting.start()
        waiting.join(20)
        self.assertFalse(waiting.is_alive(), f"the connector's process {pid} is left")
        os.close(handle)

    def test_an_interrupt_ends_it_and_keeps_what_is_committed(self):
        sync, connector = self.begin()
        sync.send_signal(signal.SIGINT)
        out, _ = sync.communicate(timeout=60)
        self.assertEqual(130, sync.returncode, out)
        self.ended(connector)
        self.assertEqual([], self.left())

    def test_its_death_is_told(self):
        sync, connector = self.begin()
        os.kill(connector, signal.SIGKILL)
        # It is tried once more; the second one is killed as well.
        with open(f"{self.folder}/running", encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        out, _ = sync.communicate(timeout=60)
        self.assertEqual(1, sync.returncode, out)
        self.assertIn("its process was killed by SIGKILL", out)

    def test_it_ends_with_the_one_that_started_it(self):
        sync, connector = self.begin()
        sync.kill()
        sync.communicate(timeout=60)
        self.ended(connector)


if __name__ == "__main__":
    main()
