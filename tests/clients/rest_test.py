"""`tidemark` with rest against an API that misbehaves: retries, credentials, secrets."""

import os

from tidemark_case import TidemarkCase, main

TOKEN = "t0p-s3cret-t0ken"       # of tests/plugins/servers/misbehaving.py
CANARY = "c4nary-0f-a-s3cret"


class RestTest(TidemarkCase):
    def setUp(self):
        super().setUp()
        self.url = self.server("misbehaving.py")

    def rest(self, name, path, more=""):
        return self.connection(
            name, f"{{connector: rest, config: {{base_url: \"{self.url}\", retry_delay: 1 ms, "
            f"endpoints: [{{path: \"{path}\", table: rows, records: /data, "
            f"primary_key: [id]}}]{more}}}}}")

    def everything(self, output):
        """All that a run left: output, log, and every file of the folder but the configuration."""
        texts = list(output)
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if not name.endswith((".yaml", ".env")):
                    with open(os.path.join(folder, name), "rb") as file:
                        texts.append(file.read().decode("latin-1"))
        return "\n".join(texts)

    def test_five_errors_of_the_server_are_outlived(self):
        report = self.json("run", self.rest("flaky", "/flaky/500/5"))
        self.assertEqual("completed", report["metadata"]["status"])
        self.assertEqual(5, report["statistics"]["records_inserted"])
        self.assertEqual(1, report["statistics"]["retries"])
        # The engine's attempt counts as a retry; rest's own are one counted warning per attempt.
        self.assertEqual(2, len([w for w in report["warnings"] if "repeated (HTTP 500" in w]),
                         report["warnings"])

    def test_a_wrong_token_ends_with_4_in_one_sentence_without_the_token(self):
        self.environment["API_TOKEN"] = CANARY
        file = self.rest("locked", "/key",
                         ", auth: {type: api_key, in: header, name: X-Key, key: \"${API_TOKEN}\"}")
        out, error = self.run_tidemark("run", file, "--log-level", "debug", code=4)
        said = [line for line in error.splitlines() if line.startswith("tidemark: ")]
        self.assertEqual(1, len(said), error)
        self.assertIn("401", said[0])
        check = self.run_tidemark("check", file, code=4)
        report = self.run_tidemark("report", file)
        self.assertNotIn(CANARY, self.everything([out, error, *check, *report]))

    def test_the_right_token_from_dotenv_works(self):
        self.write(".env", f"API_TOKEN={TOKEN}\n")
        file = self.rest("open", "/key",
                         ", auth: {type: api_key, in: header, name: X-Key, key: \"${API_TOKEN}\"}")
        outputs = [*self.run_tidemark("run", file, "--log-level", "debug"),
                   *self.run_tidemark("report", file), *self.run_tidemark("plan", file),
                   *self.run_tidemark("check", file, "--json")]
        self.assertEqual([(5,)], self.query("SELECT count(*) FROM rows"))
        self.assertNotIn(TOKEN, self.everything(outputs))

    def test_an_api_that_repeats_the_credentials_does_not_leak_them(self):
        self.environment["API_TOKEN"] = CANARY
        for path in ("/tells", "/tells_row"):
            with self.subTest(path):
                file = self.rest("tells" + path[-3:], path,
                                 ", auth: {type: bearer, token: \"${API_TOKEN}\"}")
                process = self.start("run", file, "--log-level", "debug")
                output = process.communicate(timeout=60)
                self.assertNotEqual(0, process.returncode, output)
                letters = self.run_tidemark("dead-letters", "list", file, "--json")
                self.assertNotIn(CANARY, self.everything([*output, *letters]))

    def test_a_password_in_the_url_is_never_shown(self):
        file = self.connection("url", "{connector: replay, config: {base_url: "
                               f"\"http://user:{CANARY}@127.0.0.1:1/x\"}}}}")
        output = self.run_tidemark("debug", file, "--log-level", "debug", code=1)
        self.assertIn("holds a user or a password", "".join(output))
        self.assertNotIn(CANARY, self.everything(output))

    def test_dead_letters_are_listed_shown_and_discarded(self):
        file = self.rest("letters", "/tells_row")
        self.run_tidemark("run", file, code=3)
        letters = self.json("dead-letters", "list", file)
        self.assertEqual(1, len(letters))
        number = str(letters[0]["id"])
        shown = self.json("dead-letters", "show", number, file)
        self.assertEqual(letters[0], shown)
        self.assertNotEqual("", shown["reason"])
        self.run_tidemark("dead-letters", "discard", number, file)
        self.assertEqual("discarded", self.json("dead-letters", "show", number, file)["status"])
        self.run_tidemark("dead-letters", "show", "999", file, code=1)


if __name__ == "__main__":
    main()
