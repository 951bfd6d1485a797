"""The calls of tidemark.v1.Control as requests: what the two clients, sync and asyncio, share."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from tidemark._wire import control_pb2 as pb

Response = TypeVar("Response")
# A point of the history: a version, a sync_id, or a time.
Point = int | str | datetime.datetime

PAGE = 1_000


@dataclasses.dataclass(frozen=True)
class Call(Generic[Response]):
    """One call. repeatable: another one after a broken connection does no harm."""

    method: str
    request: Any
    response: type[Response]
    repeatable: bool = True

    @property
    def path(self) -> str:
        """gRPC's name of the method."""
        return f"/tidemark.v1.Control/{self.method}"


def set_time(message: Any, time: datetime.datetime | None) -> None:
    """datetime to Timestamp; without a zone it is UTC."""
    if time is not None:
        message.FromDatetime(time)


def point(to: Point) -> pb.HistoryPoint:
    """A HistoryPoint of what is easy to write."""
    made = pb.HistoryPoint()
    if isinstance(to, bool) or not isinstance(to, (int, str, datetime.datetime)):
        raise TypeError("a point of the history is a version (int), a sync_id (str) or a datetime")
    if isinstance(to, int):
        made.version = to
    elif isinstance(to, str):
        made.sync_id = to
    else:
        set_time(made.time, to)
    return made


def of(method: str, request: Message, response: type[Response]) -> Call[Response]:
    """The call of a method that reads, or whose request has an idempotency key: one is made."""
    if "idempotency_key" in request.DESCRIPTOR.fields_by_name:
        if not request.idempotency_key:  # type: ignore[attr-defined]
            request.idempotency_key = uuid.uuid4().hex  # type: ignore[attr-defined]
    return Call(method, request, response)


def once(method: str, request: Message, response: type[Response]) -> Call[Response]:
    """The call of a method that changes something and takes no idempotency key."""
    return Call(method, request, response, repeatable=False)


def apply(yaml: str, dry_run: bool, expected_version: int,
          idempotency_key: str) -> Call[pb.ApplyConnectionResponse]:
    """Creates or replaces a connection."""
    return of("ApplyConnection", pb.ApplyConnectionRequest(
        yaml=yaml, dry_run=dry_run, expected_version=expected_version,
        idempotency_key=idempotency_key), pb.ApplyConnectionResponse)


def start_sync(connection: str, full: bool, tables: Iterable[str],
               since: datetime.datetime | None, idempotency_key: str) -> Call[pb.Sync]:
    """Begins a sync."""
    request = pb.StartSyncRequest(connection=connection, full=full, tables=tables,
                                  idempotency_key=idempotency_key)
    if since is not None:
        set_time(request.since, since)
    return of("StartSync", request, pb.Sync)


def list_syncs(connection: str, statuses: Iterable[Any], since: datetime.datetime | None,
               until: datetime.datetime | None) -> Call[pb.ListSyncsResponse]:
    """Newest first."""
    request = pb.ListSyncsRequest(connection=connection, statuses=statuses, page_size=PAGE)
    if since is not None:
        set_time(getattr(request, "from"), since)
    if until is not None:
        set_time(request.until, until)
    return of("ListSyncs", request, pb.ListSyncsResponse)


def report(connection: str, sync_id: str) -> Call[pb.GetReportResponse]:
    """Of a sync, or of the last one of a connection."""
    if bool(connection) == bool(sync_id):
        raise ValueError("name a connection or a sync_id, one of them")
    return of("GetReport", pb.GetReportRequest(connection=connection, sync_id=sync_id),
              pb.GetReportResponse)


def state_show(connection: str, entry: str | None, at: Point | None) -> Call[pb.GetStateResponse]:
    """The states with their bodies."""
    return of("GetState", pb.GetStateRequest(connection=connection, entry=entry,
                                             at=None if at is None else point(at)),
              pb.GetStateResponse)


def state_diff(connection: str, since: Point, to: Point | None,
               entry: str | None) -> Call[pb.DiffStateResponse]:
    """Two points of the history against each other."""
    request = pb.DiffStateRequest(connection=connection, entry=entry,
                                  to=None if to is None else point(to))
    getattr(request, "from").CopyFrom(point(since))
    return of("DiffState", request, pb.DiffStateResponse)


def state_rollback(connection: str, to: Point, entry: str | None, dry_run: bool,
                   idempotency_key: str) -> Call[pb.StateChange]:
    """By a new version."""
    return of("RollbackState", pb.RollbackStateRequest(
        connection=connection, entry=entry, to=point(to), dry_run=dry_run,
        idempotency_key=idempotency_key), pb.StateChange)


def create_token(role: str, connections: Iterable[str], note: str,
                 expires_at: datetime.datetime | None) -> Call[pb.CreateTokenResponse]:
    """The token's text is in the answer and nowhere else."""
    request = pb.CreateTokenRequest(role=role, connections=connections, note=note)
    if expires_at is not None:
        set_time(request.expires_at, expires_at)
    return once("CreateToken", request, pb.CreateTokenResponse)
