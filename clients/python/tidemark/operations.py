"""What a connector's update() says: tidemark.upsert(...), checkpoint(...) and the others.

They act when they are called, so `yield tidemark.upsert(...)` and `tidemark.upsert(...)` do the
same. They block while the server is behind, and may be called from threads that update() started
and waits for.
"""

from __future__ import annotations

import collections
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from tidemark._wire import connector_pb2 as pb
from tidemark.errors import CODES, Error
from tidemark.values import RowValue, encode_row, varint

Row = Mapping[str, RowValue]

_MESSAGE_ROWS = 1_000
_MESSAGE_BYTES = 256 * 1024
_MESSAGE_SECONDS = 0.2
_STATE_BYTES_MAX = 10 * 1024 * 1024
_QUEUE_BYTES = 4 * 1024 * 1024  # messages that gRPC has not asked for yet
_NO_TABLE = 0xffffffff


class SyncCancelled(BaseException):
    """The server wants no more of this sync. No Exception, so that `except Exception` passes it."""


class Run:
    """One sync: what update() said, on its way to the stream. Thread-safe."""

    def __init__(self, tables: list[pb.Table]) -> None:
        self._changed = threading.Condition()
        self._messages: collections.deque[bytes] = collections.deque()
        self._messages_bytes = 0
        self._rows: list[bytes] = []  # entries of Rows.rows
        self._rows_bytes = 0
        self._rows_since = 0.0
        self._checkpoints = 0
        self._indexes = {(table.schema, table.name): i for i, table in enumerate(tables)}
        self._since_checkpoint: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._states: dict[int, Any] = {}  # by checkpoint, for Connector.committed
        self._cancelled = False
        self._ended = False

    # ---- the author's side ----
    def row(self, kind: Any, table: str, row: Row, before: Row | None, schema: str,
            on_error_continue: bool) -> None:
        """A change."""
        added = encode_row(kind, table, row, schema=schema, before=before,
                           on_error_continue=on_error_continue)
        with self._changed:
            self._check()
            index = self._index(schema, table)
            if not self._rows:
                self._rows_since = time.monotonic()
            self._rows.append(added)
            self._rows_bytes += len(added)
            self._since_checkpoint[index] = self._since_checkpoint.get(index, 0) + 1
            self._sent[index] = self._sent.get(index, 0) + 1
            if (len(self._rows) >= _MESSAGE_ROWS or self._rows_bytes >= _MESSAGE_BYTES or
                    time.monotonic() - self._rows_since >= _MESSAGE_SECONDS):
                self._flush_rows()

    def checkpoint(self, state: Any, cursor: str) -> None:
        """Everything so far may be committed with this state."""
        body = json.dumps(state, ensure_ascii=False, allow_nan=False).encode()
        if len(body) > _STATE_BYTES_MAX:
            raise ValueError(f"a state of {len(body)} bytes; at most {_STATE_BYTES_MAX}: keep "
                             "cursors in it, not rows")
        with self._changed:
            self._check()
            self._flush_rows()
            self._checkpoints += 1
            self._states[self._checkpoints] = state
            message = pb.UpdateResponse()
            message.checkpoint.id = self._checkpoints
            message.checkpoint.states.add(body=body, cursor=cursor, format=1)
            for index, rows in sorted(self._since_checkpoint.items()):
                message.checkpoint.rows_since_last.add(table=index, rows=rows)
            self._since_checkpoint.clear()
            self._put(message)

    def say(self, message: pb.UpdateResponse) -> None:
        """A message behind the rows so far."""
        with self._changed:
            self._check()
            self._flush_rows()
            self._put(message)

    def finish(self, error: Error | None) -> None:
        """The last message; rows so far go before it."""
        message = pb.UpdateResponse()
        if error is None:
            message.finished.code = 0
        else:
            message.finished.code = CODES[error.code]
            message.finished.message = error.message[:8000]
            message.finished.retry_after_us = int((error.retry_after or 0) * 1_000_000)
        with self._changed:
            if self._cancelled:
                return
            self._flush_rows()
            for index, rows in sorted(self._sent.items()):
                message.finished.sent.add(table=index, rows=rows)
            self._put(message)
            self._ended = True
            self._changed.notify_all()

    def _check(self) -> None:
        if self._cancelled or self._ended:
            raise SyncCancelled("the sync has ended")

    def _index(self, schema: str, table: str) -> int:
        index = self._indexes.get((schema, table))
        if index is None:
            self._flush_rows()
            index = self._indexes[(schema, table)] = len(self._indexes)
            message = pb.UpdateResponse()
            message.table_definition.index = index
            message.table_definition.table.schema = schema
            message.table_definition.table.name = table
            self._put(message)
        return index

    def _flush_rows(self) -> None:
        if self._rows:
            rows, self._rows, self._rows_bytes = b"".join(self._rows), [], 0
            self._put_bytes(b"\x12" + varint(len(rows)) + rows)  # UpdateResponse.rows

    def _put(self, message: pb.UpdateResponse) -> None:
        self._put_bytes(message.SerializeToString())

    def _put_bytes(self, message: bytes) -> None:
        while self._messages and self._messages_bytes + len(message) > _QUEUE_BYTES:
            self._changed.wait()
            self._check()
        self._messages.append(message)
        self._messages_bytes += len(message)
        self._changed.notify_all()

    # ---- the stream's side ----
    def next(self) -> bytes | None:
        """The next UpdateResponse; None: that was the last one."""
        with self._changed:
            while not self._messages:
                if self._ended or self._cancelled:
                    return None
                self._changed.wait()
            message = self._messages.popleft()
            self._messages_bytes -= len(message)
            self._changed.notify_all()
            return message

    def cancel(self) -> None:
        """Nobody listens any more: the author's next call raises SyncCancelled."""
        with self._changed:
            self._cancelled = True
            self._messages.clear()
            self._messages_bytes = 0
            self._changed.notify_all()

    def committed(self, durable: int) -> Any:
        """The state of the newest checkpoint that is durable now; None: none is new."""
        with self._changed:
            state = None
            for checkpoint in [c for c in self._states if c <= durable]:
                state = self._states.pop(checkpoint)
            return state


_current: Run | None = None


def begin(run: Run | None) -> None:
    """The run that the functions below speak to: one at a time in a process."""
    global _current  # pylint: disable=global-statement
    _current = run


def _run() -> Run:
    if _current is None:
        raise RuntimeError("no sync runs: these functions are called within update()")
    return _current


def upsert(table: str, row: Row, *, schema: str = "", on_error_continue: bool = False) -> None:
    """A full row: a column that is not given becomes NULL."""
    _run().row(pb.CHANGE_KIND_UPSERT, table, row, None, schema, on_error_continue)


def update(table: str, row: Row, *, before: Row | None = None, schema: str = "",
           on_error_continue: bool = False) -> None:
    """The key and the changed columns; `before`: the old key where it changes."""
    _run().row(pb.CHANGE_KIND_UPDATE, table, row, before, schema, on_error_continue)


def delete(table: str, key: Row, *, schema: str = "", on_error_continue: bool = False) -> None:
    """The row with this key."""
    _run().row(pb.CHANGE_KIND_DELETE, table, key, None, schema, on_error_continue)


def truncate(table: str, *, schema: str = "") -> None:
    """Rows of the table that are not written again in this sync are deleted."""
    _run().row(pb.CHANGE_KIND_TRUNCATE, table, {}, None, schema, False)


def checkpoint(state: Any, *, cursor: str = "") -> None:
    """Everything so far may be committed with this state (what JSON can hold), which the next
    update() is given. cursor: how reports call the place, "2026-01-31"."""
    _run().checkpoint(state, cursor)


def warning(text: str) -> None:
    """A line of the report."""
    _run().say(pb.UpdateResponse(warning=pb.Warning(table=_NO_TABLE, text=text)))


_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}


def log(text: str, level: str = "info") -> None:
    """A line of the sync's log. level: debug, info, warning, error. Never put secrets into it."""
    _run().say(pb.UpdateResponse(log=pb.Log(level=_LEVELS[level], text=text)))

