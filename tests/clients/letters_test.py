"""`tidemark dead-letters edit` and `replay`: through the same pipeline as any sync."""

import json

from tidemark_case import TidemarkCase, main


class LettersTest(TidemarkCase):
    def generator(self, rule="columns: {type: {name: LONG}}"):
        """Five rows whose names are declared integers: five dead letters."""
        return self.connection("rows", "{connector: generator, config: {count: 5, seed: 7}, "
                               "tables: {rows: {%s}}}" % rule)

    def letters(self, file):
        return {letter["id"]: letter for letter in self.json("dead-letters", "list", file)}

    def change(self, letter, **values):
        change = letter["change"]
        change["values"].update(values)
        return json.dumps(change)

    def setUp(self):
        super().setUp()
        self.file = self.generator()
        self.run_tidemark("run", self.file, code=3)
        self.first = self.letters(self.file)
        self.assertEqual(5, len(self.first))

    def test_an_edited_letter_arrives(self):
        number = min(self.first)
        letter = self.first[number]
        self.run_tidemark("dead-letters", "edit", str(number), self.file, "--change",
                          self.change(letter, name=7))
        result = self.json("dead-letters", "replay", str(number), self.file)
        self.assertEqual(([number], [], []),
                         (result["replayed"], result["failed"], result["refused"]))
        self.assertEqual(1, result["report"]["statistics"]["records_inserted"])
        row = self.query("SELECT id, name, price, active, code, updated_at, payload FROM rows")
        self.assertEqual(1, len(row))
        values = letter["change"]["values"]
        self.assertEqual((values["id"], 7, values["price"], int(values["active"]), values["code"]),
                         row[0][:5])
        self.assertEqual(values["payload"], json.loads(row[0][6]))
        self.assertEqual("replayed", self.letters(self.file)[number]["status"])
        # As any sync: a record, and a version of the state with its counts.
        log = self.json("state", "log", self.file)
        self.assertEqual("valid", log["chain"])
        self.assertEqual((2, 1, "5"), tuple(log["versions"][0][k] for k in
                                            ("version", "records_inserted", "cursor")))
        self.assertIn(log["versions"][0]["sync"], json.dumps(self.json("report", self.file)))
        # Once more changes nothing.
        again = self.json("dead-letters", "replay", str(number), self.file)
        self.assertEqual(1, again["report"]["statistics"]["records_unchanged"])

    def test_a_letter_that_fails_again_counts_an_attempt(self):
        result = self.json("dead-letters", "replay", self.file, code=3)
        self.assertEqual(sorted(self.first), result["failed"])
        again = self.letters(self.file)
        self.assertEqual(set(self.first), set(again))
        self.assertEqual({("new", 2)}, {(a["status"], a["attempts"]) for a in again.values()})
        self.assertEqual([], self.query("SELECT * FROM rows"))

    def test_letters_arrive_once_the_reason_is_gone(self):
        self.generator("stale_guard: auto")
        result = self.json("dead-letters", "replay", self.file)
        self.assertEqual(sorted(self.first), result["replayed"])
        rows = self.query("SELECT id, name FROM rows ORDER BY id")
        self.assertEqual([(letter["change"]["values"]["id"], letter["change"]["values"]["name"])
                          for _, letter in sorted(self.first.items())], rows)
        _, error = self.run_tidemark("dead-letters", "replay", self.file, code=1)
        self.assertIn("no dead letter that waits", error)
        # What the source sends afterwards is what stands there already.
        self.connection("rows", "{connector: generator, config: {count: 5, seed: 7, pass: 1}}")
        statistics = self.json("run", self.file)["statistics"]
        self.assertEqual((5, 0), (statistics["records_unchanged"], statistics["records_updated"]))

    def test_what_is_no_change_is_refused_in_words(self):
        number = str(min(self.first))
        for change, what in (("[1]", "one JSON object"),
                             ('{"op": "upsert"}', '"op" and "values"'),
                             ('{"op": "drop", "values": {}}', "expected upsert"),
                             ('{"op": "upsert", "values": {}, "more": 1}', '"more" is no part'),
                             ('{"op": "upsert", "values": [1]}', "must be an object")):
            _, error = self.run_tidemark("dead-letters", "edit", number, self.file, "--change",
                                         change, code=2)
            self.assertIn(what, error)
        self.run_tidemark("dead-letters", "edit", number, self.file, code=2)
        self.run_tidemark("dead-letters", "edit", "99", self.file, "--change", "{}", code=1)
        self.run_tidemark("dead-letters", "replay", "99", self.file, code=1)
        self.run_tidemark("dead-letters", "replay", number, code=2)
        second = self.letters(self.file)[sorted(self.first)[1]]
        _, error = self.run_tidemark("dead-letters", "edit", number, self.file, "--change",
                                     json.dumps(second["change"], separators=(",", ":")), code=1)
        self.assertEqual(self.first, self.letters(self.file), error)

    def test_an_edited_key_and_a_delete(self):
        number = max(self.first)
        self.write("change.json", self.change(self.first[number], name=1, id=77))
        self.run_tidemark("dead-letters", "edit", str(number), self.file, "--change-file",
                          "change.json")
        self.assertEqual({"id": 77}, self.letters(self.file)[number]["key"])
        self.run_tidemark("dead-letters", "replay", str(number), self.file)
        self.assertEqual([(77,)], self.query("SELECT id FROM rows"))
        self.run_tidemark("dead-letters", "edit", str(number), self.file, "--change",
                          '{"op": "delete", "values": {"id": 77}}')
        self.run_tidemark("dead-letters", "replay", str(number), self.file)
        self.assertEqual([(77, 1)], self.query("SELECT id, _tidemark_deleted FROM rows"))


if __name__ == "__main__":
    main()
