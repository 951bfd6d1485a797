"""Pushing: filling of messages, acknowledgements, cuts, bad rows, limits, and its end."""

import threading
import unittest

from client_case import ClientCase, main
import tidemark
from tidemark._wire import ingest_pb2 as ingest
from tidemark.outbox import Outbox


def started(durable, state=b""):
    """The first answer of a stream."""
    return ingest.Started(durable_sequence=durable, state=state, state_version=durable)


class PushTest(ClientCase):
    def test_everything_is_durable_after_flush(self):
        with self.client.push("plain", "p") as push:
            for i in range(2500):
                push.upsert("orders", {"id": i})
            push.update("orders", {"id": 1}, before={"id": 0})
            push.delete("orders", {"id": 2})
            push.truncate("users", schema="shop")
            version = push.flush(timeout=30)
            held = self.pushed("plain/p")
            self.assertEqual(2503, len(held["rows"]))
            self.assertEqual(held["version"], version)
            self.assertEqual(["update", "orders", {"id": ["int64", 1]}, {"id": ["int64", 0]}],
                             held["rows"][2500])
            self.assertEqual(["delete", "truncate"], [r[0] for r in held["rows"][2501:]])
            self.assertEqual(3, held["durable"], "1,000 rows a message")
        self.assertEqual(1, self.pushed("plain/p")["streams"])

    def test_the_end_of_the_block_makes_the_rest_durable(self):
        with self.client.push("hold", "p") as push:
            push.upsert("orders", {"id": 1})
        self.assertEqual([1], self.ids("hold/p"))
        self.assertEqual(1, push.state_version)
        self.fails("FAILED_PRECONDITION", push.upsert, "orders", {"id": 2})

    def test_rows_do_not_wait_for_a_full_message(self):
        with self.client.push("plain", "p") as push:
            push.upsert("orders", {"id": 1})
            push.define(tidemark.Table("users", {"id": "LONG"}, key=["id"]))
            push.flush(timeout=30)
            self.assertEqual([1], self.ids("plain/p"))
            self.assertEqual([["users", [["id", "LONG", True]]]], self.pushed("plain/p")["tables"])

    def test_large_rows_make_messages_of_their_own(self):
        with self.client.push("plain", "p") as push:
            for i in range(4):
                push.upsert("blobs", {"id": i, "b": b"x" * 200_000})
            push.flush(timeout=30)
            self.assertEqual(4, self.pushed("plain/p")["durable"])
            error = self.fails("INVALID_ARGUMENT", push.upsert, "blobs", {"b": b"x" * (5 << 20)})
            self.assertEqual("ROW_TOO_LARGE", error.reason)

    def test_cuts_neither_lose_nor_double_a_row(self):
        for name in ("cut-3", "cut-4"):
            with self.subTest(name):
                with self.client.push(name, "p", give_up_after=30) as push:
                    push.define(tidemark.Table("orders", {"id": "LONG"}, key=["id"]))
                    for i in range(12_000):
                        push.upsert("orders", {"id": i})
                    push.checkpoint({"n": 12_000})
                self.assertEqual(list(range(12_000)), self.ids(f"{name}/p"))
                held = self.pushed(f"{name}/p")
                self.assertGreater(held["streams"], 3)
                self.assertEqual('{"n": 12000}', held["state"])
                self.assertEqual(1, len(held["tables"]))

    def test_a_cut_that_stays_is_an_error(self):
        # Streams of one message: none of them becomes durable.
        push = self.client.push("cut-1", "p", give_up_after=0.5)
        with self.assertRaises(tidemark.Error) as caught:
            with push:
                push.upsert("orders", {"id": 1})
                push.flush(timeout=30)
        self.assertEqual("UNAVAILABLE", caught.exception.code)

    def test_the_next_stream_goes_on_from_the_state(self):
        with self.client.push("explicit", "p", explicit_checkpoints=True) as push:
            self.assertEqual(b"", push.state)
            push.upsert("orders", {"id": 1})
            self.fails("FAILED_PRECONDITION", push.flush)
            push.checkpoint("one")
            push.flush(timeout=30)
            self.assertEqual(b"one", push.state)
            push.upsert("orders", {"id": 2})  # of no checkpoint: never durable
            push._stop()  # pylint: disable=protected-access
        with self.client.push("explicit", "p", explicit_checkpoints=True) as push:
            self.assertEqual(b"one", push.state)
            push.upsert("orders", {"id": 3})
            push.checkpoint(b"two")
        self.assertEqual([1, 3], self.ids("explicit/p"))

    def test_bad_rows_come_back_and_the_rest_goes_on(self):
        with self.client.push("bad", "p") as push:
            for i in (1, None, 3):
                push.upsert("orders", {"id": i, "name": f"row {i}"})
            push.flush(timeout=30)
            self.assertEqual([(1, "orders", "INVALID_ARGUMENT", "the key is NULL",
                               {"id": None, "name": "row None"})],
                             [(e.index, e.table, e.code, e.reason, e.row)
                              for e in push.row_errors])
        self.assertEqual([1, 3], self.ids("bad/p"))
        taken = []
        with self.client.push("bad", "q", on_row_error=taken.append) as push:
            push.upsert("orders", {"id": None})
        self.assertEqual(1, len(taken))

    def test_a_value_that_cannot_be_sent_names_its_column_and_sends_nothing(self):
        with self.client.push("plain", "p") as push:
            for row, words in (({"id": object()}, "column 'id'.*type object"),
                               ({"t": "\ud800"}, "column 't'.*not Unicode"),
                               ({"j": {"x": float("nan")}}, "column 'j'"),
                               ("row", "a row is a mapping")):
                with self.assertRaisesRegex((TypeError, ValueError), f"table orders.*{words}"):
                    push.upsert("orders", row)
            push.upsert("orders", {"id": 1})
        self.assertEqual([1], self.ids("plain/p"))

    def test_a_pause_that_the_server_asks_for_is_kept(self):
        for name in ("busy", "idle"):
            with self.client.push(name, "p") as push:
                push.upsert("orders", {"id": 1})
            self.assertEqual(2, self.pushed(f"{name}/p")["streams"])

    def test_errors_at_the_start_come_out_of_with(self):
        for name, code in (("denied", "PERMISSION_DENIED"), ("missing", "NOT_FOUND")):
            self.fails(code, self.client.push(name, "p").__enter__)

    def test_a_push_begins_with_with_and_its_callbacks_may_fail(self):
        self.fails("FAILED_PRECONDITION", self.client.push("plain", "p").upsert, "t", {"id": 1})

        def refuse(error):
            raise KeyError(error.reason)

        with self.assertRaisesRegex(KeyError, "the key is NULL"):
            with self.client.push("bad", "p", on_row_error=refuse) as push:
                push.upsert("orders", {"id": None})

    def test_a_second_stream_fences_the_first(self):
        first = self.client.push("plain", "p").__enter__()
        with self.client.push("plain", "p") as second:
            second.upsert("orders", {"id": 2})
            second.flush(timeout=30)
            first.upsert("orders", {"id": 1})
            error = self.fails("ABORTED", first.flush, timeout=30)
            self.assertEqual("FENCED", error.reason)
        self.assertEqual([2], self.ids("plain/p"))

    def test_an_exception_in_the_block_ends_the_stream_and_is_raised(self):
        with self.assertRaises(KeyError):
            with self.client.push("hold", "p") as push:
                push.upsert("orders", {"id": 1})
                raise KeyError("the author's own")
        self.assertEqual([], self.ids("hold/p"))

    def test_unacknowledged_messages_are_bounded(self):
        limit = 1_000_000
        push = self.client.push("hold", "p", max_unacknowledged_bytes=limit).__enter__()
        row = {"id": 1, "text": "x" * 1000}
        pushed = []
        blocked = threading.Event()

        def fill():
            try:
                while True:
                    push.upsert("orders", row)
                    pushed.append(1)
            except tidemark.Error:
                blocked.set()

        worker = threading.Thread(target=fill)
        worker.start()
        outbox = push._outbox  # pylint: disable=protected-access
        with push._changed:  # pylint: disable=protected-access
            push._changed.wait_for(lambda: not outbox.has_room(), timeout=30)
        push._stop()  # pylint: disable=protected-access
        worker.join(30)
        self.assertTrue(blocked.is_set())
        self.assertLess(len(pushed) * 1000, 1.5 * limit)


class OutboxTest(unittest.TestCase):
    """What no server can be made to do at a chosen moment."""

    def outbox(self, **options):
        """With ten rows that have been sent, each in a message of its own."""
        outbox = Outbox("orders", "p", explicit=False, limit_bytes=1 << 20, **options)
        outbox.started(started(0))
        for i in range(10):
            outbox.row(1, "orders", {"id": i}, "", None, False, None)
            outbox.seal()
            outbox.next()
        return outbox

    @staticmethod
    def sent(outbox):
        """The numbers of the messages that go out."""
        out = []
        while (message := outbox.next()) is not None:
            out.append(ingest.PushRequest.FromString(message).sequence)
        return out

    def test_what_is_not_durable_goes_out_again_under_its_number(self):
        outbox = self.outbox()
        outbox.acknowledged(3, 1)
        outbox.started(started(5))  # two of them became durable without our hearing of it
        self.assertEqual([6, 7, 8, 9, 10], self.sent(outbox))
        self.assertEqual(5, outbox.acknowledged_ordinal)

    def test_definitions_go_before_the_rest_on_every_stream(self):
        outbox = Outbox("orders", "p", explicit=False, limit_bytes=1 << 20)
        outbox.started(started(7))
        outbox.define(tidemark.Table("orders", key=["id"]))
        outbox.row(1, "orders", {"id": 1}, "", None, False, None)
        outbox.seal()
        self.assertEqual([8, 9], self.sent(outbox))
        outbox.acknowledged(8, 1)
        outbox.started(started(8))
        messages = []
        while (message := outbox.next()) is not None:
            messages.append(ingest.PushRequest.FromString(message))
        self.assertEqual([(9, "table"), (10, "rows")],
                         [(m.sequence, m.WhichOneof("request")) for m in messages])

    def test_a_server_that_was_set_back_is_an_error(self):
        outbox = self.outbox()
        outbox.acknowledged(6, 1)
        with self.assertRaises(tidemark.Error) as caught:
            outbox.started(started(4))
        self.assertEqual("ACKNOWLEDGED_LOST", caught.exception.reason)

    def test_numbers_of_another_program_are_an_error(self):
        with self.assertRaises(tidemark.Error) as caught:
            self.outbox().started(started(11))
        self.assertEqual("FENCED", caught.exception.reason)

    def test_rows_without_a_checkpoint_are_bounded_by_an_error(self):
        outbox = Outbox("orders", "p", explicit=True, limit_bytes=10_000)
        outbox.started(started(0))
        with self.assertRaises(tidemark.Error) as caught:
            while outbox.has_room():
                outbox.row(1, "orders", {"text": "x" * 100}, "", None, False, None)
        self.assertEqual("RESOURCE_EXHAUSTED", caught.exception.code)

    def test_a_row_error_is_told_once_though_its_message_goes_out_twice(self):
        outbox = self.outbox()
        refused = ingest.RowError(sequence=4, index=0, table="orders", code=3, reason="why")
        self.assertEqual({"id": 3}, outbox.row_error(refused).row)
        outbox.started(started(2))
        self.assertIsNone(outbox.row_error(refused))


if __name__ == "__main__":
    main()
