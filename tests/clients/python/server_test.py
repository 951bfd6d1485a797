"""The Python client against a real server: calls, pushes, bad rows, and a server that is killed."""

import datetime
import decimal
import json
import socket
import sqlite3
import sys
import threading
import unittest

from client_case import ROOT, TLS_FOLDER, main
import tidemark
from readme_example import examples
from real_server import RealServer


def free_port():
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.server = RealServer().__enter__()  # pylint: disable=unnecessary-dunder-call
        self.addCleanup(self.server.__exit__)
        self.client = tidemark.connect(self.server.address)
        self.addCleanup(self.client.close)

    def apply(self, name):
        """Applies one of the server's two connections."""
        return self.client.apply((self.server.folder / f"{name}.yaml").read_text())

    def fails(self, code, call):
        """The tidemark.Error that the call ends with."""
        with self.assertRaises(tidemark.Error) as caught:
            call()
        self.assertEqual(code, caught.exception.code, caught.exception)
        return caught.exception

    def query(self, sql, base="warehouse.db"):
        with sqlite3.connect(self.server.folder / base) as connection:
            return connection.execute(sql).fetchall()

    def test_a_connection_from_its_definition_to_its_report(self):
        self.assertTrue(self.apply("numbers").created)
        self.assertFalse(self.apply("numbers").changed)
        self.assertEqual(["numbers"], [c.name for c in self.client.connections()])
        sync = self.client.start_sync("numbers")
        events = list(self.client.watch(sync.sync_id))
        self.assertEqual(list(range(1, len(events) + 1)), [e.sequence for e in events])
        self.assertEqual(1000, events[-1].ended.counts.inserted)
        self.assertEqual(tidemark.types.SYNC_STATUS_COMPLETED,
                         self.client.wait(sync.sync_id).status)
        report = self.client.report(sync_id=sync.sync_id)
        self.assertEqual(1000, report.report.statistics.records_inserted)
        self.assertEqual("completed", json.loads(report.json)["metadata"]["status"])
        versions = list(self.client.state.log("numbers"))
        self.assertEqual(versions[0].version, self.client.state.show("numbers")[0].version.version)
        change = self.client.state.rollback("numbers", versions[-1].version, dry_run=True)
        self.assertFalse(change.written)
        self.assertEqual([sync.sync_id], [s.sync_id for s in self.client.syncs("numbers")])
        self.assertEqual([], list(self.client.dead_letters.list("numbers")))
        self.client.delete("numbers")
        self.assertEqual([], list(self.client.connections()))

    def test_the_master_key_is_rotated_and_a_whole_audit_log_not_accepted(self):
        access = self.client.access
        access.set_secret("crm", "word")
        rotated = access.rotate_master_key(idempotency_key="once")
        self.assertEqual((1, ""), (rotated.secrets, rotated.to_do))
        self.assertNotEqual(rotated.old_key_id, rotated.new_key_id)
        self.assertEqual(rotated, access.rotate_master_key(idempotency_key="once"))
        error = self.fails("FAILED_PRECONDITION", lambda: access.accept_audit("a test"))
        self.assertEqual("NOTHING_MISSING", error.reason)
        self.assertEqual(["Control/AcceptAudit", "Control/RotateMasterKey"],
                         [entry.method for entry in access.audit()][:2])

    def test_errors_name_their_reason(self):
        with self.assertRaises(tidemark.Error) as caught:
            self.client.apply("name: [")
        self.assertEqual("INVALID_ARGUMENT", caught.exception.code)
        self.assertEqual(["yaml"], [field.field for field in caught.exception.fields])
        self.fails("NOT_FOUND", lambda: self.client.connection("missing"))
        self.fails("NOT_FOUND", lambda: self.client.push("missing", "p").__enter__())

    def test_every_kind_of_value_and_change(self):
        self.apply("orders")
        at = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, datetime.timezone.utc)
        with self.client.push("orders", "p") as push:
            push.upsert("orders", {
                "id": 1, "total": decimal.Decimal("9.50"), "name": "é", "blob": b"\x00", "ok": True,
                "at": at, "day": datetime.date(2026, 1, 2), "tags": ["a", {"b": 1}], "none": None})
            push.upsert("orders", {"id": 2, "total": decimal.Decimal("1")})
            push.upsert("orders", {"id": 3, "total": decimal.Decimal("2")})
            push.update("orders", {"id": 2, "name": "two"})
            push.delete("orders", {"id": 3})
            push.checkpoint({"n": 3})
            version = push.flush(timeout=30)
            self.assertGreater(version, 0)
        self.assertEqual([(1, "é", b"\x00"), (2, "two", None)],
                         self.query("SELECT id, name, blob FROM orders "
                                    "WHERE NOT _tidemark_deleted ORDER BY id"))
        with self.client.push("orders", "p") as push:
            self.assertEqual({"n": 3}, json.loads(push.state))

    def test_bad_rows_come_back_and_the_rest_goes_on(self):
        self.apply("orders")
        with self.client.push("orders", "p") as push:
            for i in (1, None, 3):
                push.upsert("orders", {"id": i, "total": 1.0})
            push.flush(timeout=30)
            self.assertEqual([(1, {"id": None, "total": 1.0})],
                             [(error.index, error.row) for error in push.row_errors])
        self.assertEqual([(1,), (3,)], self.query("SELECT id FROM orders ORDER BY id"))

    def test_a_second_stream_fences_the_first(self):
        self.apply("orders")
        first = self.client.push("orders", "p").__enter__()
        with self.client.push("orders", "p") as second:
            with self.assertRaises(tidemark.Error) as caught:
                first.upsert("orders", {"id": 1, "total": 1.0})
                first.flush(timeout=30)
            self.assertEqual(("ABORTED", "FENCED"),
                             (caught.exception.code, caught.exception.reason))
            second.upsert("orders", {"id": 2, "total": 1.0})
        self.assertEqual([(2,)], self.query("SELECT id FROM orders"))

    def test_a_server_that_is_killed_loses_and_doubles_nothing(self):
        self.apply("orders")
        rows, producers, kills = 20_000, 3, 3
        halfway = [threading.Semaphore(0) for _ in range(kills)]
        failures = []

        def produce(number):
            try:
                with self.client.push("orders", f"p{number}", give_up_after=60) as push:
                    push.define(tidemark.Table("orders", {"id": "LONG"}, key=["id"]))
                    for i in range(rows):
                        push.upsert("orders", {"id": number * rows + i, "total": 0.5})
                        if i % (rows // (kills + 1)) == 0 and i > 0:
                            halfway[min(i * (kills + 1) // rows, kills) - 1].release()
            except BaseException as error:  # pylint: disable=broad-except  # told by the test
                failures.append(error)
                for semaphore in halfway:
                    semaphore.release()

        workers = [threading.Thread(target=produce, args=(number,)) for number in range(producers)]
        for worker in workers:
            worker.start()
        for semaphore in halfway:
            self.assertTrue(semaphore.acquire(timeout=60))
            self.server.kill()
            self.server.start()
        for worker in workers:
            worker.join(120)
        self.assertEqual([], failures, self.server.log())
        self.assertEqual([(rows * producers, rows * producers)],
                         self.query("SELECT count(*), count(DISTINCT id) FROM orders"))

    def test_a_token_over_tls_opens_what_its_role_and_connections_allow(self):
        port = free_port()
        with RealServer(port) as server, tidemark.connect(server.address) as admin:
            admin.apply((server.folder / "orders.yaml").read_text())
            made = admin.access.create_token("editor", ["orders"], "of a test")
            other = admin.access.create_token("viewer", ["orders"])
            address, ca = f"localhost:{port}", TLS_FOLDER / "localhost.crt"
            with tidemark.connect(address, made.text, ca) as client:
                self.assertEqual("editor", client.server().role)
                with client.push("orders", "p") as push:
                    push.upsert("orders", {"id": 1, "total": 9.5})
                self.assertEqual([(1, 9.5)], server.orders())
                self.fails("PERMISSION_DENIED", lambda: list(client.access.tokens()))
            with tidemark.connect(address, other.text, ca) as client:
                self.assertEqual(["orders"], [c.name for c in client.connections()])
                error = self.fails("PERMISSION_DENIED", lambda: client.delete("orders"))
                self.assertEqual("ROLE_TOO_LOW", error.reason)
                self.fails("PERMISSION_DENIED",
                           lambda: client.push("orders", "q").__enter__())
                admin.access.revoke_token(other.token.id)
                self.fails("UNAUTHENTICATED", lambda: list(client.connections()))
            with tidemark.connect(address, ca=ca) as client:
                self.assertEqual("NO_TOKEN", self.fails("UNAUTHENTICATED", client.server).reason)

    def test_a_server_that_asks_for_certificates_refuses_who_has_none(self):
        port = free_port()
        with RealServer(port, client_ca=True) as server, tidemark.connect(server.address) as admin:
            token = admin.access.create_token("viewer").text
            ca, key = TLS_FOLDER / "localhost.crt", TLS_FOLDER / "localhost.key"
            with tidemark.connect(f"localhost:{port}", token, ca, ca, key) as client:
                self.assertEqual("viewer", client.server().role)
            with tidemark.connect(f"localhost:{port}", token, ca, timeout=1) as client:
                self.fails("UNAVAILABLE", client.server)

    def test_a_connector_in_python_runs_in_the_server(self):
        (self.server.folder / "squares.py").write_text(examples("python", "python")[1])
        (self.server.folder / "connections" / "squares.yaml").write_text(f"""name: squares
sync:
  source: {{connector: "{self.server.folder}/squares.py", config: {{limit: 10}}}}
  destination: {{type: sqlite, connection: "{self.server.folder}/warehouse.db"}}
  frequency: manual
""")
        self.server.stop()
        self.server.start(PYTHONPATH=str(ROOT / "clients" / "python"),
                          TIDEMARK_PYTHON=sys.executable)
        self.assertTrue(self.client.check("squares").ok)
        ended = self.client.wait(self.client.start_sync("squares").sync_id)
        self.assertEqual(10, ended.counts.inserted, ended.error)
        self.assertEqual([(10, 285)], self.query("SELECT count(*), sum(square) FROM squares"))

    def test_asyncio(self):
        import asyncio  # pylint: disable=import-outside-toplevel
        self.apply("orders")

        async def work():
            async with tidemark.aio.connect(self.server.address) as client:
                async with client.push("orders", "p") as push:
                    for i in range(3000):
                        await push.upsert("orders", {"id": i, "total": 1.0})
                    await push.flush()
                rotated = await client.access.rotate_master_key()
                self.assertNotEqual(rotated.old_key_id, rotated.new_key_id)
                with self.assertRaises(tidemark.Error):
                    await client.access.accept_audit("nothing is missing")
                return [c.name async for c in client.connections()]

        self.assertEqual(["orders"], asyncio.run(work()))
        self.assertEqual([(3000,)], self.query("SELECT count(*) FROM orders"))


if __name__ == "__main__":
    main()
