"""`tidemark verify`: what differs between source and destination is found, named and repaired."""

import sqlite3

from tidemark_case import TidemarkCase, main

PAGES = (", pagination: {type: offset, parameter: offset, size_parameter: limit, max_size: 20, "
         "total: /total}")


class VerifyCase(TidemarkCase):
    def change(self, *statements):
        """What somebody does to the destination by hand."""
        database = sqlite3.connect(self.path("warehouse.db"))
        try:
            for statement in statements:
                database.execute(statement)
            database.commit()
        finally:
            database.close()

    def rows(self, sql="SELECT * FROM rows WHERE NOT _tidemark_deleted ORDER BY id"):
        """Without _tidemark_synced, which tells when a row was written."""
        database = sqlite3.connect(self.path("warehouse.db"))
        try:
            cursor = database.execute(sql)
            names = [column[0] for column in cursor.description]
            return [{n: v for n, v in zip(names, row) if n != "_tidemark_synced"}
                    for row in cursor]
        finally:
            database.close()

    def table(self, answer):
        self.assertEqual(1, len(answer["tables"]), answer)
        return answer["tables"][0]


class GeneratorTest(VerifyCase):
    def generator(self, more="", rules=""):
        return self.connection(
            "made", "{connector: generator, config: {count: 9000, checkpoint_interval: 1000, "
            f"update_share: 0.3, delete_share: 0.1, key_order: shuffled{more}}}{rules}}}")

    def test_a_fresh_copy_is_equal(self):
        file = self.generator()
        self.run_tidemark("run", file)
        answer = self.json("verify", file)
        self.assertTrue(answer["equal"])
        table = self.table(answer)
        stored = self.query("SELECT count(*) FROM rows WHERE NOT _tidemark_deleted")[0][0]
        self.assertEqual((stored, stored), (table["source_rows"], table["destination_rows"]))
        self.assertEqual("ranges", table["compared_by"])
        self.assertEqual(0, table["unequal_ranges"])
        self.assertGreaterEqual(table["ranges"], 2)
        self.assertIn("rows: equal", self.run_tidemark("verify", file)[0])

    def test_rows_changed_deleted_and_added_by_hand_are_found_and_repaired(self):
        file = self.generator()
        self.run_tidemark("run", file)
        before = self.rows()
        live = [row["id"] for row in before]
        changed, gone, marked = live[10], live[4000], live[-1]
        self.change(f"UPDATE rows SET name = 'by hand', updated_at = '2099-01-01T00:00:00.000000Z' "
                    f"WHERE id = {changed}",
                    f"DELETE FROM rows WHERE id = {gone}",
                    f"UPDATE rows SET _tidemark_deleted = 1 WHERE id = {marked}",
                    "INSERT INTO rows (id, name, _tidemark_synced, _tidemark_deleted) "
                    "VALUES (1000001, 'by hand', '2024-01-01T00:00:00.000000Z', 0)")
        answer = self.json("verify", file, code=3)
        self.assertFalse(answer["equal"])
        table = self.table(answer)
        self.assertEqual([str(changed)], table["different_keys"])
        self.assertEqual([str(gone), str(marked)], table["missing_keys"])
        self.assertEqual(["1000001"], table["extra_keys"])
        self.assertEqual((1, 2, 1), (table["different"], table["missing"], table["extra"]))
        self.assertGreater(table["unequal_ranges"], 0)
        state = self.json("state", "show", file)

        repaired = self.json("verify", file, "--repair")
        self.assertTrue(repaired["equal"])
        self.assertFalse(repaired["before"]["equal"])
        self.assertEqual("completed", repaired["repair"]["metadata"]["status"])
        statistics = repaired["repair"]["statistics"]
        self.assertEqual(4, statistics["records_processed"], statistics)
        self.assertEqual(1, statistics["records_deleted"], statistics)
        self.assertEqual(before, self.rows())
        self.assertTrue(self.json("verify", file)["equal"])
        # The repair is a sync with versions, and the connection stays where it was.
        versions = self.json("state", "show", file)
        self.assertEqual([(v["entry"], v["body"], v["cursor"]) for v in state],
                         [(v["entry"], v["body"], v["cursor"]) for v in versions])
        self.assertGreater(versions[0]["version"], state[0]["version"])
        self.assertEqual(0, self.json("run", file)["statistics"]["records_processed"])

    def test_hard_deletes_remove_extra_rows(self):
        file = self.generator(rules=", tables: [{rows: {deletes: hard}}]")
        self.run_tidemark("run", file)
        self.change("INSERT INTO rows (id, name, _tidemark_synced) "
                    "VALUES (1000001, 'by hand', '2024-01-01T00:00:00.000000Z')")
        self.run_tidemark("verify", file, code=3)
        self.run_tidemark("verify", file, "--repair")
        self.assertEqual([(0,)], self.query("SELECT count(*) FROM rows WHERE id = 1000001"))

    def test_counts_are_exact_and_the_list_of_keys_is_short(self):
        file = self.generator()
        self.run_tidemark("run", file)
        count = self.query("SELECT count(*) FROM rows WHERE NOT _tidemark_deleted "
                           "AND id BETWEEN 100 AND 1299")[0][0]
        self.change("DELETE FROM rows WHERE id BETWEEN 100 AND 1299")
        table = self.table(self.json("verify", file, "--sample", "3", code=3))
        self.assertEqual(count, table["missing"])
        self.assertEqual(3, len(table["missing_keys"]))
        self.assertEqual((0, 0), (table["extra"], table["different"]))
        self.assertTrue(self.json("verify", file, "--repair")["equal"])

    def test_left_out_and_renamed_columns_are_no_difference(self):
        file = self.generator(rules=", tables: [{rows: {columns: {exclude: [payload, code], "
                                    "rename: {name: title}}}}]")
        self.run_tidemark("run", file)
        self.assertTrue(self.json("verify", file)["equal"])
        self.change("UPDATE rows SET title = 'by hand' WHERE id = (SELECT min(id) FROM rows "
                    "WHERE NOT _tidemark_deleted)")
        self.assertEqual(1, self.table(self.json("verify", file, code=3))["different"])
        self.assertTrue(self.json("verify", file, "--repair")["equal"])

    def test_many_deletes_need_a_yes(self):
        file = self.generator()
        self.run_tidemark("run", file)
        self.write("made.yaml", self.read("made.yaml").replace("count: 9000", "count: 900"))
        table = self.table(self.json("verify", "made.yaml", code=3))
        self.assertGreater(table["extra"], 7000)
        error = self.run_tidemark("verify", "made.yaml", "--repair", code=1)[1]
        self.assertIn("--yes", error)
        self.assertEqual(table, self.table(self.json("verify", "made.yaml", code=3)))
        self.assertTrue(self.json("verify", "made.yaml", "--repair", "--yes")["equal"])

    def test_several_tables_and_one_of_them(self):
        file = self.generator(", tables: 3, state_as: tables")
        self.run_tidemark("run", file)
        self.change("DELETE FROM rows_2 WHERE id = (SELECT min(id) FROM rows_2)")
        answer = self.json("verify", file, code=3)
        self.assertEqual([True, False, True], [table["equal"] for table in answer["tables"]])
        self.assertTrue(self.json("verify", file, "--table", "rows_1")["equal"])
        self.assertTrue(self.json("verify", file, "--table", "rows_2", "--repair")["equal"])
        self.assertIn("no table", self.run_tidemark("verify", file, "--table", "x", code=2)[1])

    def test_one_of_the_tables_that_share_a_state_is_repaired(self):
        file = self.generator(", tables: 2")
        self.run_tidemark("run", file)
        self.change("DELETE FROM rows_2 WHERE id = (SELECT min(id) FROM rows_2)")
        self.assertTrue(self.json("verify", file, "--table", "rows_2", "--repair")["equal"])

    def test_a_table_that_the_source_lost_is_named_and_stays(self):
        self.run_tidemark("run", self.generator())
        file = self.generator(", table: others, pass: 1")
        self.run_tidemark("run", file)
        answer = self.json("verify", file)
        self.assertEqual(["rows"], answer["only_at_destination"])
        self.assertEqual("others", self.table(answer)["table"])
        self.assertIn("rows: not compared", self.run_tidemark("verify", file)[0])

    def test_state_validate_samples_the_rows_written_last(self):
        file = self.generator()
        self.run_tidemark("run", file)
        level = [level for level in self.json("state", "validate", file)["levels"]
                 if level["level"] == "L4"][0]
        self.assertEqual("ok", level["verdict"])
        last = self.query("SELECT id FROM rows WHERE NOT _tidemark_deleted "
                          "ORDER BY _tidemark_synced DESC LIMIT 1")[0][0]
        self.change(f"UPDATE rows SET name = 'by hand' WHERE id = {last}")
        answer = self.json("state", "validate", file, code=1)
        self.assertIn(f"rows: {last}", answer["findings"][0]["what"])

    def test_before_the_first_sync_there_is_nothing_to_compare(self):
        error = self.run_tidemark("verify", self.generator(), code=1)[1]
        self.assertIn("warehouse.db", error)

    def test_a_connector_without_reads_says_so(self):
        file = self.connection("hello", "{connector: hello, config: {}}")
        self.run_tidemark("run", file)
        error = self.run_tidemark("verify", file, code=1)[1]
        self.assertIn("tidemark.read/1", error)


class RestTest(VerifyCase):
    def setUp(self):
        super().setUp()
        self.url = self.server("misbehaving.py")

    def rest(self, path="/rows", key="primary_key: [id]"):
        pages = PAGES if path == "/rows" else ""
        return self.connection(
            "api", f"{{connector: rest, config: {{base_url: \"{self.url}\", endpoints: "
            f"[{{path: \"{path}\", table: rows, records: /data, {key}{pages}}}]}}}}")

    def test_a_whole_read_finds_what_was_changed_by_hand(self):
        file = self.rest()
        self.run_tidemark("run", file)
        before = self.rows()
        answer = self.json("verify", file)
        self.assertTrue(answer["equal"])
        self.assertEqual("whole", self.table(answer)["compared_by"])
        ids = [row["id"] for row in before]
        self.change(f"UPDATE rows SET name = 'by hand' WHERE id = {ids[0]}",
                    f"DELETE FROM rows WHERE id = {ids[1]}",
                    "INSERT INTO rows (id, name, _tidemark_synced, _tidemark_deleted) "
                    "VALUES (1000001, 'by hand', '2024-01-01T00:00:00.000000Z', 0)")
        table = self.table(self.json("verify", file, code=3))
        self.assertEqual(([str(ids[0])], [str(ids[1])], ["1000001"]),
                         (table["different_keys"], table["missing_keys"], table["extra_keys"]))
        self.assertTrue(self.json("verify", file, "--repair")["equal"])
        self.assertEqual(before, self.rows())
        self.assertTrue(self.json("verify", file)["equal"])

    def test_a_table_without_a_key(self):
        file = self.rest(key="primary_key: []")
        self.run_tidemark("run", file)
        self.assertTrue(self.json("verify", file)["equal"])
        everything = "SELECT * FROM rows WHERE NOT _tidemark_deleted ORDER BY _tidemark_id"
        before = self.rows(everything)
        self.change("DELETE FROM rows WHERE rowid = 1",
                    "UPDATE rows SET name = 'by hand' WHERE rowid = 3")
        table = self.table(self.json("verify", file, code=3))
        self.assertEqual((1, 1, 0), (table["missing"], table["different"], table["extra"]))
        self.assertTrue(self.json("verify", file, "--repair")["equal"])
        self.assertEqual(before, self.rows(everything))

    def test_extra_rows_stay_where_records_could_not_be_read(self):
        file = self.rest("/bad_rows")
        self.run_tidemark("run", file, code=3)
        answer = self.json("verify", file)
        self.assertGreater(self.table(answer)["unreadable"], 0)
        self.change("INSERT INTO rows (id, _tidemark_synced, _tidemark_deleted) "
                    "VALUES (1000001, '2024-01-01T00:00:00.000000Z', 0)")
        self.run_tidemark("verify", file, code=3)
        error = self.run_tidemark("verify", file, "--repair", code=3)[1]
        self.assertIn("extra rows stay", error)
        self.assertEqual([(0,)], self.query(
            "SELECT _tidemark_deleted FROM rows WHERE id = 1000001"))


if __name__ == "__main__":
    main()
