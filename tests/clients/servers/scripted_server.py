"""A server of Control and Ingest for the clients' tests: keeps what is pushed, and has faults.

usage: scripted_server.py --listen ADDRESS [--tls-folder FOLDER --tls-listen ADDRESS]

Prints the ports. What is pushed into connection C by producer P comes back by ExportState of C/P as
JSON: rows, durable, state, streams, repeats. A connection's name is its behaviour:
  plain        acknowledges every message
  cut-N        cuts every stream at its N-th message, which is lost
  explicit     commits at checkpoints
  bad          refuses rows whose id is NULL
  hold         acknowledges nothing until the client half-closes
  busy         answers the first stream with RESOURCE_EXHAUSTED and a pause
  idle         ends the first stream because nothing came
  denied       PERMISSION_DENIED
"""

import argparse
import json
import sys
import threading
from concurrent import futures

import grpc

from tidemark._wire import connector_pb2 as wire
from tidemark._wire import control_pb2 as control
from tidemark._wire import error_details_pb2 as details
from tidemark._wire import ingest_pb2 as ingest
from tidemark.values import read_values


NAMES = ("plain", "explicit", "bad", "hold", "busy", "idle")


def refuse(context, code, text, reason="", fields=(), retry_seconds=None, **metadata):
    """Ends a call with google.rpc details."""
    status = details.Status(code=code.value[0], message=text)
    if reason:
        status.details.add().Pack(
            details.ErrorInfo(reason=reason, domain="tidemark", metadata=metadata))
    if fields:
        status.details.add().Pack(details.BadRequest(field_violations=[
            {"field": field, "description": why} for field, why in fields]))
    if retry_seconds is not None:
        retry = details.RetryInfo()
        retry.retry_delay.nanos = int(retry_seconds * 1e9)
        status.details.add().Pack(retry)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, text)


class Producer:
    """What one producer pushed; only what is durable survives a cut."""

    def __init__(self):
        self.rows, self.tables, self.state = [], {}, b""
        self.durable = self.version = self.streams = self.repeats = 0
        self.fenced = threading.Event()
        self.pending = []  # messages that are received and not durable

    def commit(self):
        for request in self.pending:
            kind = request.WhichOneof("request")
            if kind == "rows":
                self.rows += [[wire.ChangeKind.Name(row.kind).removeprefix("CHANGE_KIND_").lower(),
                               row.table, plain(row.values), plain(row.before)]
                              for row in request.rows.rows]
            elif kind == "table":
                self.tables[request.table.index] = [
                    request.table.table.name,
                    [[c.name, wire.DataType.Name(c.type).removeprefix("DATA_TYPE_"), c.key]
                     for c in request.table.table.columns]]
            elif kind == "checkpoint":
                self.state = request.checkpoint.state
            self.durable = request.sequence
        if self.pending:
            self.version += 1
        self.pending = []

    def document(self):
        return {"rows": self.rows, "durable": self.durable, "state": self.state.decode(),
                "streams": self.streams, "repeats": self.repeats, "version": self.version,
                "tables": [self.tables[index] for index in sorted(self.tables)]}


def plain(values):
    """Values with the names of their fields, as the wire had them."""
    out = {}
    for name in sorted(values):
        kind = values[name].WhichOneof("value")
        held = getattr(values[name], kind) if kind else None
        if isinstance(held, bytes):
            held = held.hex()
        elif isinstance(held, float):
            held = repr(held)
        out[name] = [kind, held]
    return out


class Ingest:
    """tidemark.v1.Ingest."""

    def __init__(self):
        self.producers = {}
        self.lock = threading.Lock()

    def Push(self, requests, context):  # pylint: disable=invalid-name
        start = next(requests).start
        name = start.connection
        if name == "denied":
            refuse(context, grpc.StatusCode.PERMISSION_DENIED, "not with this token", "ROLE")
        if name not in NAMES and not name.startswith("cut-"):
            refuse(context, grpc.StatusCode.NOT_FOUND, f"no connection {name}", "NO_CONNECTION")
        with self.lock:
            key = f"{name}/{start.producer}"
            producer = self.producers.setdefault(key, Producer())
            producer.streams += 1
            producer.fenced.set()
            producer.fenced = fenced = threading.Event()
            producer.pending = []
        if name == "busy" and producer.streams == 1:
            refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams",
                   "TOO_MANY_STREAMS", retry_seconds=0.05)
        if name == "idle" and producer.streams == 1:
            refuse(context, grpc.StatusCode.DEADLINE_EXCEEDED, "nothing came", "IDLE")
        yield ingest.PushResponse(started=ingest.Started(
            durable_sequence=producer.durable, state=producer.state,
            state_version=producer.version, sync_id="sync_1", epoch=producer.streams))
        yield from self._take(requests, context, start, producer, fenced)

    def _take(self, requests, context, start, producer, fenced):
        name = start.connection
        explicit = start.checkpoints == ingest.CHECKPOINT_MODE_EXPLICIT
        cut_after = int(name[4:]) if name.startswith("cut-") else 0
        defined, received, expected = set(), 0, producer.durable + 1
        for request in requests:
            if fenced.is_set():
                refuse(context, grpc.StatusCode.ABORTED, "another stream came", "FENCED")
            if request.sequence < expected and request.sequence <= producer.durable:
                producer.repeats += 1
                continue
            if request.sequence != expected:
                refuse(context, grpc.StatusCode.FAILED_PRECONDITION,
                       f"message {request.sequence} came where {expected} was due",
                       "SEQUENCE_GAP", expected=str(expected))
            expected += 1
            received += 1
            if request.WhichOneof("request") == "table":
                if request.table.index > len(defined):
                    refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "a table was left out")
                defined.add(request.table.index)
            elif any(producer.tables[index][0] == row.table for row in request.rows.rows[:1]
                     for index in producer.tables if index not in defined):
                refuse(context, grpc.StatusCode.INVALID_ARGUMENT,
                       "a table was not defined anew on this stream", "UNKNOWN_TABLE")
            producer.pending.append(request)
            if name == "bad":
                yield from self._refused_rows(request)
            if cut_after and received >= cut_after:
                refuse(context, grpc.StatusCode.UNAVAILABLE, "the connection is cut")
            if name != "hold" and (not explicit or request.WhichOneof("request") == "checkpoint"):
                producer.commit()
                yield self._acknowledged(producer)
        if not explicit:
            producer.commit()
        yield self._acknowledged(producer)
        yield ingest.PushResponse(ended=ingest.Ended(durable_sequence=producer.durable,
                                                     state_version=producer.version))

    @staticmethod
    def _acknowledged(producer):
        return ingest.PushResponse(acknowledged=ingest.Acknowledged(
            sequence=producer.durable, state_version=producer.version))

    @staticmethod
    def _refused_rows(request):
        good = [row for row in request.rows.rows if read_values(row.values).get("id") is not None]
        for index, row in enumerate(request.rows.rows):
            if row not in good:
                yield ingest.PushResponse(row_error=ingest.RowError(
                    sequence=request.sequence, index=index, table=row.table, code=3,
                    reason="the key is NULL"))
        del request.rows.rows[:]
        request.rows.rows.extend(good)


class Control:
    """tidemark.v1.Control, as far as the clients' tests ask for it."""

    def __init__(self, producers):
        self.producers = producers
        self.calls = {}   # by what: how often
        self.keys = {}    # idempotency key: answer
        self.paused = set()

    def _count(self, what):
        self.calls[what] = self.calls.get(what, 0) + 1
        return self.calls[what]

    def GetServer(self, _, context):  # pylint: disable=invalid-name
        metadata = dict(context.invocation_metadata())
        return control.Server(version="scripted", role="admin",
                              principal=metadata.get("authorization", "nobody"))

    def ApplyConnection(self, request, context):  # pylint: disable=invalid-name
        if "name:" not in request.yaml:
            refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "line 1: name is missing",
                   "BAD_CONNECTION", fields=[("yaml", "line 1: name is missing")])
        return control.ApplyConnectionResponse(
            connection={"name": "orders", "yaml": request.yaml}, created=True,
            changed=not request.dry_run, changes=["created"])

    def ListConnections(self, request, _):  # pylint: disable=invalid-name
        begin = int(request.page_token or 0)  # three pages of two
        names = [f"connection_{i}" for i in range(5)][begin:begin + 2]
        return control.ListConnectionsResponse(
            connections=[{"name": name} for name in names],
            next_page_token=str(begin + 2) if begin + 2 < 5 else "")

    def GetConnection(self, request, context):  # pylint: disable=invalid-name
        if request.name == "missing":
            refuse(context, grpc.StatusCode.NOT_FOUND, "no connection missing", "NO_CONNECTION")
        return control.ConnectionRecord(name=request.name, paused=request.name in self.paused)

    def PauseConnection(self, request, _):  # pylint: disable=invalid-name
        self.paused.add(request.name)
        return control.ConnectionRecord(name=request.name, paused=True)

    def StartSync(self, request, context):  # pylint: disable=invalid-name
        if request.connection == "busy":
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "a sync runs already",
                   "CONNECTION_BUSY", sync_id="sync_7", retry_seconds=0.25)
        # The work is done, and the answer lost: a client that asks again must not do it twice.
        if request.idempotency_key not in self.keys:
            self.keys[request.idempotency_key] = control.Sync(
                sync_id=f"sync_{self._count('syncs')}", connection=request.connection,
                status=control.SYNC_STATUS_RUNNING, full=request.full)
            if request.connection == "flaky":
                refuse(context, grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        return self.keys[request.idempotency_key]

    def WatchSync(self, request, context):  # pylint: disable=invalid-name
        if request.sync_id == "sync_old":
            refuse(context, grpc.StatusCode.OUT_OF_RANGE, "no longer kept", "EVENTS_DROPPED",
                   oldest="41")
        for sequence in range(request.after_sequence + 1, 11):
            event = control.SyncEvent(sequence=sequence)
            if sequence == 10:
                event.ended.sync_id = request.sync_id
                event.ended.status = control.SYNC_STATUS_COMPLETED
            else:
                event.progress.rows = 100 * sequence
            yield event
            if sequence % 4 == 0:
                refuse(context, grpc.StatusCode.UNAVAILABLE, "the server stops")

    def GetReport(self, request, _):  # pylint: disable=invalid-name
        report = control.SyncReportDocument()
        report.metadata.sync_id = request.sync_id or f"last of {request.connection}"
        return control.GetReportResponse(report=report, json="{}")

    def ListStateVersions(self, request, _):  # pylint: disable=invalid-name
        begin = int(request.page_token or 0)
        return control.ListStateVersionsResponse(
            versions=[{"version": 4 - begin, "entry": request.entry}],
            next_page_token=str(begin + 1) if begin < 3 else "")

    def GetState(self, request, _):  # pylint: disable=invalid-name
        version = request.at.version if request.HasField("at") else 4
        return control.GetStateResponse(states=[{"version": {"version": version},
                                                 "body": b'{"n": 4}'}])

    def RollbackState(self, request, _):  # pylint: disable=invalid-name
        return control.StateChange(written=not request.dry_run, moves=[
            {"from_version": 4, "to_version": 5, "what": f"as {request.to.version} was"}])

    def ExportState(self, request, context):  # pylint: disable=invalid-name
        producer = self.producers.get(request.connection)
        if producer is None:
            refuse(context, grpc.StatusCode.NOT_FOUND, f"nobody pushed as {request.connection}")
        return control.ExportStateResponse(json=json.dumps(producer.document()))

    def ListDeadLetters(self, request, _):  # pylint: disable=invalid-name
        return control.ListDeadLettersResponse(letters=[
            {"id": 1, "table": request.table or "orders", "reason": "the key is NULL"}])


def handlers_of(module, service, behaviours):
    """gRPC's handlers of the methods that `behaviours` has."""
    handlers = {}
    for method in module.DESCRIPTOR.services_by_name[service].methods:
        behaviour = getattr(behaviours, method.name, None)
        if behaviour is None:
            continue
        kind = "_".join("stream" if streams else "unary" for streams in
                        (method.client_streaming, method.server_streaming))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handlers[method.name] = make(behaviour, getattr(module, method.input_type.name).FromString,
                                     getattr(module, method.output_type.name).SerializeToString)
    return grpc.method_handlers_generic_handler(f"tidemark.v1.{service}", handlers)


def serve(address, tls_folder=None, tls_address=None):
    """A started server, its port and the port with TLS."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    service = Ingest()
    server.add_generic_rpc_handlers((
        handlers_of(ingest, "Ingest", service),
        handlers_of(control, "Control", Control(service.producers))))
    port, tls_port = server.add_insecure_port(address), 0
    if tls_folder is not None:
        with open(f"{tls_folder}/localhost.key", "rb") as key, \
                open(f"{tls_folder}/localhost.crt", "rb") as certificate:
            tls_port = server.add_secure_port(tls_address, grpc.ssl_server_credentials(
                [(key.read(), certificate.read())]))
    server.start()
    return server, port, tls_port


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--listen", required=True)
    parser.add_argument("--tls-folder")
    parser.add_argument("--tls-listen", default="127.0.0.1:0")
    options = parser.parse_args()
    server, port, tls_port = serve(options.listen, options.tls_folder, options.tls_listen)
    print(port, tls_port, flush=True)
    sys.stdin.buffer.read()  # a pipe that closes when the test ends
    server.stop(grace=0).wait()


if __name__ == "__main__":
    main()
