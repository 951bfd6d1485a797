"""A stream of changes into a connection, resumed by itself, for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from tidemark._wire import ingest_pb2 as ingest
from tidemark.channel import Endpoint
from tidemark.errors import Error, from_rpc
from tidemark.outbox import (DELETE, MESSAGE_SECONDS, TRUNCATE, UPDATE, UPSERT, Outbox, RowError)
from tidemark.push import PUSH, Retries, Row, RowErrors, State, state_bytes
from tidemark.table import Table


class Push:
    """As tidemark.push.Push, with the same words, for one event loop. Rows wait (and give others
    their turn) only while too much is unacknowledged."""

    def __init__(self, channel: grpc.aio.Channel, endpoint: Endpoint, connection: str,
                 producer: str, *, explicit_checkpoints: bool = False,
                 max_unacknowledged_bytes: int = 64 << 20, give_up_after: float = 300.0,
                 on_row_error: Callable[[RowError], None] | None = None,
                 on_warning: Callable[[str, str], None] | None = None) -> None:
        self.row_errors = RowErrors()
        self._call = channel.stream_stream(
            PUSH, response_deserializer=ingest.PushResponse.FromString)
        self._metadata = endpoint.metadata
        self._outbox = Outbox(connection, producer, explicit=explicit_checkpoints,
                              limit_bytes=max_unacknowledged_bytes)
        self._on_row_error, self._on_warning = on_row_error or self.row_errors.take, on_warning
        self._retries = Retries(give_up_after)
        self._waiting: set[asyncio.Future[None]] = set()  # whoever waits for a change
        self._failure: BaseException | None = None
        self._closing = False
        self._began = False
        self._done = False
        self._task: asyncio.Task[None] | None = None

    # ---- rows ----
    async def upsert(self, table: str, row: Row, *, schema: str = "",
                     on_error_continue: bool = False, event_time_us: int | None = None) -> None:
        """A full row: a column that is not given becomes NULL."""
        await self._row(UPSERT, table, row, schema, None, on_error_continue, event_time_us)

    async def update(self, table: str, row: Row, *, before: Row | None = None, schema: str = "",
                     on_error_continue: bool = False, event_time_us: int | None = None) -> None:
        """The key and the changed columns; `before`: the old key where it changes."""
        await self._row(UPDATE, table, row, schema, before, on_error_continue, event_time_us)

    async def delete(self, table: str, key: Row, *, schema: str = "",
                     on_error_continue: bool = False, event_time_us: int | None = None) -> None:
        """The row with this key."""
        await self._row(DELETE, table, key, schema, None, on_error_continue, event_time_us)

    async def truncate(self, table: str, *, schema: str = "") -> None:
        """Rows of the table that are not written again are deleted."""
        await self._row(TRUNCATE, table, {}, schema, None, False, None)

    async def define(self, table: Table) -> None:
        """Declares a table, or adds columns to it. Rows need no definition; keys and types do."""
        await self._wait_for_room()
        self._outbox.define(table)
        self._notify()

    async def checkpoint(self, state: State = b"") -> None:
        """Everything before may be committed with this state, which the next stream is given."""
        await self._wait_for_room()
        self._outbox.checkpoint(state_bytes(state))
        self._notify()

    async def flush(self) -> int:
        """Waits until all so far is durable; the state version that says so."""
        self._check()
        target = self._outbox.flush_target()
        self._notify()
        while self._outbox.acknowledged_ordinal < target:
            await self._change()
            self._check()
        return self._outbox.state_version

    @property
    def state(self) -> bytes:
        """Of the last durable checkpoint."""
        return self._outbox.state

    @property
    def state_version(self) -> int:
        """The newest state version that was acknowledged; 0: none yet."""
        return self._outbox.state_version

    # ---- its life ----
    async def __aenter__(self) -> Push:
        self._task = asyncio.create_task(self._run(), name="tidemark-push")
        try:
            while not (self._began or self._done):
                await self._change()
            self._check()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            await self.close()
        else:
            await self._stop()

    async def close(self) -> None:
        """Sends what is left and waits until all is durable and the stream has ended."""
        if not self._failure:
            self._outbox.seal()
        self._closing = True
        self._notify()
        try:
            while not self._done:
                await self._change()
        finally:
            await self._stop()
        if self._failure:
            raise self._failure

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self._closing or self._done:
            raise Error("FAILED_PRECONDITION", "the push is closed")
        if not self._began:
            raise Error("FAILED_PRECONDITION", "a push begins with `async with`")

    async def _row(self, kind: Any, table: str, row: Row, schema: str, before: Row | None,
                   on_error_continue: bool, event_time_us: int | None) -> None:
        self._check()
        if not self._outbox.has_room():
            await self._wait_for_room()
        outbox = self._outbox
        waiting, filling = outbox.unacknowledged, outbox.filling_since
        outbox.row(kind, table, row, schema, before, on_error_continue, event_time_us)
        if filling is None or outbox.unacknowledged != waiting:
            self._notify()
            await asyncio.sleep(0)  # a loop that only pushes must not starve the stream

    async def _wait_for_room(self) -> None:
        self._check()
        while not self._outbox.has_room():
            self._notify()
            await self._change()
            self._check()

    def _notify(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def _change(self, timeout: float | None = None) -> None:
        """Until something has changed, at most `timeout` seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        await asyncio.wait({waiter}, timeout=timeout)
        self._waiting.discard(waiter)

    # ---- the stream ----
    async def _run(self) -> None:
        try:
            while not await self._stream():
                pass
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # pylint: disable=broad-except  # raised by _check
            self._failure = error
        finally:
            self._done = True
            self._notify()

    async def _stream(self) -> bool:
        """One call; True once there is nothing more to do."""
        call = self._call(metadata=self._metadata)
        begun = asyncio.Event()
        writer = asyncio.create_task(self._write(call, begun))
        error = Error("UNAVAILABLE", "the server ended the stream before its end")
        try:
            async for response in call:
                self._take(response, begun)
        except grpc.RpcError as cut:
            error = from_rpc(cut)
        finally:
            writer.cancel()
            call.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        if self._closing and self._began and not self._outbox.unacknowledged:
            return True
        await asyncio.sleep(self._retries.pause(error))
        return False

    async def _write(self, call: Any, begun: asyncio.Event) -> None:
        outbox = self._outbox
        try:
            await call.write(outbox.start())
            await begun.wait()
            while True:
                message = outbox.next()
                if message is not None:
                    await call.write(message)
                    continue
                left: float | None = None
                if outbox.filling_since is not None:
                    left = outbox.filling_since + MESSAGE_SECONDS - time.monotonic()
                    if left <= 0:
                        outbox.seal()
                        continue
                elif self._closing:
                    await call.done_writing()
                    return
                await self._change(left)
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass  # the call is over; its reader knows why

    def _take(self, response: ingest.PushResponse, begun: asyncio.Event) -> None:
        kind = response.WhichOneof("response")
        outbox = self._outbox
        if kind == "row_error":
            row_error = outbox.row_error(response.row_error)
            if row_error is not None:
                self._on_row_error(row_error)
            return
        if kind == "warning":
            if self._on_warning is not None:
                self._on_warning(response.warning.table, response.warning.text)
            return
        if kind == "started":
            outbox.started(response.started)
            self._began = True
            begun.set()
            if outbox.unacknowledged:
                self._notify()
                return  # a stream that is cut again and again is no progress
        elif kind == "acknowledged":
            outbox.acknowledged(response.acknowledged.sequence,
                                response.acknowledged.state_version)
        elif kind == "ended":
            outbox.acknowledged(response.ended.durable_sequence, response.ended.state_version)
        self._retries.progressed()
        self._notify()
