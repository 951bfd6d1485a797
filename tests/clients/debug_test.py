"""`tidemark debug`: summary, files, and where the state comes from."""

import json
import os
import shlex
import subprocess

from tidemark_case import TidemarkCase, main

SUMMARY = """\
Operation       | Calls
----------------+------------
Upserts         | 3
Updates         | 0
Deletes         | 0
Truncates       | 0
SchemaChanges   | 1
Checkpoints     | 1
Sync SUCCEEDED
"""


class DebugTest(TidemarkCase):
    def debug(self, *arguments, code=0):
        return self.run_tidemark("debug", *arguments, code=code)[0]

    def kinds(self):
        """The kinds of the stored versions, oldest first."""
        log = self.json("state", "log", "--db", "files/warehouse.db")
        self.assertEqual("valid", log["chain"])
        return [version["kind"] for version in reversed(log["versions"])]

    def test_ends_with_the_summary_authors_know_and_a_command_that_shows_the_rows(self):
        out = self.debug("hello")
        self.assertTrue(out.startswith(SUMMARY), out)
        self.assertIn("hello  3         0        0        0          0", out)
        self.assertIn("peak memory", out)
        command = shlex.split(out.splitlines()[-1])
        shown = subprocess.run(command, cwd=self.folder, env=self.environment, text=True,
                               check=True, stdout=subprocess.PIPE).stdout
        self.assertIn("Hello, world 3!", shown)
        self.assertEqual([(3,)], self.query("SELECT count(*) FROM hello", "files/warehouse.db"))

    def test_goes_on_from_its_state(self):
        self.debug("hello")
        self.write("configuration.json", '{"worlds": "5"}')
        out = self.debug("hello")
        self.assertIn("Upserts         | 2\n", out)
        self.assertEqual(["normal", "normal"], self.kinds())

    def test_a_deleted_state_means_start_over(self):
        self.debug("hello")
        os.remove(self.path("files/state.json"))
        out = self.debug("hello")
        self.assertIn("was deleted, starting from {} (a version of kind import)", out)
        self.assertIn("Upserts         | 3\n", out)
        self.assertEqual(["normal", "import", "normal"], self.kinds())

    def test_a_state_that_no_version_holds_is_imported(self):
        self.debug("hello")
        state = json.loads(self.read("files/state.json"))
        self.assertEqual("4", state["entries"][0]["body"])
        state["entries"][0]["body"] = "2"
        self.write("mine.json", json.dumps(state))
        out = self.debug("hello", "--state", "mine.json")
        self.assertIn("state: taken from mine.json (a version of kind import)", out)
        self.assertIn("Upserts         | 2\n", out)
        self.environment["FIVETRAN_STATE"] = "mine.json"
        self.assertIn("state: mine.json is older than what files/warehouse.db holds and is ignored",
                      self.debug("hello"))
        self.assertEqual(["normal", "import", "normal"], self.kinds()[:3])

    def test_configuration_and_state_may_stand_in_the_environment_itself(self):
        self.environment["FIVETRAN_CONFIGURATION"] = '{"worlds": "4"}'
        self.environment["FIVETRAN_STATE"] = json.dumps(
            {"tidemark_state": 1, "entries": [{"schema": "", "table": "", "body": "3"}]})
        out = self.debug("hello")
        self.assertIn("state: taken from FIVETRAN_STATE", out)
        self.assertIn("Upserts         | 2\n", out)

    def test_an_older_state_left_by_a_kill_is_ignored_and_rewritten(self):
        self.debug("hello")
        old = self.read("files/state.json")
        self.write("configuration.json", '{"worlds": 5}')
        self.debug("hello")
        new = self.read("files/state.json")
        self.write("files/state.json", old)
        out = self.debug("hello")
        self.assertIn("is older than what files/warehouse.db holds and is ignored", out)
        self.assertEqual(new, self.read("files/state.json"))

    def test_a_bad_state_ends_with_words_and_can_be_left(self):
        self.write("bad.json", '{"no": "number"}')
        out, _ = self.run_tidemark("debug", "hello", "--state", "bad.json", code=1)
        self.assertIn("Sync FAILED: ", out)
        self.assertIn("not the number of a world", out)
        os.remove(self.path("files/state.json"))
        self.assertIn("Sync SUCCEEDED", self.debug("hello"))
        self.write("list.json", "[1]")
        _, error = self.run_tidemark("debug", "hello", "--state", "list.json", code=2)
        self.assertIn("list.json: a state is one JSON object", error)

    def test_states_of_tables_come_back(self):
        self.write("configuration.json",
                   '{"count": 10, "tables": 2, "state_as": "tables"}')
        self.debug("generator")
        state = json.loads(self.read("files/state.json"))
        self.assertEqual({"rows_1", "rows_2"}, {e["table"] for e in state["entries"]})
        out = self.debug("generator")
        self.assertIn("Upserts         | 0\n", out)

    def test_a_connection_file_is_debugged_into_files(self):
        file = self.connection("greet", "{connector: hello}")
        self.debug(file)
        self.assertFalse(os.path.exists(self.path("warehouse.db")))
        self.assertEqual([(3,)], self.query("SELECT count(*) FROM hello", "files/warehouse.db"))

    def test_reset_is_refused_while_a_sync_works(self):
        self.write("configuration.json", '{"count": 100000, "checkpoint_interval": 100, '
                   '"pause_us": 50000}')
        process = self.start("debug", "generator")
        self.wait_for(process.stderr, "progress: ")
        _, error = self.run_tidemark("reset", "--yes", code=1)
        self.assertIn("a sync is working on files/warehouse.db", error)
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)

    def test_reset_removes_the_output_and_nothing_else(self):
        self.debug("hello")
        self.write("files/mine.txt", "")
        _, error = self.run_tidemark("reset", code=2)
        self.assertIn("nothing was removed", error)
        self.run_tidemark("reset", "--yes")
        self.assertEqual(["mine.txt"], os.listdir(self.path("files")))
        self.assertIn("Nothing to remove", self.run_tidemark("reset")[0])


if __name__ == "__main__":
    main()
