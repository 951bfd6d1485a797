"""Serves a connector: python -m tidemark.serve my_connector.py --listen unix:PATH.

Tidemark starts this by itself for `connector: my_connector.py`; --ready and --lifeline are its.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import os
import pathlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc

from tidemark import operations
from tidemark._wire import connector_pb2 as pb
from tidemark.connector import Connector, describe
from tidemark.errors import Error
from tidemark.values import read_value

_SERVICE = "tidemark.v1.Connector"
_MODULE = "tidemark_connector"  # how the author's file is called, whatever its name shadows
_MESSAGE_BYTES = 64 * 1024 * 1024


def verdict(error: BaseException, where: str) -> Error:
    """An exception of a connector as the error that the engine is told."""
    if isinstance(error, Error):
        return error
    if isinstance(error, (ConnectionError, TimeoutError)):
        return Error("UNAVAILABLE", f"{where}: {type(error).__name__}: {error}")
    traceback.print_exception(error, file=sys.stderr)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({pathlib.Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    what = "it called exit()" if isinstance(error, SystemExit) else \
        f"{type(error).__name__}: {error}"
    return Error("INTERNAL", f"{where}: {what}{place}")


class Service:
    """tidemark.v1.Connector for one class of connector."""

    def __init__(self, kind: type[Connector]) -> None:
        self._kind = kind
        self._update = threading.Lock()  # one sync at a time

    def _instance(self, configuration: pb.Configuration) -> Connector:
        return self._kind({setting.name: read_value(setting.value)
                           for setting in configuration.settings})

    def _tables(self, connector: Connector) -> list[pb.Table]:
        return [table.message() for table in connector.schema() or ()]

    def _answer(self, context: Any, where: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except BaseException as error:  # pylint: disable=broad-except  # of the author's code
            failure = verdict(error, where)
        trailers = [("tidemark-verdict", "1")]
        if failure.retry_after is not None:
            trailers.append(("tidemark-retry-after-us", str(int(failure.retry_after * 1e6))))
        context.set_trailing_metadata(trailers)
        context.abort(getattr(grpc.StatusCode, failure.code), failure.message[:8000])
        return None

    def Describe(self, _: Any, context: Any) -> Any:  # pylint: disable=invalid-name
        """The class's own words."""
        return self._answer(context, "Describe", lambda: describe(self._kind))

    def Check(self, request: Any, context: Any) -> Any:  # pylint: disable=invalid-name
        """check() of a fresh instance."""
        def check() -> pb.CheckResponse:
            self._instance(request.configuration).check()
            return pb.CheckResponse()
        return self._answer(context, "check()", check)

    def Schema(self, request: Any, context: Any) -> Any:  # pylint: disable=invalid-name
        """schema() of a fresh instance."""
        return self._answer(context, "schema()", lambda: pb.SchemaResponse(
            tables=self._tables(self._instance(request.configuration))))

    def ValidateState(self, request: Any, context: Any) -> Any:  # pylint: disable=invalid-name
        """Whether update() can be given these states."""
        def validate() -> pb.ValidateStateResponse:
            _state(request.states)
            return pb.ValidateStateResponse()
        return self._answer(context, "ValidateState", validate)

    def Update(  # pylint: disable=invalid-name
            self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        """update() on a thread of its own; the stream takes what it says."""
        start = next(requests).start
        if not self._update.acquire(blocking=False):  # pylint: disable=consider-using-with
            yield pb.UpdateResponse(finished=pb.Finished(
                code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0],
                message="this connector runs another sync already")).SerializeToString()
            return
        run: operations.Run | None = None
        worker: threading.Thread | None = None
        try:
            try:
                connector = self._instance(start.configuration)
                run = operations.Run(self._tables(connector))
                state = _state(start.states)
            except BaseException as error:  # pylint: disable=broad-except  # of the author's code
                run = operations.Run([])
                run.finish(verdict(error, "schema()"))
            else:
                context.add_callback(run.cancel)
                worker = threading.Thread(target=_update, args=(connector, run, state),
                                          name="tidemark-update")
                worker.start()
                threading.Thread(target=_acknowledge, args=(connector, run, requests),
                                 name="tidemark-acknowledge", daemon=True).start()
            while (message := run.next()) is not None:
                yield message
        finally:
            if run is not None:
                run.cancel()
            if worker is not None:
                worker.join()
            self._update.release()


def _state(states: Any) -> Any:
    for entry in states:
        if not entry.schema and not entry.table and entry.body:
            try:
                return json.loads(entry.body)
            except ValueError:
                raise Error("DATA_LOSS", "the stored state is not JSON, so that no connector in "
                            "Python wrote it; roll it back, or reset it") from None
    return {}


def _update(connector: Connector, run: operations.Run, state: Any) -> None:
    operations.begin(run)
    failure: Error | None = None
    try:
        said = connector.update(state)
        if inspect.isgenerator(said):
            for _ in said:
                pass
    except operations.SyncCancelled:
        return
    except BaseException as error:  # pylint: disable=broad-except  # of the author's code
        failure = verdict(error, "update()")
    finally:
        operations.begin(None)
    run.finish(failure)


def _acknowledge(connector: Connector, run: operations.Run, requests: Iterator[Any]) -> None:
    try:
        for request in requests:
            state = run.committed(request.acknowledgement.durable)
            if state is not None:
                connector.committed(state)
    except grpc.RpcError:
        pass  # the stream is over
    except Exception as error:  # pylint: disable=broad-except  # nobody waits for an answer
        traceback.print_exception(error, file=sys.stderr)


def load(path: str) -> type[Connector]:
    """The connector of a file: its variable `connector`, or its one class derived from Connector.
    A folder means its connector.py."""
    file = pathlib.Path(path).resolve()
    if file.is_dir():
        file = file / "connector.py"
    if not file.is_file():
        raise SystemExit(f"tidemark.serve: {file}: there is no such file")
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"tidemark.serve: {file.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)
    named = getattr(module, "connector", None)
    if inspect.isclass(named) and issubclass(named, Connector):
        return named
    found = [held for held in vars(module).values() if inspect.isclass(held) and
             issubclass(held, Connector) and held.__module__ == module.__name__]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise SystemExit(f"tidemark.serve: {file.name} has to have one class derived from "
                         f"tidemark.Connector, or to name it `connector`; there is {names}")
    return found[0]


def make_server(kind: type[Connector], address: str) -> Any:
    """A started grpc.Server of `kind` on "unix:PATH" or "127.0.0.1:PORT"."""
    service = Service(kind)
    handlers = {}
    for method in pb.DESCRIPTOR.services_by_name["Connector"].methods:
        behaviour = getattr(service, method.name, None)
        if behaviour is None:
            continue  # UNIMPLEMENTED: Read
        make = (grpc.stream_stream_rpc_method_handler if method.client_streaming else
                grpc.unary_unary_rpc_method_handler)
        # Responses of Update are bytes already.
        write = None if method.server_streaming else \
            getattr(pb, method.output_type.name).SerializeToString
        handlers[method.name] = make(
            behaviour, getattr(pb, method.input_type.name).FromString, write)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=(
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES), ("grpc.so_reuseport", 0)))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    server.add_insecure_port(address)
    server.start()
    return server


def _end_with(fd: int, end: Callable[[], None]) -> None:
    """Calls `end` once the other side of `fd` is gone."""
    os.set_blocking(fd, True)

    def wait() -> None:
        try:
            while os.read(fd, 64):
                pass
        except OSError:
            pass  # reset: the other side is gone as well
        end()
    threading.Thread(target=wait, name="tidemark-lifeline", daemon=True).start()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tidemark.serve",
                                     description="Serves a Tidemark connector.")
    parser.add_argument("connector", help="a .py file, or a folder with connector.py")
    parser.add_argument("--listen", required=True, metavar="ADDRESS",
                        help="unix:PATH or 127.0.0.1:PORT")
    parser.add_argument("--ready", type=int, metavar="FD",
                        help="a line is written here once it listens; its end asks to end")
    parser.add_argument("--lifeline", type=int, metavar="FD", help="its end means: end at once")
    options = parser.parse_args()
    if options.lifeline is not None:
        _end_with(options.lifeline, lambda: os._exit(1))
    server = make_server(load(options.connector), options.listen)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if options.ready is not None:
        os.write(options.ready, b"ready\n")
        _end_with(options.ready, ended.set)
    else:
        print(f"serving {options.connector} on {options.listen}", flush=True)
    ended.wait()
    server.stop(grace=5).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
