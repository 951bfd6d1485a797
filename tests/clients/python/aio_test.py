"""The asyncio client: the same calls, and pushing within one event loop."""

import asyncio

from client_case import ClientCase, main
import tidemark


class AioTest(ClientCase):
    def run_async(self, work):
        """Runs work(client) with an asyncio client."""
        async def go():
            async with tidemark.aio.connect(self.address) as client:
                return await asyncio.wait_for(work(client), 60)
        return asyncio.run(go())

    def test_calls_pages_and_watch(self):
        async def work(client):
            sync = await client.start_sync("flaky")
            names = [connection.name async for connection in client.connections()]
            events = [event.sequence async for event in client.watch(sync.sync_id)]
            return sync.sync_id, names, events, (await client.wait(sync.sync_id)).status
        sync_id, names, events, status = self.run_async(work)
        self.assertEqual(("sync_1", 5, list(range(1, 11))), (sync_id, len(names), events))
        self.assertEqual(tidemark.types.SYNC_STATUS_COMPLETED, status)

    def test_errors_are_typed(self):
        async def work(client):
            await client.connection("missing")
        self.assertEqual("NO_CONNECTION", self.fails("NOT_FOUND", self.run_async, work).reason)

    def test_cuts_neither_lose_nor_double_a_row(self):
        async def work(client):
            async with client.push("cut-3", "p", give_up_after=30) as push:
                for i in range(12_000):
                    await push.upsert("orders", {"id": i})
                await push.checkpoint({"n": 1})
                return await push.flush()
        self.assertGreater(self.run_async(work), 0)
        self.assertEqual(list(range(12_000)), self.ids("cut-3/p"))

    def test_the_end_of_the_block_makes_the_rest_durable(self):
        async def work(client):
            async with client.push("hold", "p") as push:
                await push.upsert("orders", {"id": 1})
        self.run_async(work)
        self.assertEqual([1], self.ids("hold/p"))

    def test_bad_rows_come_back(self):
        async def work(client):
            async with client.push("bad", "p") as push:
                await push.upsert("orders", {"id": None})
                await push.flush()
            return push.row_errors
        self.assertEqual([{"id": None}], [error.row for error in self.run_async(work)])

    def test_errors_at_the_start_and_cuts_that_stay(self):
        async def denied(client):
            async with client.push("denied", "p"):
                pass
        self.fails("PERMISSION_DENIED", self.run_async, denied)

        async def cut(client):
            async with client.push("cut-1", "p", give_up_after=0.5) as push:
                await push.upsert("orders", {"id": 1})
                await push.flush()
        self.fails("UNAVAILABLE", self.run_async, cut)

    def test_an_exception_in_the_block_ends_the_stream(self):
        async def work(client):
            async with client.push("hold", "p") as push:
                await push.upsert("orders", {"id": 1})
                raise KeyError("the author's own")
        with self.assertRaises(KeyError):
            self.run_async(work)
        self.assertEqual([], self.ids("hold/p"))

    def test_a_full_outbox_gives_others_their_turn(self):
        async def work(client):
            async with client.push("plain", "p", max_unacknowledged_bytes=20_000) as push:
                for i in range(2_000):
                    await push.upsert("orders", {"id": i, "text": "x" * 100})
        self.run_async(work)
        self.assertEqual(2_000, len(self.ids("plain/p")))


if __name__ == "__main__":
    main()
