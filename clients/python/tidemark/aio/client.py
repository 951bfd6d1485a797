"""A server, call by call, for asyncio."""

from __future__ import annotations

import asyncio
import datetime
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, TypeVar

import grpc
import grpc.aio

from tidemark import calls
from tidemark._wire import control_pb2 as pb
from tidemark.aio.push import Push
from tidemark.calls import Call, Point
from tidemark.channel import endpoint
from tidemark.errors import Error, from_rpc, may_repeat
from tidemark.outbox import RowError
from tidemark.push import Retries

Response = TypeVar("Response")
Path = str | os.PathLike[str]

WATCH = "/tidemark.v1.Control/WatchSync"


class Client:
    """Errors are tidemark.Error. Calls that may be repeated are, while the server is
    UNAVAILABLE and `timeout` (seconds, of each call) is not over."""

    def __init__(self, address: str, token: str | None = None, ca: Path | None = None,
                 cert: Path | None = None, key: Path | None = None, *,
                 timeout: float = 30.0) -> None:
        self._endpoint = endpoint(address, token, ca, cert, key)
        self._timeout = timeout
        target, options = self._endpoint.target, self._endpoint.options
        if self._endpoint.credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options)
        else:
            self._channel = grpc.aio.secure_channel(target, self._endpoint.credentials, options)
        self.state = State(self)
        self.dead_letters = DeadLetters(self)
        self.access = Access(self)

    async def close(self) -> None:
        """Ends what runs."""
        await self._channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def call(self, call: Call[Response], timeout: float | None = None) -> Response:
        """One call as calls.py makes it."""
        read: Any = call.response
        method = self._channel.unary_unary(call.path, type(call.request).SerializeToString,
                                           read.FromString)
        until = time.monotonic() + (self._timeout if timeout is None else timeout)
        retries, repeated = Retries(until - time.monotonic()), False
        while True:
            try:
                left = max(0.0, until - time.monotonic())
                return await method(call.request, timeout=left, metadata=self._endpoint.metadata)
            except grpc.RpcError as failed:
                error = from_rpc(failed)
            pause = retries.pause(error, call.repeatable and may_repeat(error, repeated))
            repeated = True
            if time.monotonic() + pause >= until:
                raise error
            await asyncio.sleep(pause)

    async def pages(self, call: Call[Any], field: str) -> AsyncIterator[Any]:
        """Every entry of a list, page by page."""
        while True:
            page = await self.call(call)
            for entry in getattr(page, field):
                yield entry
            if not page.next_page_token:
                return
            call.request.page_token = page.next_page_token

    # ---- the server, its connections and plugins ----
    async def server(self) -> pb.Server:
        """Version, limits, and who the caller is to it."""
        return await self.call(calls.of("GetServer", pb.GetServerRequest(), pb.Server))

    async def apply(self, yaml: str, dry_run: bool = False, *, expected_version: int = 0,
              idempotency_key: str = "") -> pb.ApplyConnectionResponse:
        """Creates or replaces a connection: the text of a connection file."""
        return await self.call(calls.apply(yaml, dry_run, expected_version, idempotency_key))

    def connections(self, health: Any = 0) -> AsyncIterator[pb.ConnectionRecord]:
        """Sorted by name."""
        return self.pages(calls.of("ListConnections", pb.ListConnectionsRequest(
            health=health, page_size=calls.PAGE), pb.ListConnectionsResponse), "connections")

    async def connection(self, name: str) -> pb.ConnectionRecord:
        """One connection."""
        return await self.call(calls.of("GetConnection", pb.GetConnectionRequest(name=name),
                                  pb.ConnectionRecord))

    async def delete(self, name: str, *, expected_version: int = 0) -> None:
        """Forgets a connection; destination, state and reports stay."""
        await self.call(calls.of("DeleteConnection", pb.DeleteConnectionRequest(
            name=name, expected_version=expected_version), pb.DeleteConnectionResponse))

    async def pause(self, name: str) -> pb.ConnectionRecord:
        """No sync begins by schedule until it is resumed."""
        return await self.call(calls.of("PauseConnection", pb.PauseConnectionRequest(name=name),
                                  pb.ConnectionRecord))

    async def resume(self, name: str) -> pb.ConnectionRecord:
        """Also closes the circuit breaker."""
        return await self.call(calls.of("ResumeConnection", pb.ResumeConnectionRequest(name=name),
                                  pb.ConnectionRecord))

    async def check(self, name: str, *, timeout: float = 300.0) -> pb.CheckConnectionResponse:
        """Tries the configuration against source and destination."""
        return await self.call(calls.of("CheckConnection", pb.CheckConnectionRequest(name=name),
                                  pb.CheckConnectionResponse), timeout)

    async def plan(self, name: str, *, timeout: float = 300.0) -> pb.PlanConnectionResponse:
        """What the next sync would change at the destination."""
        return await self.call(calls.of("PlanConnection", pb.PlanConnectionRequest(name=name),
                                  pb.PlanConnectionResponse), timeout)

    async def tables(self, name: str, *, timeout: float = 300.0) -> list[pb.SourceTable]:
        """The tables the source offers."""
        answer = await self.call(calls.of("ListTables", pb.ListTablesRequest(connection=name),
                                       pb.ListTablesResponse), timeout)
        return list(answer.tables)

    async def preview(self, name: str, table: str = "", rows: int = 10, *,
                timeout: float = 300.0) -> pb.PreviewTableResponse:
        """The first rows of the source, written nowhere."""
        return await self.call(calls.of("PreviewTable", pb.PreviewTableRequest(
            connection=name, table=table, rows=rows), pb.PreviewTableResponse), timeout)

    def plugins(self) -> AsyncIterator[pb.Plugin]:
        """Sorted by id."""
        return self.pages(calls.of("ListPlugins", pb.ListPluginsRequest(page_size=calls.PAGE),
                                   pb.ListPluginsResponse), "plugins")

    async def plugin(self, plugin_id: str) -> pb.Plugin:
        """With its options."""
        return await self.call(calls.of("DescribePlugin", pb.DescribePluginRequest(id=plugin_id),
                                  pb.Plugin))

    # ---- syncs ----
    async def start_sync(self, connection: str, *, full: bool = False, tables: Iterable[str] = (),
                   since: datetime.datetime | None = None, idempotency_key: str = "") -> pb.Sync:
        """Begins a sync now, or queues it behind the server's limit."""
        return await self.call(calls.start_sync(connection, full, tables, since, idempotency_key))

    async def stop_sync(self, sync_id: str, *, now: bool = False) -> pb.Sync:
        """After its open commit group, or at once."""
        request = pb.StopSyncRequest(sync_id=sync_id, now=now)
        return await self.call(calls.of("StopSync", request, pb.Sync))

    async def sync(self, sync_id: str) -> pb.Sync:
        """One sync as it is."""
        return await self.call(calls.of("GetSync", pb.GetSyncRequest(sync_id=sync_id), pb.Sync))

    def syncs(self, connection: str = "", *, statuses: Iterable[Any] = (),
              since: datetime.datetime | None = None,
              until: datetime.datetime | None = None) -> AsyncIterator[pb.Sync]:
        """Newest first."""
        return self.pages(calls.list_syncs(connection, statuses, since, until), "syncs")

    async def watch(self, sync_id: str, after_sequence: int = 0, *,
              give_up_after: float = 300.0) -> AsyncIterator[pb.SyncEvent]:
        """The events of a sync, then live, until it has ended. After a cut it goes on behind the
        last event; OUT_OF_RANGE (metadata["oldest"]) when that is no longer kept."""
        retries = Retries(give_up_after)
        method = self._channel.unary_stream(WATCH, pb.WatchSyncRequest.SerializeToString,
                                            pb.SyncEvent.FromString)
        while True:
            call = method(pb.WatchSyncRequest(sync_id=sync_id, after_sequence=after_sequence),
                          metadata=self._endpoint.metadata)
            error = Error("UNAVAILABLE", "the server ended the stream before the sync's end")
            try:
                async for event in call:
                    after_sequence = event.sequence
                    retries.progressed()
                    yield event
                    if event.WhichOneof("event") == "ended":
                        return
            except grpc.RpcError as failed:
                error = from_rpc(failed)
            finally:
                call.cancel()
            await asyncio.sleep(retries.pause(error))

    async def wait(self, sync_id: str) -> pb.Sync:
        """The sync once it has ended."""
        async for event in self.watch(sync_id):
            if event.WhichOneof("event") == "ended":
                return event.ended
        return await self.sync(sync_id)

    async def report(self, connection: str = "", *, sync_id: str = "") -> pb.GetReportResponse:
        """The Sync Status Report of a sync, or of the last ended one of a connection."""
        return await self.call(calls.report(connection, sync_id))

    async def verify(self, connection: str, tables: Iterable[str] = (), *, repair: bool = False,
               on_table: Callable[[str], None] | None = None) -> pb.VerifyResult:
        """Source against destination; `on_table` is called with each table as it is begun."""
        method = self._channel.unary_stream("/tidemark.v1.Control/Verify",
                                            pb.VerifyRequest.SerializeToString,
                                            pb.VerifyResponse.FromString)
        request = pb.VerifyRequest(connection=connection, tables=tables, repair=repair)
        try:
            async for response in method(request, metadata=self._endpoint.metadata):
                if response.WhichOneof("response") == "result":
                    return response.result
                if on_table is not None:
                    on_table(response.table_begun)
        except grpc.RpcError as failed:
            raise from_rpc(failed) from None
        raise Error("INTERNAL", "the server ended Verify without a result")

    # ---- changes ----
    def push(self, connection: str, producer: str, *, explicit_checkpoints: bool = False,
             max_unacknowledged_bytes: int = 64 << 20, give_up_after: float = 300.0,
             on_row_error: Callable[[RowError], None] | None = None,
             on_warning: Callable[[str, str], None] | None = None) -> Push:
        """A stream of changes: `async with client.push("orders", "shop-1") as push: ...`.

        explicit_checkpoints: rows between two checkpoints appear together or not at all.
        max_unacknowledged_bytes: calls block while more is sent and not durable.
        give_up_after: seconds without progress after a cut, until the cut is an error.
        on_warning: called with a table (may be empty) and a text.
        """
        return Push(self._channel, self._endpoint, connection, producer,
                    explicit_checkpoints=explicit_checkpoints,
                    max_unacknowledged_bytes=max_unacknowledged_bytes,
                    give_up_after=give_up_after, on_row_error=on_row_error, on_warning=on_warning)


class State:
    """client.state: the versioned state of connections, as `tidemark state` has it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def log(self, connection: str,
            entry: str | None = None) -> AsyncIterator[pb.StateVersionRecord]:
        """Newest version first. entry: "" of the whole connection, a table, or None: every one."""
        return self._client.pages(calls.of("ListStateVersions", pb.ListStateVersionsRequest(
            connection=connection, entry=entry, page_size=calls.PAGE),
            pb.ListStateVersionsResponse), "versions")

    async def show(self, connection: str, entry: str | None = None,
             at: Point | None = None) -> list[pb.StateBody]:
        """The states with their bodies, now or at a version, a sync_id or a time."""
        answer = await self._client.call(calls.state_show(connection, entry, at))
        return list(answer.states)

    async def diff(self, connection: str, since: Point, to: Point | None = None,
             entry: str | None = None) -> str:
        """The JSON document of `tidemark state diff --json`."""
        answer = await self._client.call(calls.state_diff(connection, since, to, entry))
        return answer.json

    async def rollback(self, connection: str, to: Point, entry: str | None = None, *,
                 dry_run: bool = False, idempotency_key: str = "") -> pb.StateChange:
        """To a version, a sync_id or a time; by a new version, none is removed."""
        return await self._client.call(calls.state_rollback(connection, to, entry, dry_run,
                                                      idempotency_key))

    async def reset(self, connection: str, entry: str | None = None, *,
              dry_run: bool = False) -> pb.StateChange:
        """Begins again from nothing at the next sync."""
        return await self._client.call(calls.of("ResetState", pb.ResetStateRequest(
            connection=connection, entry=entry, dry_run=dry_run), pb.StateChange))

    async def repair(self, connection: str, *, dry_run: bool = False) -> pb.StateChange:
        """Mends what validate found, by new versions."""
        return await self._client.call(calls.of("RepairState", pb.RepairStateRequest(
            connection=connection, dry_run=dry_run), pb.StateChange))

    async def migrate(self, connection: str, *, dry_run: bool = False) -> pb.StateChange:
        """To the connector's own current format."""
        return await self._client.call(calls.of("MigrateState", pb.MigrateStateRequest(
            connection=connection, dry_run=dry_run), pb.StateChange))

    async def validate(self, connection: str) -> pb.ValidateStoredStateResponse:
        """Every level, each with its verdict."""
        return await self._client.call(calls.of("ValidateState", pb.ValidateStoredStateRequest(
            connection=connection), pb.ValidateStoredStateResponse))

    async def backup(self, connection: str) -> str:
        """The path of a new backup on the server."""
        answer = await self._client.call(calls.of("BackupState", pb.BackupStateRequest(
            connection=connection), pb.BackupStateResponse))
        return answer.path

    async def restore(self, connection: str, backup: str = "", *,
                dry_run: bool = False) -> pb.StateChange:
        """From a backup; empty: the newest."""
        return await self._client.call(calls.of("RestoreState", pb.RestoreStateRequest(
            connection=connection, backup=backup, dry_run=dry_run), pb.StateChange))

    async def export(self, connection: str, entry: str | None = None,
                     at: Point | None = None) -> str:
        """The JSON text of `tidemark state export`."""
        answer = await self._client.call(calls.of("ExportState", pb.ExportStateRequest(
            connection=connection, entry=entry, at=None if at is None else calls.point(at)),
            pb.ExportStateResponse))
        return answer.json

    async def import_json(self, connection: str, json: str, *,
                          dry_run: bool = False) -> pb.StateChange:
        """What export gave, or a state.json of `tidemark debug`."""
        return await self._client.call(calls.of("ImportState", pb.ImportStateRequest(
            connection=connection, json=json, dry_run=dry_run), pb.StateChange))


class DeadLetters:
    """client.dead_letters: rows that could not be written."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, connection: str, table: str = "",
             status: str = "") -> AsyncIterator[pb.StoredLetter]:
        """Oldest first. status: "new", "replayed", "discarded", or empty: any."""
        return self._client.pages(calls.of("ListDeadLetters", pb.ListDeadLettersRequest(
            connection=connection, table=table, status=status, page_size=calls.PAGE),
            pb.ListDeadLettersResponse), "letters")

    async def show(self, connection: str, letter_id: int) -> pb.StoredLetter:
        """One letter."""
        return await self._client.call(calls.of("GetDeadLetter", pb.GetDeadLetterRequest(
            connection=connection, id=letter_id), pb.StoredLetter))

    async def edit(self, connection: str, letter_id: int, change_json: str) -> pb.StoredLetter:
        """Replaces the change that a replay applies."""
        return await self._client.call(calls.of("EditDeadLetter", pb.EditDeadLetterRequest(
            connection=connection, id=letter_id, change_json=change_json), pb.StoredLetter))

    async def replay(self, connection: str, ids: Iterable[int] = (), *,
               timeout: float = 3600.0) -> pb.ReplayDeadLettersResponse:
        """A sync of its own; waits for its end. No ids: every letter that is new."""
        return await self._client.call(calls.of("ReplayDeadLetters", pb.ReplayDeadLettersRequest(
            connection=connection, ids=ids), pb.ReplayDeadLettersResponse), timeout)

    async def discard(self, connection: str, ids: Iterable[int]) -> int:
        """How many were discarded."""
        request = pb.DiscardDeadLettersRequest(connection=connection, ids=ids)
        answer = await self._client.call(calls.of("DiscardDeadLetters", request,
                                                  pb.DiscardDeadLettersResponse))
        return answer.discarded


class Access:
    """client.access: tokens, secrets and the audit log, for admins."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create_token(self, role: str, connections: Iterable[str] = (), note: str = "",
                     expires_at: datetime.datetime | None = None) -> pb.CreateTokenResponse:
        """The token's text is in this answer and nowhere else."""
        return await self._client.call(calls.create_token(role, connections, note, expires_at))

    def tokens(self) -> AsyncIterator[pb.Token]:
        """Every token, without its text."""
        return self._client.pages(calls.of("ListTokens", pb.ListTokensRequest(
            page_size=calls.PAGE), pb.ListTokensResponse), "tokens")

    async def revoke_token(self, token_id: str) -> pb.Token:
        """At once, also for calls that are under way."""
        return await self._client.call(calls.once("RevokeToken", pb.RevokeTokenRequest(id=token_id),
                                            pb.Token))

    async def set_secret(self, name: str, value: bytes | str) -> pb.Secret:
        """Connections name it as ${secret:NAME}; it is never read back."""
        held = value.encode() if isinstance(value, str) else value
        return await self._client.call(calls.once("SetSecret", pb.SetSecretRequest(
            name=name, value=held), pb.Secret))

    def secrets(self) -> AsyncIterator[pb.Secret]:
        """Names and versions."""
        return self._client.pages(calls.of("ListSecrets", pb.ListSecretsRequest(
            page_size=calls.PAGE), pb.ListSecretsResponse), "secrets")

    async def delete_secret(self, name: str) -> None:
        """Connections that name it fail from then on."""
        await self._client.call(calls.once("DeleteSecret", pb.DeleteSecretRequest(name=name),
                                     pb.DeleteSecretResponse))

    async def rotate_master_key(self, *,
                                idempotency_key: str = "") -> pb.RotateMasterKeyResponse:
        """Seals every secret anew; `to_do` is what the server's settings need before its next
        start."""
        return await self._client.call(calls.of("RotateMasterKey", pb.RotateMasterKeyRequest(
            idempotency_key=idempotency_key), pb.RotateMasterKeyResponse))

    def audit(self) -> AsyncIterator[pb.AuditEntry]:
        """Newest first."""
        return self._client.pages(calls.of("ListAudit", pb.ListAuditRequest(
            page_size=calls.PAGE), pb.ListAuditResponse), "entries")

    async def verify_audit(self) -> pb.VerifyAuditResponse:
        """Walks the hash chain of the audit log."""
        return await self._client.call(calls.of("VerifyAudit", pb.VerifyAuditRequest(),
                                          pb.VerifyAuditResponse))

    async def accept_audit(self, reason: str, *,
                           idempotency_key: str = "") -> pb.AcceptAuditResponse:
        """Goes on behind a damaged end of the audit log, which an entry tells for good."""
        return await self._client.call(calls.of("AcceptAudit", pb.AcceptAuditRequest(
            reason=reason, idempotency_key=idempotency_key), pb.AcceptAuditResponse))


def connect(address: str, token: str | None = None, ca: Path | None = None,
            cert: Path | None = None, key: Path | None = None, *,
            timeout: float = 30.0) -> Client:
    """A client of the server at `address`: "unix:PATH", "HOST:PORT", "grpcs://HOST:PORT".

    Call it where the event loop runs.
    token: "tm_...". ca, cert, key: PEM files; `ca` or any host but this machine means TLS, cert and
    key are the client's own. The connection is made by the first call.
    """
    return Client(address, token, ca, cert, key, timeout=timeout)
