"""Commands, exit codes and outputs of `tidemark` with the real connectors."""

import json
import os
import shutil
import signal
import sqlite3
import time

from tidemark_case import BIN, TIMEOUT_S, TidemarkCase, main

HELLO = "{connector: hello, config: {worlds: 5}}"


class RunTest(TidemarkCase):
    def test_a_sync_is_run_reported_and_logged(self):
        file = self.connection("greet", HELLO)
        out, _ = self.run_tidemark("run", file)
        self.assertIn("5 processed, 5 inserted", out)
        report = self.json("run", file)
        self.assertEqual("completed", report["metadata"]["status"])
        self.assertEqual("incremental", report["metadata"]["sync_type"])
        self.assertEqual(0, report["statistics"]["records_processed"])
        full = self.json("run", file, "--full")
        self.assertEqual(5, full["statistics"]["records_unchanged"])
        stored = self.json("report", file)
        self.assertEqual(full, stored)
        self.assertEqual(3, len(self.json("report", "--db", "warehouse.db", "--list")))
        log = self.json("state", "log", file)
        self.assertEqual("valid", log["chain"])
        self.assertEqual("greet", log["connection"])
        self.assertIn("chain: valid", self.run_tidemark("state", "log", "--db", "warehouse.db")[0])
        self.assertEqual([(5,)], self.query("SELECT count(*) FROM hello"))

    def test_a_connection_that_programs_push_into_is_no_run(self):
        file = self.connection("pushed", "{connector: ingest}")
        for command in ("run", "plan", "tables", "preview"):
            _, error = self.run_tidemark(command, file, code=2)
            self.assertIn("programs push into this connection through a server", error)
            self.assertEqual(1, len(error.strip().splitlines()), error)
        out, _ = self.run_tidemark("check", file)
        self.assertIn("programs push into it, through a server", out)
        wrong = self.connection("wrong", "{connector: ingest, config: {port: 1}}")
        _, error = self.run_tidemark("check", wrong, code=2)
        self.assertIn("port", error)

    def test_quiet_json_and_log_formats(self):
        file = self.connection("greet", HELLO)
        _, error = self.run_tidemark("run", file, "--quiet")
        self.assertEqual("", error)
        _, error = self.run_tidemark("run", file, "--full", "--log-format", "json")
        lines = [json.loads(line) for line in error.splitlines()]
        full = [line for line in lines if line["message"] == "Performing full sync"]
        self.assertEqual([("greet", "hello", "info")],
                         [(f["connection"], f["table"], f["level"]) for f in full])
        self.assertTrue(full[0]["sync"].startswith("sync_"))
        out, _ = self.run_tidemark("run", file)
        self.assertNotIn("\033", out, "no colours when piped")

    def test_one_table_of_several(self):
        file = self.connection("gen", "{connector: generator, config: {count: 10, tables: 3, "
                               "state_as: tables}}")
        report = self.json("run", file, "--table", "rows_2")
        self.assertEqual(["rows_2"], [t["table"] for t in report["tables"]
                                      if t["records_processed"] > 0])
        file = self.connection("few", "{connector: generator, config: {count: 10, tables: 3, "
                               "state_as: tables}, "
                               "tables: [\"*_1\", {\"*_3\": {columns: {exclude: [amount]}}}]}",
                               destination="few.db")
        self.run_tidemark("run", file, "--table", "rows_3")
        columns = [c[1] for c in self.query("PRAGMA table_info(rows_3)", "few.db")]
        self.assertNotIn("amount", columns, "the glob's settings hold")
        _, error = self.run_tidemark("run", file, "--table", "rows_2", code=2)
        self.assertIn("table rows_2 is not one of sync.source.tables", error)

    def test_one_table_is_refused_where_the_tables_share_a_state(self):
        file = self.connection("gen", "{connector: generator, config: {count: 10, tables: 3}}")
        for stored in (False, True):
            _, error = self.run_tidemark("run", file, "--table", "rows_2", code=1)
            self.assertIn("--table cannot be used with generator: it keeps one state", error)
            self.assertIn("rows_1 and 1 more, which this run leaves out", error)
            tables = {name for name, in self.query("SELECT name FROM sqlite_schema")}
            self.assertEqual(stored, "rows_2" in tables)
            self.run_tidemark("run", file)
        states = "SELECT max(version) FROM _tidemark_state_history"
        before = self.query(states)
        self.run_tidemark("run", file, "--full", "--table", "rows_2", code=1)
        self.assertEqual(before, self.query(states))
        arguments = [word for name in ("rows_1", "rows_2", "rows_3") for word in ("--table", name)]
        self.run_tidemark("run", file, *arguments)

    def test_in_process_gives_the_same_rows(self):
        file = self.connection("greet", HELLO, "  isolation: in_process\n")
        self.run_tidemark("run", file)
        self.assertEqual([(5,)], self.query("SELECT count(*) FROM hello"))

    def test_follow_goes_on_until_it_is_interrupted(self):
        file = self.connection("live",
                               "{connector: generator, config: {count: 1000000, rate: 200}}")
        process = self.start("run", file, "--follow")
        deadline = time.monotonic() + TIMEOUT_S
        rows = 0
        while rows < 500 and time.monotonic() < deadline:  # longer than until a progress line
            time.sleep(0.05)
            if os.path.exists(self.path("warehouse.db")):
                try:
                    rows = self.query("SELECT count(*) FROM rows")[0][0]
                except sqlite3.OperationalError:
                    pass  # no table yet
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(130, process.returncode, error)
        self.assertIn("Interrupted", output)
        self.assertIn(", lag ", error)
        self.assertGreaterEqual(self.query("SELECT count(*) FROM rows")[0][0], 500)

    def test_what_is_not_built_is_refused_by_name(self):
        file = self.connection("greet", HELLO)
        for arguments in (("--dry-run",), ("--source", "postgresql://h/d")):
            _, error = self.run_tidemark("run", file, *arguments, code=2)
            self.assertIn(f"run {arguments[0]}", error)
            self.assertIn("is not built yet", error)


class LookTest(TidemarkCase):
    def test_check_plan_tables_and_preview_write_nothing(self):
        file = self.connection("greet", HELLO)
        self.assertIn("source         ok", self.run_tidemark("check", file)[0])
        plan = self.json("plan", file)
        self.assertEqual("hello", plan["tables"][0]["destination_table"])
        self.assertEqual(["create table (world LONG, greeting STRING)"],
                         plan["tables"][0]["changes"])
        self.assertEqual(["world"], self.json("tables", file)[0]["primary_key"])
        preview = self.json("preview", file, "--rows", "2")
        self.assertEqual([{"world": "1", "greeting": "Hello, world 1!"},
                          {"world": "2", "greeting": "Hello, world 2!"}], preview[0]["rows"])
        self.assertEqual(["greet.yaml"], os.listdir(self.folder))

    def test_preview_of_a_large_source_ends_early(self):
        file = self.connection("gen", "{connector: generator, config: {count: 100000000}}")
        self.assertEqual(5, len(self.json("preview", file)[0]["rows"]))

    def test_plugins_are_listed_shown_and_tested(self):
        ids = [plugin["id"] for plugin in self.json("plugins", "list")]
        self.assertTrue({"generator", "hello", "replay", "rest"} <= set(ids), ids)
        shown = self.json("plugins", "show", "replay")
        self.assertEqual(["base_url", "buffer_hours"], [o["name"] for o in shown["options"]])
        self.assertEqual([], shown["extensions"])
        self.assertEqual(["tidemark.read/1"],
                         self.json("plugins", "show", "generator")["extensions"])
        results = self.json("plugins", "test", "hello")
        self.assertEqual([], [r for r in results if not r["passed"]])
        self.assertEqual(8, len(results))
        self.write("c.json", '{"count": 50, "checkpoint_interval": 7, "delete_share": 0.2}')
        results = self.json("plugins", "test", "generator", "--configuration", "c.json")
        self.assertEqual([], [r for r in results if not r["passed"]])

    def test_plugins_are_found_in_folders_of_the_user(self):
        plugins = os.path.join(BIN, "..", "plugins")
        for name in ("mine", "own"):
            os.mkdir(self.path(name))
            shutil.copy(os.path.join(plugins, "hello.so"), self.path(f"{name}/{name}.so"))
        self.run_tidemark("debug", "mine", "--plugin-path", self.path("mine"))
        self.environment["TIDEMARK_PLUGIN_PATH"] = f"/none:{self.path('own')}"
        _, error = self.run_tidemark("debug", "own", code=2)
        self.assertIn("holds the output of mine, not of own; `tidemark reset`", error)
        self.run_tidemark("reset", "--yes")
        self.run_tidemark("debug", "own")
        self.run_tidemark("debug", "own/own.so")
        _, error = self.run_tidemark("debug", "mine", code=2)
        self.assertIn(self.path("own"), error, "says where it searched")
        self.write("own/broken.so", "no library")
        listed = self.json("plugins", "list")
        self.assertIn("error", [p for p in listed if p["path"].endswith("broken.so")][0])

    def test_explain_and_schema(self):
        self.assertIn("default: 1000", self.run_tidemark("explain", "batch_size")[0])
        _, error = self.run_tidemark("explain", "bach_size", code=2)
        self.assertIn('did you mean "batch_size"?', error)
        self.assertIn("default: 1000", self.json("explain", "batch_size")["text"])
        schema = json.loads(self.run_tidemark("schema")[0])
        self.assertIn("cdc", schema["properties"])

    def test_init_writes_what_check_accepts(self):
        self.run_tidemark("init", "connection", "orders")
        self.assertIn("name: orders", self.read("orders/connection.yaml"))
        self.run_tidemark("init", "connector", "my-source")
        self.assertIn("class MySourceConnector", self.read("my-source/connector.cc"))
        self.assertIn('.id = "my_source"', self.read("my-source/connector.cc"))
        self.assertLessEqual(len(self.read("my-source/README.md").splitlines()), 12)
        _, error = self.run_tidemark("init", "connector", "my-source", code=2)
        self.assertIn("not empty", error)


class UsageTest(TidemarkCase):
    def test_mistakes_end_with_2_and_say_what_to_do(self):
        cases = [
            (["rnu"], 'did you mean "run"?'),
            (["run"], "tidemark init connection"),
            (["run", "nothing.yaml"], "nothing.yaml: No such file"),
            (["run", "--nonsense"], "--nonsense"),
            (["debug"], "TARGET"),
            (["debug", "helo"], 'no plugin "helo"; did you mean "hello"?'),
            (["debug", "./none.so"], "./none.so: there is no such file"),
            (["debug", "hello", "--configuration", "none.json"], "none.json"),
            (["debug", "hello", "--naming", "fivetran"], "--naming"),
            (["state", "log"], "--db PATH"),
            (["reset", "greet.yaml"], "does not touch the destination"),
        ]
        for arguments, text in cases:
            with self.subTest(arguments):
                _, error = self.run_tidemark(*arguments, code=2)
                self.assertIn(text, error)

    def test_with_json_an_error_is_one_document_too(self):
        error = self.json("run", "nothing.yaml", code=2)["error"]
        self.assertIn("nothing.yaml: No such file", error["message"])
        self.assertTrue(error["code"])
        file = self.connection("broken", "{connector: hello, config: {worlds: 2}}",
                               destination="no/where.db")
        self.assertIn("does not exist", self.json("run", file, code=1)["error"]["message"])
        self.run_tidemark("debug", "hello")
        self.assertIn("files/warehouse.db", self.json("reset", "--yes")["removed"])

    def test_unknown_options_of_a_connector_name_line_and_nearest(self):
        file = self.connection("greet", "{connector: hello, config: {world: 5}}")
        _, error = self.run_tidemark("run", file, code=2)
        self.assertIn('greet.yaml:3:39: connector hello has no option "world"; did you mean '
                      '"worlds"?', error)

    def test_an_unset_variable_is_named_with_its_line(self):
        file = self.connection("greet", "{connector: hello, connection: \"${NO_SUCH_ONE}\"}")
        _, error = self.run_tidemark("run", file, code=2)
        self.assertIn("line 3: the variable NO_SUCH_ONE is not set", error)
        self.write(".env", "NO_SUCH_ONE=x\n")
        _, error = self.run_tidemark("run", file, code=2)
        self.assertIn("connector hello does not take a connection", error)

    def test_a_folder_that_is_no_connector_is_refused(self):
        os.mkdir(self.path("project"))
        _, error = self.run_tidemark("debug", "./project", code=2)
        self.assertIn("this folder is no connector", error)
        _, error = self.run_tidemark("debug", "missing.py", code=2)
        self.assertIn("missing.py: there is no such file", error)

    def test_help_and_version_end_with_0(self):
        self.assertIn("dead-letters", self.run_tidemark("--help")[0])
        self.assertIn("tidemark 0.", self.run_tidemark("version")[0])


if __name__ == "__main__":
    main()
