"""make demo-server: a server that syncs from the mock API every few seconds, takes rows that
programs in three languages push, shows its numbers, raises an alert for a wrong token and takes it
back, and stops in order.

usage: demo_server.py ROOT OUTPUT_FOLDER. Each run works in a fresh folder beneath the last. Ends 0
only when what it shows holds.
"""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from demo import Failure, Session, api_rows, expect, say
from mock_api import MockApi, free_port

SETTINGS = """\
data: data
connections: connections
listen: [{{address: "unix:tidemark.sock"}}]
http: {{address: "127.0.0.1:{http}"}}
alerts:
  channels:
    team:
      webhook: {{url: "http://127.0.0.1:{hook}/", secret: "demo-key", allow: [loopback]}}
  rules:
    - {{name: sync failed, when: failed, channels: [team, log], severity: critical}}
"""
USERS = """\
name: users
sync:
  source:
    connector: replay
    config: {{base_url: "{url}/incremental/timestamp", buffer_hours: 2}}
  destination: {{type: sqlite, connection: ../warehouse.db}}
  frequency: every 10 seconds
"""
PROTECTED = """\
name: protected
sync:
  source:
    connector: rest
    config:
      base_url: "{url}"
      auth: {{type: bearer, token: "${{file:token}}"}}
      endpoints: [{{table: member, path: /auth/http_bearer, primary_key: [id]}}]
  destination: {{type: sqlite, connection: ../protected.db}}
  frequency: every 5 seconds
"""
ORDERS = """\
name: orders
sync:
  source: {connector: ingest, tables: [{orders: {primary_key: [id]}}]}
  destination: {type: sqlite, connection: ../orders.db}
"""


PAUSE = threading.Event()  # never set: between two looks at what nobody announces


class Hook:
    """Receives the notices of alerts and checks who signed them."""

    def __init__(self):
        self.notices = queue.Queue()
        notices = self.notices

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802  the library's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = dict(p.split("=", 1) for p in self.headers["Tidemark-Signature"].split(","))
                signed = hmac.new(b"demo-key", said["t"].encode() + b"." + body, hashlib.sha256)
                if hmac.compare_digest(signed.hexdigest(), said["v1"]):
                    notices.put(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, event, seconds=60):
        until = time.monotonic() + seconds
        while True:
            try:
                notice = self.notices.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise Failure(f"no notice \"{event}\" came within {seconds} s") from None
            print("   " + json.dumps(notice), flush=True)
            if notice["event"] == event:
                return notice

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Server:
    """tidemarkd, ended in order by stop() and by force otherwise."""

    def __init__(self, session):
        self.socket = os.path.join(session.folder, "tidemark.sock")
        self.log = os.path.join(session.folder, "tidemarkd.log")
        with open(self.log, "wb") as log:
            self.started = subprocess.Popen(["tidemarkd", "--config", "tidemarkd.yaml"],
                                            cwd=session.folder, env=session.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        until = time.monotonic() + 30
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(self.socket)
                    return self
                except OSError:
                    if self.started.poll() is not None or time.monotonic() > until:
                        raise Failure("tidemarkd does not answer:\n" + self.tail()) from None
            PAUSE.wait(0.05)

    def __exit__(self, *_):
        if self.started.poll() is None:
            self.started.kill()
            self.started.wait()

    def stop(self):
        self.started.send_signal(signal.SIGTERM)
        return self.started.wait(60)

    def tail(self):
        return pathlib.Path(self.log).read_text(errors="replace")[-3000:]


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)


def bearer_token(log_path):
    """The mock API prints the token it accepts; its reloader, which comes first, another one."""
    found = re.findall(r"Bearer Token: ([0-9a-f-]{36})", pathlib.Path(log_path).read_text())
    if not found:
        raise Failure("the mock API did not say its bearer token")
    return found[-1]


def push_from_three_languages(root, session, address):
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "push")
    clients = os.path.join(root, "build", "clients")
    session.environment["PYTHONPATH"] = os.path.join(root, "clients", "python")
    session.show(os.path.join(root, "build", "venv", "bin", "python"),
                 os.path.join(here, "push.py"), address)
    # Go: a module of its own beside the client's.
    module = os.path.join(session.folder, "push_go")
    os.makedirs(module)
    shutil.copy(os.path.join(here, "push.go"), module)
    example = os.path.join(root, "tests", "clients", "go")
    shutil.copy(os.path.join(example, "go.sum"), module)
    text = pathlib.Path(example, "go.mod").read_text()
    write(module, "go.mod", text.replace("../../../clients/go", os.path.join(root, "clients/go")))
    session.environment["PATH"] += os.pathsep + "/usr/local/go/bin"
    session.environment.update(GOMODCACHE=os.path.join(clients, "go", "mod"), GOPROXY="off",
                               GOCACHE=os.path.join(clients, "go", "cache"), GOSUMDB="off",
                               GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
    built = subprocess.run(["go", "build", "-o", "push", "."], cwd=module, env=session.environment,
                           capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise Failure("go build: " + built.stderr)
    session.show(os.path.join(module, "push"), address)
    # TypeScript: the package is built into build/clients/typescript.
    package = os.path.join(clients, "typescript")
    session.show(os.path.join(root, "clients", "typescript", "build.sh"),
                 os.path.join(package, "node_modules"), package)
    modules = os.path.join(session.folder, "push_typescript", "node_modules")
    os.makedirs(modules)
    os.symlink(package, os.path.join(modules, "tidemark"))
    shutil.copy(os.path.join(here, "push.cjs"), os.path.dirname(modules))
    session.show("node", os.path.join(os.path.dirname(modules), "push.cjs"), address)


def metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def first_sync(session, connection):
    """The sync_id of the connection's newest ended sync, once there is one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        syncs = session.json("tidemark", "--server", "unix:tidemark.sock", "sync", "list",
                             connection)
        ended = [sync for sync in syncs if "ended_at" in sync]
        if ended:
            return ended[0]["sync_id"]
        PAUSE.wait(0.2)
    raise Failure(f"connection {connection} did not sync within a minute")


def count(session, database, table):
    with sqlite3.connect(os.path.join(session.folder, database)) as open_database:
        return open_database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def run(root, session, api, hook):
    port = free_port(9187)
    write(session.folder, "tidemarkd.yaml", SETTINGS.format(http=port, hook=hook.port))
    write(session.folder, "connections/users.yaml", USERS.format(url=api.url))
    write(session.folder, "connections/protected.yaml", PROTECTED.format(url=api.url))
    write(session.folder, "connections/orders.yaml", ORDERS)
    write(session.folder, "connections/token", "not-the-token")
    remote = ("tidemark", "--server", "unix:tidemark.sock")
    address = f"unix:{session.folder}/tidemark.sock"

    say("tidemarkd with three connections: a schedule, a wrong token, and one that is pushed to")
    session.show("cat", "tidemarkd.yaml")
    with Server(session) as server:
        session.show(*remote, "connections", "list")
        expect(True, "it answers on a unix socket of this user alone")

        say("The alert: connection `protected` has a wrong token")
        fired = hook.wait("firing")
        expect(fired["connection"] == "protected", "the webhook was called, signed, and names it")

        say("Every 10 seconds: what a sync says while it runs, and its report")
        sync = first_sync(session, "users")
        session.show(*remote, "sync", "watch", sync)
        session.show(*remote, "report", "users")
        expect(count(session, "warehouse.db", "user") == api_rows(
            f"{api.url}/incremental/timestamp"), "the destination holds every row of the API")

        say("Rows pushed from Python, Go and TypeScript")
        push_from_three_languages(root, session, address)
        expect(count(session, "orders.db", "orders") == 300, "300 rows of three producers")

        say("The right token, and no longer pauses after failures: the next sync ends the incident")
        write(session.folder, "connections/token",
              bearer_token(os.path.join(session.folder, "mock_api.log")))
        session.show(*remote, "connections", "resume", "protected")
        expect(hook.wait("recovered")["connection"] == "protected", "recovered, said once")

        say(f"Numbers: http://127.0.0.1:{port}/metrics")
        text = metrics(port)
        for line in text.splitlines():
            if line.startswith(("tidemark_rows_total", "tidemark_syncs_total")) and \
                    not line.endswith(" 0"):
                print("   " + line)
        expect("tidemark_rows_total" in text, "rows are counted")
        session.show(*remote, "sync", "list")

        say("SIGTERM")
        expect(server.stop() == 0, "it stopped in order")


def main(arguments):
    if len(arguments) != 3:
        print("usage: demo_server.py ROOT OUTPUT_FOLDER", file=sys.stderr)
        return 2
    root, output = (os.path.abspath(a) for a in arguments[1:])
    os.makedirs(output, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="server-", dir=output)
    hook = Hook()
    try:
        say("Starting the mock API (PyPI: fivetran-api-playground)")
        with MockApi(os.path.join(root, "build", "venv"),
                     os.path.join(folder, "mock_api.log")) as api:
            run(root, Session(folder, os.path.join(root, "build", "release", "bin")), api, hook)
    except (Failure, RuntimeError, OSError) as error:
        print(f"demo-server: {error}\ndemo-server: what it wrote is in {folder}", file=sys.stderr)
        return 1
    finally:
        hook.close()
    say(f"Done. Look around in {os.path.relpath(folder)}: tidemarkd.log, warehouse.db, orders.db")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
