"""`tidemarkd` in a folder of its own, for one test."""

import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("TIDEMARK_BIN", ROOT / "build" / "release" / "bin"))

ORDERS = """name: orders
sync:
  source: {{connector: ingest, tables: [{{orders: {{primary_key: [id]}}}}]}}
  destination: {{type: sqlite, connection: "{folder}/warehouse.db"}}
  frequency: manual
"""
NUMBERS = """name: numbers
sync:
  source: {{connector: generator, config: {{count: 1000}}}}
  destination: {{type: sqlite, connection: "{folder}/numbers.db"}}
  frequency: manual
"""


class RealServer:
    """Answers on unix:FOLDER/tidemark.sock within `with`; FOLDER holds both connections."""

    def __init__(self, tls_port=0, client_ca=False):
        """tls_port: listens there, too, with tests/plugins/servers/localhost.crt; client_ca: and
        clients need a certificate that it vouches for, which is itself."""
        self._scratch = tempfile.TemporaryDirectory(prefix="tidemark_")
        self.folder = pathlib.Path(self._scratch.name)
        self.address = f"unix:{self.folder}/tidemark.sock"
        self._server = None
        self._tls_port, self._client_ca = tls_port, client_ca

    def __enter__(self):
        (self.folder / "orders.yaml").write_text(ORDERS.format(folder=self.folder))
        (self.folder / "numbers.yaml").write_text(NUMBERS.format(folder=self.folder))
        (self.folder / "connections").mkdir()
        (self.folder / "tidemarkd.yaml").write_text(
            f"data: {self.folder}/data\nconnections: {self.folder}/connections\n"
            f"http: {{address: \"off\"}}\n"
            f"listen:\n  - address: \"unix:{self.folder}/tidemark.sock\"\n")
        if self._tls_port:
            for name in ("localhost.crt", "localhost.key"):
                shutil.copy(ROOT / "tests" / "plugins" / "servers" / name, self.folder)
                os.chmod(self.folder / name, 0o600)
            with (self.folder / "tidemarkd.yaml").open("a") as file:
                file.write(f"  - address: 127.0.0.1:{self._tls_port}\n"
                           "    tls: {certificate: localhost.crt, key: localhost.key" +
                           (", client_ca: localhost.crt}\n" if self._client_ca else "}\n"))
        self.start()
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self._scratch.cleanup()

    def start(self, **environment):
        """Starts it and waits until it listens."""
        with (self.folder / "tidemarkd.log").open("ab") as log:
            self._server = subprocess.Popen(  # pylint: disable=consider-using-with
                [BIN / "tidemarkd", "--config", self.folder / "tidemarkd.yaml"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, **environment})
        until = time.monotonic() + 30
        pause = threading.Event()  # nobody tells when a socket is there
        while not self._listens():
            if self._server.poll() is not None or time.monotonic() > until:
                raise AssertionError("tidemarkd does not answer:\n" + self.log())
            pause.wait(0.02)

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(f"{self.folder}/tidemark.sock")
            except OSError:
                return False
        return True

    def orders(self):
        """The rows of the table orders: id, total."""
        with sqlite3.connect(self.folder / "warehouse.db") as base:
            return base.execute("SELECT id, total FROM orders ORDER BY id").fetchall()

    def log(self):
        """What it wrote so far."""
        return (self.folder / "tidemarkd.log").read_text(errors="replace")[-8000:]

    def kill(self):
        """As a crash would."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def kill_while(self, arguments, **environment):
        """Runs a program that pushes; at every line it prints the server is killed and started."""
        with subprocess.Popen([*arguments, self.address], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env={**os.environ, **environment}) as program:
            said = []
            for line in program.stdout:
                said.append(line)
                self.kill()
                self.start()
        if program.returncode != 0:
            raise AssertionError("".join(said) + self.log())
        return said

    def apply(self, name):
        """Applies orders.yaml or numbers.yaml."""
        import tidemark  # pylint: disable=import-outside-toplevel  # of the tree, by client_paths
        with tidemark.connect(self.address) as client:
            client.apply((self.folder / f"{name}.yaml").read_text())

    def stop(self):
        """In order."""
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait(60)
        if self._server.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"tidemarkd ended with {self._server.returncode}:\n{self.log()}")
