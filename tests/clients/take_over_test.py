"""A holder that is stopped and woken again (SIGSTOP, take-over, SIGCONT) writes no more."""

import os
import signal
import sqlite3

from tidemark_case import TIMEOUT_S, TidemarkCase, main

ROWS = 5_000
SOURCE = (f"{{connector: generator, config: {{count: {ROWS}, checkpoint_interval: 500, "
          "tables: 2, state_as: tables, pause_us: %d}}")


class TakeOverTest(TidemarkCase):
    def stopped_at(self, file, point, passes=0):
        """A sync that was stopped at a failpoint of the server, after so many passes of it."""
        self.environment["TIDEMARK_FAILPOINTS"] = (
            (f"{point}={passes}*off->" if passes else f"{point}=") + "1*stop")
        process = self.start("run", file)
        del self.environment["TIDEMARK_FAILPOINTS"]
        self.addCleanup(process.send_signal, signal.SIGCONT)
        state = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.assertEqual(os.CLD_STOPPED, state.si_code, "it ended before it came there")
        return process

    def wake(self, process):
        process.send_signal(signal.SIGCONT)
        out, error = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, out + error

    def everything(self):
        """All that stands in the destination, as SQL."""
        connection = sqlite3.connect(self.path("warehouse.db"))
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def assert_fenced(self, process, before):
        code, text = self.wake(process)
        self.assertEqual(1, code, text)
        self.assertIn("FENCED", text)
        self.assertEqual(before, self.everything())

    def test_between_two_commits(self):
        file = self.connection("slow", SOURCE % 20_000)
        zombie = self.stopped_at(file, "apply.committed", passes=1)
        _, error = self.run_tidemark("run", file, code=1)
        self.assertIn(f"(pid {zombie.pid}) since ", error)
        self.run_tidemark("run", file, "--take-over", "--yes")
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_2"))
        self.assertEqual([(2,)], self.query("SELECT epoch FROM _tidemark_connections"))
        self.assertEqual([("take-over",)], self.query("SELECT action FROM _tidemark_audit"))
        self.assert_fenced(zombie, self.everything())
        self.assertEqual("valid", self.json("state", "log", file)["chain"])

    def test_before_its_first_table_exists(self):
        file = self.connection("slow", SOURCE % 20_000)
        zombie = self.stopped_at(file, "sync.begun")
        self.run_tidemark("run", file, "--take-over", "--yes", "--table", "rows_1")
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_1"))
        self.assert_fenced(zombie, self.everything())
        self.assertEqual([], self.query("SELECT 1 FROM sqlite_schema WHERE name = 'rows_2'"))
        self.run_tidemark("run", file)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_2"))

    def test_inside_a_transaction_it_keeps_the_write_lock_and_is_named(self):
        file = self.connection("slow", SOURCE % 20_000)
        holder = self.stopped_at(file, "apply.before_commit", passes=2)
        before = self.everything()
        _, error = self.run_tidemark("run", file, "--take-over", "--yes", code=1)
        self.assertIn(f"pid {holder.pid}, which is stopped inside a transaction", error)
        self.assertEqual(before, self.everything())
        code, text = self.wake(holder)
        self.assertEqual(0, code, text)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_2"))
        self.assertEqual([], self.query("SELECT 1 FROM _tidemark_audit"))

    def test_inside_a_transaction_of_the_store_beside_the_destination_nothing_changes(self):
        file = self.connection("slow", SOURCE % 20_000, "state:\n  storage: "
                               "{type: sqlite, connection: \"states.db\"}\n")
        holder = self.stopped_at(file, "store.sqlite_commit", passes=2)
        before = self.everything()
        _, error = self.run_tidemark("run", file, "--take-over", "--yes", code=1)
        self.assertIn("states.db is locked by the process with pid "
                      f"{holder.pid}, which is stopped inside a transaction", error)
        self.assertEqual(before, self.everything())
        code, text = self.wake(holder)
        self.assertEqual(0, code, text)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_2"))
        self.assertEqual([], self.query("SELECT 1 FROM _tidemark_audit", "states.db"))

    def test_a_living_holder_is_found_without_its_lock_file_and_a_dead_one_is_not_waited_for(self):
        file = self.connection("slow", SOURCE % 20_000)
        holder = self.stopped_at(file, "apply.committed")
        os.remove(self.path("warehouse.db.slow.lock"))
        _, error = self.run_tidemark("run", file, code=1)
        self.assertIn(f"(pid {holder.pid}) since ", error)
        holder.kill()
        holder.wait()
        self.run_tidemark("run", file)
        self.assertEqual([(ROWS,)], self.query("SELECT count(*) FROM rows_2"))

    def test_it_asks_first(self):
        file = self.connection("quick", SOURCE % 0)
        _, error = self.run_tidemark("run", file, "--take-over", code=2)
        self.assertIn("--yes", error)
        self.run_tidemark("run", file, "--take-over", "--yes")
        self.assertEqual([], self.query("SELECT 1 FROM _tidemark_audit"), "nobody was there")


if __name__ == "__main__":
    main()
