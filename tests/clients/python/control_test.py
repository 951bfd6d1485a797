"""The calls of Control: requests, pages, repetition, errors, credentials."""

import datetime
import unittest

from client_case import TLS_FOLDER, ClientCase, main
import tidemark
from tidemark.channel import endpoint


class CallsTest(ClientCase):
    def test_a_connection_is_applied_and_a_wrong_field_is_named(self):
        answer = self.client.apply("name: orders\n", dry_run=True)
        self.assertEqual(("orders", False), (answer.connection.name, answer.changed))
        error = self.fails("INVALID_ARGUMENT", self.client.apply, "nothing")
        self.assertEqual("BAD_CONNECTION", error.reason)
        self.assertEqual([("yaml", "line 1: name is missing")],
                         [(f.field, f.description) for f in error.fields])

    def test_lists_are_read_to_their_last_page(self):
        names = [connection.name for connection in self.client.connections()]
        self.assertEqual([f"connection_{i}" for i in range(5)], names)
        self.assertEqual([4, 3, 2, 1], [v.version for v in self.client.state.log("orders")])

    def test_errors_carry_code_reason_and_pause(self):
        self.assertEqual("NO_CONNECTION",
                         self.fails("NOT_FOUND", self.client.connection, "missing").reason)
        error = self.fails("FAILED_PRECONDITION", self.client.start_sync, "busy")
        self.assertEqual(("CONNECTION_BUSY", 0.25, {"sync_id": "sync_7"}),
                         (error.reason, error.retry_after, error.metadata))
        self.assertIn("a sync runs already", str(error))

    def test_a_lost_answer_is_asked_for_again_under_the_same_key(self):
        self.assertEqual("sync_1", self.client.start_sync("flaky").sync_id)
        self.assertEqual("sync_2", self.client.start_sync("orders").sync_id)

    def test_a_server_that_is_not_there_is_unavailable_in_time(self):
        with tidemark.connect("127.0.0.1:1", timeout=0.5) as client:
            error = None
            try:
                client.server()
            except tidemark.Error as raised:
                error = raised
            self.assertIn(error.code, ("UNAVAILABLE", "DEADLINE_EXCEEDED"))

    def test_a_watch_goes_on_behind_its_last_event_after_cuts(self):
        events = list(self.client.watch("sync_1"))
        self.assertEqual(list(range(1, 11)), [event.sequence for event in events])
        self.assertEqual("ended", events[-1].WhichOneof("event"))
        self.assertEqual([8, 9, 10], [e.sequence for e in self.client.watch("sync_1", 7)])
        self.assertEqual(tidemark.types.SYNC_STATUS_COMPLETED, self.client.wait("sync_1").status)

    def test_a_position_that_is_no_longer_kept_is_an_error(self):
        error = self.fails("OUT_OF_RANGE", lambda: list(self.client.watch("sync_old", 3)))
        self.assertEqual({"oldest": "41"}, error.metadata)

    def test_reports_state_and_dead_letters(self):
        self.assertEqual("last of orders", self.client.report("orders").report.metadata.sync_id)
        self.assertEqual("sync_9", self.client.report(sync_id="sync_9").report.metadata.sync_id)
        with self.assertRaises(ValueError):
            self.client.report()
        self.assertEqual(b'{"n": 4}', self.client.state.show("orders")[0].body)
        self.assertEqual(2, self.client.state.show("orders", at=2)[0].version.version)
        change = self.client.state.rollback("orders", 2, dry_run=True)
        self.assertEqual((False, "as 2 was"), (change.written, change.moves[0].what))
        with self.assertRaises(TypeError):
            self.client.state.rollback("orders", 2.5)
        self.assertEqual(["users"], [letter.table for letter in
                                     self.client.dead_letters.list("orders", "users")])

    def test_times_are_utc_where_they_have_no_zone(self):
        east = datetime.timezone(datetime.timedelta(hours=2))
        noon = tidemark.client.calls.start_sync(
            "orders", False, (), datetime.datetime(2026, 1, 1, 12), "").request
        also = tidemark.client.calls.start_sync(
            "orders", False, (), datetime.datetime(2026, 1, 1, 14, tzinfo=east), "").request
        self.assertEqual(noon.since, also.since)


class CredentialsTest(ClientCase):
    def test_the_token_goes_with_every_call(self):
        with tidemark.connect(self.address, token="tm_a_b") as client:
            self.assertEqual("Bearer tm_a_b", client.server().principal)
        self.assertEqual("nobody", self.client.server().principal)

    def test_tls_trusts_the_given_authority_and_no_other(self):
        address = f"localhost:{self.tls_port}"
        with tidemark.connect(address, ca=TLS_FOLDER / "localhost.crt") as client:
            self.assertEqual("scripted", client.server().version)
        with tidemark.connect(f"grpcs://{address}", timeout=1) as client:
            error = None
            try:
                client.server()
            except tidemark.Error as raised:
                error = raised
            self.assertIn(error.code, ("UNAVAILABLE", "DEADLINE_EXCEEDED"))


class AddressTest(unittest.TestCase):
    def test_other_machines_are_never_spoken_to_in_the_clear(self):
        for address, target, tls in (
                ("unix:/run/tidemark.sock", "unix:/run/tidemark.sock", False),
                ("127.0.0.1:8080", "127.0.0.1:8080", False),
                ("grpc://[::1]:8080", "[::1]:8080", False),
                ("localhost:8080", "localhost:8080", False),
                ("grpcs://localhost:8080", "localhost:8080", True),
                ("example.org:443", "example.org:443", True),
                ("grpcs://10.0.0.7:443", "10.0.0.7:443", True)):
            with self.subTest(address):
                made = endpoint(address, None, None, None, None)
                self.assertEqual(target, made.target)
                self.assertEqual(tls, made.credentials is not None)

    def test_wrong_addresses_say_what_is_wrong(self):
        for address, arguments, words in (
                ("grpc://example.org:443", {}, "without TLS only this machine"),
                ("http://localhost:1", {}, "unknown kind of address"),
                ("localhost", {}, "there is no port"),
                ("unix:/x", {"ca": __file__}, "a unix socket has no TLS"),
                ("localhost:1", {"cert": __file__}, "cert and key come together")):
            with self.subTest(address):
                with self.assertRaisesRegex(ValueError, words):
                    tidemark.connect(address, **arguments)


if __name__ == "__main__":
    main()
