"""A tidemarkd as a careful user runs it: TLS, mutual TLS, metrics, one secret; and peers of it."""

import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "clients" / "python")]

import grpc  # pylint: disable=wrong-import-position
from google.protobuf import message_factory  # pylint: disable=wrong-import-position
from tidemark._wire import control_pb2, ingest_pb2  # pylint: disable=wrong-import-position

BIN = pathlib.Path(os.environ.get("TIDEMARK_BIN", ROOT / "build" / "release" / "bin"))
TIMEOUT_S = 20
METHODS = {f"/{service.full_name}/{method.name}": method
           for service in (control_pb2.DESCRIPTOR.services_by_name["Control"],
                           ingest_pb2.DESCRIPTOR.services_by_name["Ingest"])
           for method in service.methods}
GENERATOR = """name: {name}
sync:
  source: {{connector: generator, config: {{count: 10}}}}
  destination: {{type: sqlite, connection: "{folder}/{name}.db"}}
  frequency: manual
"""


def _allow_core_files():
    """Before the server starts, so that it is the server who forbids them."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    except (ValueError, OSError):  # whoever runs the test may not raise his own limit
        pass


class SecuredServer:
    """Within `with`: self.unix, self.tls and self.mutual are its addresses, self.http its pages."""

    def __init__(self, **environment):
        self._scratch = tempfile.TemporaryDirectory(prefix="tidemark-security-")
        self.folder = pathlib.Path(self._scratch.name)
        self._environment = environment
        self.log = []
        self.unix = f"unix:{self.folder}/run/s.sock"
        self.tls = self.mutual = self.http = ""
        self.program = self._reader = None

    def __enter__(self):
        (self.folder / "connections").mkdir()
        (self.folder / "run").mkdir(mode=0o700)
        for name in ("localhost.crt", "localhost.key"):
            shutil.copy(ROOT / "tests" / "plugins" / "servers" / name, self.folder)
            os.chmod(self.folder / name, 0o600)
        files = "certificate: localhost.crt, key: localhost.key"
        (self.folder / "tidemarkd.yaml").write_text(
            "data: data\nconnections: connections\nhttp: {address: \"127.0.0.1:0\"}\n"
            f"log: {{level: debug}}\nlisten:\n  - {{address: \"{self.unix}\"}}\n"
            f"  - {{address: \"127.0.0.1:0\", tls: {{{files}}}}}\n"
            f"  - {{address: \"127.0.0.2:0\", tls: {{{files}, client_ca: localhost.crt}}}}\n")
        self.program = subprocess.Popen(  # pylint: disable=consider-using-with
            [BIN / "tidemarkd", "--config", "tidemarkd.yaml"], cwd=self.folder, text=True,
            env={**os.environ, **self._environment}, preexec_fn=_allow_core_files,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        serves = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(serves,))
        self._reader.start()
        if not serves.wait(TIMEOUT_S) or self.program.poll() is not None:
            self.__exit__()
            raise AssertionError("".join(self.log))
        text = "".join(self.log)
        self.tls = re.search(r"127\.0\.0\.1:\d+(?!\S*/)", text.replace("http://127", ""))[0]
        self.mutual = re.search(r"127\.0\.0\.2:\d+", text)[0]
        self.http = re.search(r"http://(127\.0\.0\.1:\d+)", text)[1]
        return self

    def _read(self, serves):
        with self.program.stderr as lines:
            for line in lines:
                self.log.append(line)
                if " serves " in line:
                    serves.set()
        serves.set()

    def __exit__(self, *_):
        self.program.terminate()
        try:
            self.program.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.program.kill()
            self.program.wait()
        self._reader.join()
        self._scratch.cleanup()

    def authority(self):
        """The certificate that the server shows, which vouches for itself."""
        return (self.folder / "localhost.crt").read_bytes()

    def key(self):
        """Its key."""
        return (self.folder / "localhost.key").read_bytes()

    def resident_mib(self):
        """Memory of the process."""
        text = pathlib.Path(f"/proc/{self.program.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024

    def peak_mib(self):
        """The most that it was since forget_peak()."""
        text = pathlib.Path(f"/proc/{self.program.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024

    def forget_peak(self):
        """The peak is what it is now."""
        pathlib.Path(f"/proc/{self.program.pid}/clear_refs").write_text("5", encoding="ascii")


class Relay:
    """Passes connections on from another address of this machine: peers are counted by address."""

    def __init__(self, address, source):
        self._target, self._source = address.rsplit(":", 1), source
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((self._target[0], int(self._target[1])),
                                           source_address=(self._source, 0))
            self._sockets += [near, far]
            for pair in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=self._pass, args=pair))
                self._threads[-1].start()

    @staticmethod
    def _pass(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """Ends all of it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for one in self._sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        for thread in self._threads:
            thread.join()


class SecurityCase(unittest.TestCase):
    """The tests of a class share one server."""

    maxDiff = None
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.server = SecuredServer(**cls.environment)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def channel(self, address="", authority=None, certificate=None, key=None, **options):
        """To the unix socket, or with TLS to `address`."""
        named = [(f"grpc.{name}", value) for name, value in options.items()]
        named.append(("grpc.use_local_subchannel_pool", 1))
        if not address:
            channel = grpc.insecure_channel(self.server.unix, named)
        else:
            channel = grpc.secure_channel(
                address,
                grpc.ssl_channel_credentials(authority or self.server.authority(), key,
                                             certificate),
                [*named, ("grpc.ssl_target_name_override", "localhost")])
        self.addCleanup(channel.close)
        return channel

    def call(self, channel, name, request=None, token="", **more):
        """The answer (of a stream: the first message), or the grpc.RpcError."""
        path = name if name.startswith("/") else f"/tidemark.v1.Control/{name}"
        method = METHODS[path]
        if isinstance(request, dict):
            request = message_factory.GetMessageClass(method.input_type)(**request)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        metadata += more.pop("metadata", [])
        serialize = (lambda r: r) if request is None or isinstance(request, bytes) else (
            lambda r: r.SerializeToString())
        parse = message_factory.GetMessageClass(method.output_type).FromString
        request = b"" if request is None else request
        kind = ("stream" if method.client_streaming else "unary",
                "stream" if method.server_streaming else "unary")
        stub = getattr(channel, "_".join(kind))(path, serialize, parse)
        more = {"metadata": metadata, "timeout": TIMEOUT_S, **more}
        try:
            answer = stub(iter([request]) if method.client_streaming else request, **more)
            return next(iter(answer), None) if method.server_streaming else answer
        except grpc.RpcError as error:
            return error

    def code(self, *arguments, **named):
        """The name of the status that a call ends with, "OK" where it is answered."""
        answer = self.call(*arguments, **named)
        return answer.code().name if isinstance(answer, grpc.RpcError) else "OK"

    def token(self, role, *connections, **more):
        """The text of a new token."""
        answer = self.call(self.channel(), "CreateToken",
                           {"role": role, "connections": connections, **more})
        self.assertNotIsInstance(answer, grpc.RpcError, answer)
        return answer.text

    def relayed(self, source, address=""):
        """The server's TLS address as it is reached from `source`, an address of loopback."""
        relay = Relay(address or self.server.tls, source)
        self.addCleanup(relay.close)
        return relay.address


def main():
    """Runs the tests of the program; a skipped one is a failed one."""
    result = unittest.main(exit=False, verbosity=2).result
    sys.exit(0 if result.wasSuccessful() and not result.skipped and result.testsRun else 1)
