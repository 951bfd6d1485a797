"""What a producer has sent and not yet seen durable: messages, their numbers and their resending.

No threads and no sockets here: push.py and aio/push.py drive it, each under its own lock or loop.
"""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Mapping
from typing import Any

from tidemark._wire import connector_pb2 as pb
from tidemark._wire import ingest_pb2 as ingest
from tidemark.errors import CODES, Error
from tidemark.table import Table
from tidemark.values import encode_row, read_values, varint

MESSAGE_ROWS = 1_000
MESSAGE_BYTES = 256 * 1024
MESSAGE_SECONDS = 0.050  # how long a row waits for others
ROW_BYTES_MAX = 4 * 1024 * 1024 - 4096  # the server's limit of a request, less its envelope

_CODE_NAMES = {number: name for name, number in CODES.items()}

UPSERT, UPDATE = pb.CHANGE_KIND_UPSERT, pb.CHANGE_KIND_UPDATE
DELETE, TRUNCATE = pb.CHANGE_KIND_DELETE, pb.CHANGE_KIND_TRUNCATE


@dataclasses.dataclass(frozen=True)
class RowError:
    """A row that became a dead letter of the destination; the rest went on."""

    table: str
    row: dict[str, Any] | None  # as it was pushed; None when the message is no longer kept
    code: str                   # "INVALID_ARGUMENT"
    reason: str
    sequence: int               # of the message
    index: int                  # of the row in the message, 0 the first


class _Entry:
    """One message without its number, which is written when it is sent."""

    __slots__ = ("ordinal", "sequence", "body", "kind", "index")

    def __init__(self, ordinal: int, body: bytes, kind: str, index: int = -1) -> None:
        self.ordinal = ordinal    # 1, 2, 3, ... within this program
        self.sequence = 0         # 1, 2, 3, ... within the producer's life
        self.body = body          # a PushRequest without `sequence`
        self.kind = kind          # "rows", "table", "checkpoint"
        self.index = index        # of the defined table


class Outbox:
    """Confined to one thread or to its owner's lock."""

    def __init__(self, connection: str, producer: str, *, explicit: bool, limit_bytes: int) -> None:
        self.connection, self.producer = connection, producer
        self.state = b""
        self.state_version = 0
        self.acknowledged_ordinal = 0
        self.filling_since: float | None = None  # time.monotonic() of the first row in the message
        self._explicit = explicit
        self._limit_bytes = limit_bytes
        self._entries: collections.deque[_Entry] = collections.deque()
        self._next = 0               # in _entries: the first that this stream has not been given
        self._bytes = 0              # of _entries
        self._rows: list[bytes] = []  # of the message that is being filled: entries of Rows.rows
        self._rows_bytes = 0
        self._rows_since_checkpoint = False
        self._ordinal = 0
        self._durable = 0            # sequence
        self._highest_sent = 0       # sequence, on any stream
        self._began = False
        self._tables: dict[tuple[str, str], int] = {}
        self._definitions: dict[int, bytes] = {}  # of durable definitions
        self._reported: set[tuple[int, int]] = set()

    # ---- what the author adds ----
    def has_room(self) -> bool:
        """False: all is sealed; add nothing before something was acknowledged. Error where that
        cannot happen."""
        if self._bytes + self._rows_bytes < self._limit_bytes:
            return True
        self.seal()
        if self._explicit and not any(entry.kind == "checkpoint" for entry in self._entries):
            raise Error("RESOURCE_EXHAUSTED",
                        f"{self._bytes} bytes of rows without a checkpoint are more than the "
                        f"{self._limit_bytes} that may be unacknowledged; put checkpoints more "
                        "often, or raise max_unacknowledged_bytes")
        return False

    def row(self, kind: Any, table: str, row: Mapping[str, Any], schema: str,
            before: Mapping[str, Any] | None, on_error_continue: bool,
            event_time_us: int | None) -> None:
        """Adds a row to the message that is being filled; seals it when it is full."""
        added = encode_row(kind, table, row, schema=schema, before=before,
                           on_error_continue=on_error_continue, event_time_us=event_time_us)
        if len(added) > ROW_BYTES_MAX:
            raise Error("INVALID_ARGUMENT", f"table {table}: a row of {len(added)} bytes; a "
                        f"request holds at most {ROW_BYTES_MAX}", reason="ROW_TOO_LARGE")
        if self._rows and self._rows_bytes + len(added) > MESSAGE_BYTES:
            self.seal()
        self._rows.append(added)
        self._rows_bytes += len(added)
        self._rows_since_checkpoint = True
        if self.filling_since is None:
            self.filling_since = time.monotonic()
        if len(self._rows) >= MESSAGE_ROWS or self._rows_bytes >= MESSAGE_BYTES:
            self.seal()

    def define(self, table: Table) -> None:
        """Declares a table, or adds columns to one."""
        message = table.message()
        self.seal()
        index = self._tables.setdefault((table.schema, table.name), len(self._tables))
        request = ingest.PushRequest()
        request.table.index = index
        request.table.table.CopyFrom(message)
        self._add("table", request.SerializeToString(), index)

    def checkpoint(self, state: bytes) -> None:
        """Everything before may be committed with this state."""
        if len(state) > 1024 * 1024:
            raise Error("INVALID_ARGUMENT", f"a state of {len(state)} bytes; at most 1 MiB")
        self.seal()
        self._add("checkpoint",
                  ingest.PushRequest(checkpoint={"state": state}).SerializeToString())
        self._rows_since_checkpoint = False

    def seal(self) -> None:
        """Nothing is added to the message that is being filled: it may be sent."""
        if self.filling_since is None:
            return
        rows, self._rows, self._rows_bytes = b"".join(self._rows), [], 0
        self.filling_since = None
        self._add("rows", b"\x22" + varint(len(rows)) + rows)  # PushRequest.rows

    def flush_target(self) -> int:
        """Seals, and answers the ordinal that is acknowledged once all so far is durable."""
        self.seal()
        if self._explicit and self._rows_since_checkpoint:
            raise Error("FAILED_PRECONDITION",
                        "rows after the last checkpoint become durable with the next one only; "
                        "call checkpoint() before flush()")
        return self._ordinal

    def _add(self, kind: str, body: bytes, index: int = -1) -> None:
        self._ordinal += 1
        entry = _Entry(self._ordinal, body, kind, index)
        entry.sequence = (self._entries[-1].sequence if self._entries else self._durable) + 1
        self._entries.append(entry)
        self._bytes += len(entry.body)

    # ---- what is sent ----
    def start(self) -> bytes:
        """The first message of every stream."""
        mode = (ingest.CHECKPOINT_MODE_EXPLICIT if self._explicit else
                ingest.CHECKPOINT_MODE_EVERY_MESSAGE)
        return ingest.PushRequest(start=ingest.PushStart(
            connection=self.connection, producer=self.producer,
            checkpoints=mode)).SerializeToString()

    def next(self) -> bytes | None:
        """The next message of this stream; None: there is none yet."""
        if self._next >= len(self._entries):
            return None
        entry = self._entries[self._next]
        self._next += 1
        self._highest_sent = max(self._highest_sent, entry.sequence)
        return b"\x08" + varint(entry.sequence) + entry.body  # PushRequest.sequence before the rest

    @property
    def unacknowledged(self) -> int:
        """Messages, the one that is being filled not among them."""
        return len(self._entries)

    # ---- what the server answers ----
    def started(self, started: ingest.Started) -> None:
        """A stream begins: what is not durable goes out again, under numbers that go on from there.

        Numbers may change: definitions live as long as a stream and are sent anew before the rest.
        """
        durable = started.durable_sequence
        if self._began and durable < self._durable:
            raise Error("DATA_LOSS", f"the server acknowledged message {self._durable} and knows "
                        f"{durable} of them now: its destination was set back; push from your "
                        "source's beginning", reason="ACKNOWLEDGED_LOST")
        if self._began and durable > self._highest_sent:
            raise Error("ABORTED", f"another program pushes as producer {self.producer} of "
                        f"{self.connection}", reason="FENCED")
        if self._began:
            self._drop(durable)
        self._began, self._durable = True, durable
        self.state, self.state_version = started.state, started.state_version
        for index in sorted(self._definitions, reverse=True):
            self._entries.appendleft(_Entry(0, self._definitions[index], "table", index))
            self._bytes += len(self._definitions[index])
        for sequence, entry in enumerate(self._entries, durable + 1):
            entry.sequence = sequence
        self._next = 0

    def acknowledged(self, sequence: int, state_version: int) -> None:
        """Every message up to `sequence` is durable."""
        self._drop(sequence)
        self._durable = max(self._durable, sequence)
        self.state_version = max(self.state_version, state_version)
        if self._reported:
            self._reported = {key for key in self._reported if key[0] > self.acknowledged_ordinal}

    def _drop(self, sequence: int) -> None:
        while self._entries and self._entries[0].sequence <= sequence:
            entry = self._entries.popleft()
            self._next = max(0, self._next - 1)
            self._bytes -= len(entry.body)
            self.acknowledged_ordinal = max(self.acknowledged_ordinal, entry.ordinal)
            if entry.kind == "table":
                self._definitions[entry.index] = entry.body
            elif entry.kind == "checkpoint":
                self.state = ingest.PushRequest.FromString(entry.body).checkpoint.state

    def row_error(self, error: ingest.RowError) -> RowError | None:
        """The row that was refused; None when it was reported already, before a cut."""
        entry = next((e for e in self._entries if e.sequence == error.sequence), None)
        row = None
        if entry is not None:
            key = (entry.ordinal, error.index)
            if key in self._reported:
                return None
            self._reported.add(key)
            rows = ingest.PushRequest.FromString(entry.body).rows.rows
            row = read_values(rows[error.index].values) if error.index < len(rows) else None
        return RowError(error.table, row, _CODE_NAMES.get(error.code, "UNKNOWN"), error.reason,
                        error.sequence, error.index)
