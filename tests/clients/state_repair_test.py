"""`tidemark state validate` and `state repair`, and what a run does with a damaged state."""

import os
import shutil
import sqlite3

from tidemark_case import TidemarkCase, main

ROWS = "SELECT * FROM rows ORDER BY id"
NO_REPAIR = "state: {recovery: {auto_repair: false}}\n"


class StateRepairTest(TidemarkCase):
    def generator(self, count, tail=""):
        source = "{connector: generator, config: {count: %d, seed: 7}}" % count
        return self.connection("rows", source, tail)

    def three_syncs(self):
        for count in (100, 200, 300):
            file = self.generator(count)
            self.run_tidemark("run", file)
        return file

    def execute(self, sql, database="warehouse.db"):
        connection = sqlite3.connect(self.path(database))
        connection.executescript(sql)
        connection.close()

    def damage(self):
        self.execute("UPDATE _tidemark_state_bodies SET body = CAST('9' || substr(body, 2) AS BLOB)"
                     " WHERE body = CAST('300 0 0' AS BLOB)")

    def verdicts(self, file, code=0):
        result = self.json("state", "validate", file, code=code)
        return {level["level"]: level["verdict"] for level in result["levels"]}, result["findings"]

    def test_validate_names_every_level(self):
        file = self.three_syncs()
        verdicts, findings = self.verdicts(file)
        self.assertEqual({level: "ok" for level in ("L0", "L1", "L2", "L3", "L4")}, verdicts)
        self.assertEqual([], findings)
        out, _ = self.run_tidemark("state", "validate", file)
        for level in ("L0", "L1", "L2", "L3", "L4"):
            self.assertIn(level, out)
        out, _ = self.run_tidemark("state", "validate", "--db", "warehouse.db")
        self.assertIn("not possible", out)

    def test_validate_before_the_first_sync(self):
        verdicts, _ = self.verdicts(self.generator(10))
        self.assertEqual({"ok"}, set(verdicts.values()))

    def test_a_damaged_body_fails_l0_and_is_repaired_by_the_next_run(self):
        file = self.three_syncs()
        before = self.query(ROWS)
        self.damage()
        verdicts, findings = self.verdicts(file, code=1)
        self.assertEqual("FAILED", verdicts["L0"])
        self.assertEqual(1, findings[0]["class"])
        self.generator(300, NO_REPAIR)
        _, error = self.run_tidemark("run", file, code=1)
        self.assertRegex(error, r"class 1 \(unreadable state version\).*state repair")
        self.generator(300)
        report = self.json("run", file)
        self.assertRegex(report["warnings"][0], r"^state repaired, class 1 ")
        self.assertEqual(before, self.query(ROWS))
        self.assertIn("repair", [v["kind"] for v in self.json("state", "log", file)["versions"]])
        self.assertEqual({"ok"}, set(self.verdicts(file)[0].values()))

    def test_repair_shows_its_plan_first(self):
        file = self.three_syncs()
        self.damage()
        plan = self.json("state", "repair", file, code=2)
        self.assertEqual([1], [step["class"] for step in plan["plan"]])
        self.assertEqual([3], plan["plan"][0]["set_aside"])
        self.assertEqual("3", str(self.query("SELECT max(version) FROM _tidemark_state")[0][0]))
        done = self.json("state", "repair", file, "--yes")
        self.assertEqual(1, len(done["done"]))
        self.assertEqual({"ok"}, set(self.verdicts(file)[0].values()))
        self.assertEqual([("repair",)], self.query("SELECT action FROM _tidemark_audit"))
        self.assertTrue(os.listdir(self.path("warehouse.db.state-backups")))
        out, _ = self.run_tidemark("state", "repair", file)
        self.assertIn("Nothing to do", out)

    def test_rows_that_differ_fail_l4_and_never_touch_the_state(self):
        file = self.three_syncs()
        before = self.query(ROWS)
        versions = "SELECT version, kind FROM _tidemark_state_history"
        history = self.query(versions)
        for repair in ("true", "false"):
            for reset in ("true", "false"):
                with self.subTest(auto_repair=repair, reset_on_corruption=reset):
                    self.generator(300, f"state: {{recovery: {{auto_repair: {repair}, "
                                   f"reset_on_corruption: {reset}}}}}\n")
                    self.execute("UPDATE rows SET account = NULL WHERE id > 250")
                    verdicts, findings = self.verdicts(file, code=1)
                    self.assertEqual("FAILED", verdicts["L4"])
                    self.assertEqual(14, findings[-1]["class"])
                    self.assertIn("`tidemark verify --repair`", findings[-1]["remedy"])
                    self.assertEqual([], self.json("run", file)["warnings"])
                    self.json("verify", file, "--repair")
                    self.assertEqual({"ok"}, set(self.verdicts(file)[0].values()))
                    self.assertEqual([row[:10] for row in before],
                                     [row[:10] for row in self.query(ROWS)])
                    self.assertNotIn("reset", [kind for _, kind in self.query(versions)])
        self.assertEqual(history, self.query(versions)[:len(history)])

    def test_a_dropped_table_stops_until_its_state_is_reset(self):
        ids = "SELECT id FROM %s ORDER BY id"
        for tables, name, more, reset in (
                (1, "rows", "", []),
                (2, "rows_2", ", state_as: tables", ["--table", "rows_2"])):
            with self.subTest(tables=tables):
                source = ("{connector: generator, config: {count: 50, seed: 7, tables: %d%s}}" %
                          (tables, more))
                file = self.connection("rows", source, destination=f"{tables}.db")
                self.run_tidemark("run", file)
                before = self.query(ids % name, f"{tables}.db")
                self.execute(f"DROP TABLE {name}", f"{tables}.db")
                _, error = self.run_tidemark("run", file, code=1)
                self.assertIn("class 13", error)
                self.assertIn(" ".join(["`tidemark state reset", *reset]) + "`", error)
                self.run_tidemark("state", "reset", file, *reset, "--yes")
                self.run_tidemark("run", file)
                self.assertEqual(before, self.query(ids % name, f"{tables}.db"))

    def test_a_damaged_store_of_files_is_moved_aside(self):
        for count in (100, 200):
            file = self.generator(count, "state: {storage: {type: sqlite, connection: state.db}}\n")
            self.run_tidemark("run", file)
        with open(self.path("state.db"), "r+b") as damaged:
            damaged.write(b"\x5a" * 8192)
        report = self.json("run", file)
        self.assertRegex(report["warnings"][0], r"class 3 .*moved to .*state\.db\.damaged-")
        self.assertTrue([name for name in os.listdir(self.folder) if "state.db.damaged-" in name])
        self.assertEqual({"ok"}, set(self.verdicts(file)[0].values()))

    def test_what_is_named_against_a_store_that_is_ahead_works(self):
        storage = "state: {storage: {type: sqlite, connection: %s}, recovery: {auto_repair: %s}}\n"
        self.run_tidemark("run", self.generator(100, storage % ("state.db", "true")))
        shutil.copy(self.path("warehouse.db"), self.path("older.db"))
        file = self.generator(200, storage % ("state.db", "true"))
        self.run_tidemark("run", file)
        shutil.copy(self.path("older.db"), self.path("warehouse.db"))
        before = self.query("SELECT * FROM _tidemark_state_history")
        with open(self.path("rows.csv"), "w", encoding="utf-8") as rows:
            rows.write("id\n1\n")
        self.connection("rows", "{connector: files, config: {connection: rows.csv}}",
                        storage % ("state.db", "true"))
        _, refused = self.run_tidemark("run", file, code=1)
        self.assertIn("the source cannot go on from there", refused)
        self.generator(200, storage % ("state.db", "false"))
        _, stopped = self.run_tidemark("run", file, code=1)
        self.assertIn("or allow it to be rewound by state.recovery.auto_repair", stopped)
        _, reset = self.run_tidemark("state", "reset", file, "--yes", code=1)
        self.assertIn("the next `tidemark run` rewinds both", reset)
        self.assertEqual(before, self.query("SELECT * FROM _tidemark_state_history"))
        for error in (refused, reset):
            self.assertIn("class 5 (state ahead of the destination)", error)
            self.assertIn("name an empty store in state.storage.connection", error)
            self.assertNotIn("state repair`", error)
        self.generator(200, storage % ("empty.db", "false"))
        self.run_tidemark("state", "reset", file, "--yes")
        self.assertEqual(100, self.json("run", file)["statistics"]["records_inserted"])
        self.assertEqual({"ok"}, set(self.verdicts(file)[0].values()))


if __name__ == "__main__":
    main()
