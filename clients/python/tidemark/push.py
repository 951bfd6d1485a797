"""A stream of changes into a connection, resumed by itself."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc

from tidemark._wire import ingest_pb2 as ingest
from tidemark.channel import Endpoint
from tidemark.errors import Error, from_rpc, is_cut
from tidemark.outbox import (DELETE, MESSAGE_SECONDS, TRUNCATE, UPDATE, UPSERT, Outbox, RowError)
from tidemark.table import Table
from tidemark.values import RowValue

Row = Mapping[str, RowValue]
State = bytes | str | dict | list

PUSH = "/tidemark.v1.Ingest/Push"
_ROW_ERRORS_KEPT = 1_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds


def state_bytes(state: State) -> bytes:
    """bytes as they are, text in UTF-8, anything else as JSON."""
    if isinstance(state, bytes):
        return state
    return (state if isinstance(state, str) else json.dumps(state, ensure_ascii=False)).encode()


class Retries:
    """When to try again after a cut: pauses that grow, until there was no progress for too long."""

    def __init__(self, give_up_after: float) -> None:
        self._give_up_after = give_up_after
        self.progressed()

    def progressed(self) -> None:
        """Something was acknowledged, or a stream began and nothing waits to be."""
        self._failing_since: float | None = None
        self._pause = _FIRST_PAUSE

    def pause(self, error: Error, repeatable: bool | None = None) -> float:
        """Seconds to wait before the next try; raises what trying again does not mend."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if repeatable is None:
            repeatable = is_cut(error)
        if not repeatable or now - self._failing_since > self._give_up_after:
            raise error
        pause = random.uniform(self._pause / 2, self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return max(pause, error.retry_after or 0.0)


class RowErrors(list[RowError]):
    """The first refused rows; `total` tells of all."""

    total: int = 0

    def take(self, error: RowError) -> None:
        """Keeps one of the first thousand."""
        self.total += 1
        if len(self) < _ROW_ERRORS_KEPT:
            self.append(error)


class _Stream:
    """One call, from its Start to its end. The outbox's lock guards it."""

    def __init__(self) -> None:
        self.begun = False   # Started has come
        self.ended = False   # the call is over, whatever is left to send


class Push:
    """A producer's stream of changes: `with client.push("orders", "shop-1") as push: ...`.

    Rows are durable when flush() returns, or when the `with` block has ended without an exception;
    an exception in the block ends the stream at once, and what was not acknowledged by then may or
    may not be durable. Thread-safe: rows of several threads come in the order of their calls.

    state, state_version: of the last durable checkpoint (bytes, empty when there is none).
    row_errors: rows that became dead letters (the first 1,000; `row_errors.total` counts all),
    unless on_row_error takes them: it is called on a thread of this object and must not push.
    """

    def __init__(self, channel: grpc.Channel, endpoint: Endpoint, connection: str, producer: str, *,
                 explicit_checkpoints: bool = False, max_unacknowledged_bytes: int = 64 << 20,
                 give_up_after: float = 300.0,
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
        self._changed = threading.Condition()
        # All below is guarded by _changed.
        self._failure: BaseException | None = None
        self._closing = False   # half-close after the last message
        self._stopped = False   # end at once
        self._began = False     # a first stream has begun
        self._done = False
        self._running: Any = None
        self._thread = threading.Thread(target=self._run, name="tidemark-push", daemon=True)

    # ---- rows ----
    def upsert(self, table: str, row: Row, *, schema: str = "", on_error_continue: bool = False,
               event_time_us: int | None = None) -> None:
        """A full row: a column that is not given becomes NULL."""
        self._row(UPSERT, table, row, schema, None, on_error_continue, event_time_us)

    def update(self, table: str, row: Row, *, before: Row | None = None, schema: str = "",
               on_error_continue: bool = False, event_time_us: int | None = None) -> None:
        """The key and the changed columns; `before`: the old key where it changes."""
        self._row(UPDATE, table, row, schema, before, on_error_continue, event_time_us)

    def delete(self, table: str, key: Row, *, schema: str = "", on_error_continue: bool = False,
               event_time_us: int | None = None) -> None:
        """The row with this key."""
        self._row(DELETE, table, key, schema, None, on_error_continue, event_time_us)

    def truncate(self, table: str, *, schema: str = "") -> None:
        """Rows of the table that are not written again are deleted."""
        self._row(TRUNCATE, table, {}, schema, None, False, None)

    def define(self, table: Table) -> None:
        """Declares a table, or adds columns to it. Rows need no definition; keys and types do."""
        with self._changed:
            self._wait_for_room()
            self._outbox.define(table)
            self._changed.notify_all()

    def checkpoint(self, state: State = b"") -> None:
        """Everything before may be committed with this state, which the next stream is given."""
        with self._changed:
            self._wait_for_room()
            self._outbox.checkpoint(state_bytes(state))
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> int:
        """Waits until all so far is durable; the state version that says so. TimeoutError."""
        with self._changed:
            self._check()
            target = self._outbox.flush_target()
            self._changed.notify_all()
            until = None if timeout is None else time.monotonic() + timeout
            while self._outbox.acknowledged_ordinal < target:
                if not self._changed.wait(None if until is None else until - time.monotonic()) \
                        and until is not None and time.monotonic() >= until:
                    raise TimeoutError(f"not everything was durable within {timeout} s")
                self._check()
            return self._outbox.state_version

    @property
    def state(self) -> bytes:
        """Of the last durable checkpoint."""
        with self._changed:
            return self._outbox.state

    @property
    def state_version(self) -> int:
        """The newest state version that was acknowledged; 0: none yet."""
        with self._changed:
            return self._outbox.state_version

    # ---- its life ----
    def __enter__(self) -> Push:
        self._thread.start()
        with self._changed:
            while not (self._began or self._failure or self._done):
                self._changed.wait()
            self._check()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.close()
        else:
            self._stop()

    def close(self) -> None:
        """Sends what is left and waits until all is durable and the stream has ended."""
        with self._changed:
            try:
                if not self._failure:
                    self._outbox.seal()
                self._closing = True
                self._changed.notify_all()
                while not self._done:
                    self._changed.wait()
            except BaseException:  # an interrupt while waiting
                self._stop()
                raise
            if self._failure:
                raise self._failure
        self._thread.join()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            running = self._running
            self._changed.notify_all()
        if running is not None:
            running.cancel()
        self._thread.join()

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self._stopped or self._closing or self._done:
            raise Error("FAILED_PRECONDITION", "the push is closed")
        if not self._began:
            raise Error("FAILED_PRECONDITION", "a push begins with `with`")

    def _row(self, kind: Any, table: str, row: Row, schema: str, before: Row | None,
             on_error_continue: bool, event_time_us: int | None) -> None:
        with self._changed:
            self._wait_for_room()
            outbox = self._outbox
            waiting, filling = outbox.unacknowledged, outbox.filling_since
            outbox.row(kind, table, row, schema, before, on_error_continue, event_time_us)
            if filling is None or outbox.unacknowledged != waiting:
                self._changed.notify_all()

    def _wait_for_room(self) -> None:
        self._check()
        while not self._outbox.has_room():
            self._changed.notify_all()
            self._changed.wait()
            self._check()

    # ---- gRPC's thread that asks for messages ----
    def _messages(self, stream: _Stream) -> Iterator[bytes]:
        yield self._outbox.start()
        while True:
            with self._changed:
                message = self._next_message(stream)
            if message is None:
                return
            yield message

    def _next_message(self, stream: _Stream) -> bytes | None:
        """None: this stream is given nothing more."""
        outbox = self._outbox
        while not (stream.ended or self._stopped):
            message = outbox.next() if stream.begun else None
            if message is not None:
                return message
            left: float | None = None
            if outbox.filling_since is not None and stream.begun:
                left = outbox.filling_since + MESSAGE_SECONDS - time.monotonic()
                if left <= 0:
                    outbox.seal()
                    continue
            elif self._closing and stream.begun:
                return None  # half-close
            self._changed.wait(left)
        return None

    # ---- our thread, which reads ----
    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            while not self._stream():
                pass
        except BaseException as error:  # pylint: disable=broad-except  # raised by _check
            failure = error
        with self._changed:
            self._failure = None if self._stopped else failure
            self._done = True
            self._changed.notify_all()

    def _stream(self) -> bool:
        """One call; True once there is nothing more to do."""
        stream = _Stream()
        call = self._call(self._messages(stream), metadata=self._metadata)
        with self._changed:
            self._running = call
            if self._stopped:
                call.cancel()
        error = Error("UNAVAILABLE", "the server ended the stream before its end")
        try:
            for response in call:
                self._take(response, stream)
        except grpc.RpcError as cut:
            error = from_rpc(cut)
        finally:
            with self._changed:
                stream.ended = True
                self._changed.notify_all()
            call.cancel()
        with self._changed:
            if self._stopped or (self._closing and self._began and
                                 not self._outbox.unacknowledged):
                return True
            pause = self._retries.pause(error)
            self._changed.wait_for(lambda: self._stopped, pause)
            return self._stopped

    def _take(self, response: ingest.PushResponse, stream: _Stream) -> None:
        kind = response.WhichOneof("response")
        if kind == "row_error":
            with self._changed:
                row_error = self._outbox.row_error(response.row_error)
            if row_error is not None:
                self._on_row_error(row_error)
        elif kind == "warning" and self._on_warning is not None:
            self._on_warning(response.warning.table, response.warning.text)
        with self._changed:
            if kind == "started":
                self._outbox.started(response.started)
                stream.begun = self._began = True
                if self._outbox.unacknowledged:
                    self._changed.notify_all()
                    return  # a stream that is cut again and again is no progress
            elif kind == "acknowledged":
                self._outbox.acknowledged(response.acknowledged.sequence,
                                          response.acknowledged.state_version)
            elif kind == "ended":
                self._outbox.acknowledged(response.ended.durable_sequence,
                                          response.ended.state_version)
            else:
                return
            self._retries.progressed()
            self._changed.notify_all()
