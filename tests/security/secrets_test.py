"""Secrets of a server: canaries are looked for in everything it says and stores; what it stores is
for its user alone; a changed audit log is noticed."""

import base64
import json
import pathlib
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request

import grpc

from secured_server import BIN, TIMEOUT_S, SecuredServer, SecurityCase, main

STORED, ENVIRONMENT, FILE, LITERAL = CANARIES = tuple(
    f"canary+{name}/4711 x&y" for name in ("stored", "environment", "file", "literal"))
CONNECTION = """name: {name}
sync:
  source:
    connector: rest
    config:
      base_url: "http://127.0.0.1:{port}"
      endpoints: [{{table: contact, path: /contact, primary_key: [id]}}]
      auth: {{type: headers, headers: {{X-A: "${{secret:crm}}", X-B: "${{env:CANARY_VARIABLE}}",
             X-C: "${{file:{folder}/secret.txt}}", X-D: "{literal}"}}}}
  destination: {{connection: "{folder}/{name}.db"}}
  frequency: manual
"""


def spellings(secret):
    """How a text may stand somewhere."""
    encoded = secret.encode()
    return {encoded, urllib.parse.quote(secret, safe="").encode(),
            urllib.parse.quote_plus(secret).encode(), base64.b64encode(encoded),
            base64.b64encode(b"user:" + encoded), encoded.hex().encode()}


class SilentApi:
    """Takes requests, remembers them, answers 500 with the request itself once it may."""

    def __init__(self):
        self.seen = threading.Event()
        self.may_answer = threading.Event()
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._answer, args=(peer,)))
            self._threads[-1].start()

    def _answer(self, peer):
        with peer:
            peer.settimeout(TIMEOUT_S)
            try:
                request = peer.recv(65536)
                self.requests.append(request)
                self.seen.set()
                self.may_answer.wait(TIMEOUT_S)
                peer.sendall(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                             % len(request) + request)
            except OSError:
                pass

    def close(self):
        """Ends it."""
        self.may_answer.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


class SecretsTest(SecurityCase):
    environment = {"CANARY_VARIABLE": ENVIRONMENT}

    def absent(self, where, content):
        content = content.encode() if isinstance(content, str) else content
        for canary in CANARIES:
            for spelling in spellings(canary):
                self.assertNotIn(spelling, content, f"{canary} in {where}")

    def tree(self, pid):
        """A process and those below it."""
        found = [pid]
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += self.tree(int(child))
        return found

    def wait_for(self, met):
        """Asks again until it is so: nobody tells."""
        until = time.monotonic() + TIMEOUT_S
        while not met():
            self.assertLess(time.monotonic(), until, "".join(self.server.log))

    def said(self, channel, name):
        """What the server answers about a connection; its syncs' events."""
        answers = [str(self.call(channel, method, request)) for method, request in (
            ("GetConnection", {"name": name}), ("ListConnections", {}),
            ("CheckConnection", {"name": name}), ("PlanConnection", {"name": name}),
            ("PreviewTable", {"connection": name, "table": "contact"}),
            ("GetReport", {"connection": name}), ("ListSyncs", {}), ("ListSecrets", {}),
            ("ListAudit", {}), ("ListDeadLetters", {"connection": name}),
            ("GetState", {"connection": name}), ("GetServer", {}))]
        sync = self.call(channel, "ListSyncs", {}).syncs[0].sync_id
        watch = channel.unary_stream("/tidemark.v1.Control/WatchSync")
        answers += [str(event) for event in watch(
            b"\x0a" + bytes([len(sync)]) + sync.encode(), timeout=TIMEOUT_S)]
        return "\n".join(answers)

    def test_canaries_stand_nowhere(self):
        api = SilentApi()
        self.addCleanup(api.close)
        folder, channel = self.server.folder, self.channel()
        (folder / "secret.txt").write_text(FILE + "\n", encoding="ascii")
        self.assertEqual("OK", self.code(channel, "SetSecret",
                                         {"name": "crm", "value": STORED.encode()}))
        text = CONNECTION.format(name="crm", port=api.port, folder=folder, literal=LITERAL)
        refused = self.call(channel, "ApplyConnection", {"yaml": text})
        self.assertIn("${env:CANARY_VARIABLE} may not be used here", refused.details())
        self.assertIn("secret.txt} may not be used here", refused.details())
        self.absent("refusal", str(refused))
        (folder / "connections" / "crm.yaml").write_text(text, encoding="ascii")
        self.server.program.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.code(channel, "GetConnection", {"name": "crm"}) == "OK")
        started = self.call(channel, "StartSync", {"connection": "crm"})
        self.assertNotIsInstance(started, grpc.RpcError, started)
        self.assertTrue(api.seen.wait(TIMEOUT_S), self.server.log)
        request = api.requests[0]
        for canary in (STORED, ENVIRONMENT, FILE, LITERAL):
            self.assertIn(canary.encode(), request)  # it does reach the one it is for
        self.watched(self.tree(self.server.program.pid))
        api.may_answer.set()
        self.wait_for(lambda: self.call(channel, "GetSync",
                                        {"sync_id": started.sync_id}).HasField("ended_at"))
        said = self.said(channel, "crm")
        self.assertIn("401", said)
        self.absent("answers", said)
        self.absent("log", "".join(self.server.log))
        with urllib.request.urlopen(f"http://{self.server.http}/metrics") as metrics:
            self.absent("metrics", metrics.read())
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "secret.txt":
                for canary in (STORED, ENVIRONMENT, FILE):  # LITERAL stands in its file itself
                    self.assertNotIn(canary.encode(), path.read_bytes(), path)
        for name in ("other ${secret:crm}", "${secret:crm}"):  # it repeats what was written
            self.absent("refusal", str(self.call(channel, "ApplyConnection", {
                "yaml": text.replace("name: crm", f"name: \"{name}\"") + f"nope: {LITERAL}\n"})))
        self.absent("command line", subprocess.run(
            [BIN / "tidemark", "--server", self.server.unix, "connections", "show", "crm"],
            capture_output=True, check=False).stdout)

    def watched(self, pids):
        """Arguments and environment of the processes of a sync that runs."""
        self.assertGreater(len(pids), 1)
        for pid in pids:
            self.absent("arguments", pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
        for pid in pids[1:]:
            try:
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            except PermissionError:
                continue  # not even its own user may: it is not dumpable
            self.absent("environment of a plugin", environment)

    def test_no_core_file_is_written(self):
        limits = pathlib.Path(f"/proc/{self.server.program.pid}/limits").read_text("ascii")
        self.assertRegex(limits, r"Max core file size\s+0\s+0")

    def test_what_is_stored_is_for_the_user_alone(self):
        data = self.server.folder / "data"
        self.assertEqual("OK", self.code(self.channel(), "SetSecret",
                                         {"name": "key", "value": b"is made now"}))
        names = set()
        for path in [data, *data.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            names.add(path.name)
            self.assertEqual(0, mode & 0o077, f"{path} {mode:o}")
        self.assertLessEqual({"catalog.db", "master.key"}, names)

    def test_tokens_are_stored_as_digests(self):
        token = self.token("admin")
        secret = token.split("_")[2]
        channel = self.channel(self.server.tls)
        self.assertEqual("OK", self.code(channel, "GetServer", {}, token))
        self.assertEqual("INVALID_ARGUMENT", self.code(channel, "SetSecret", {}, token))
        for path in (self.server.folder / "data").rglob("*"):
            if path.is_file():
                self.assertNotIn(secret.encode(), path.read_bytes(), path)
        self.assertNotIn(secret, "".join(self.server.log))
        self.assertNotIn(secret, str(self.call(self.channel(), "ListTokens", {})) +
                         str(self.call(self.channel(), "ListAudit", {})))

    def test_a_rotation_tells_no_key_and_leaves_the_old_one_nowhere(self):
        channel, data = self.channel(), self.server.folder / "data"
        self.assertEqual("OK", self.code(channel, "SetSecret", {"name": "kept", "value": b"word"}))
        old = (data / "master.key").read_text(encoding="ascii").strip()
        ended = subprocess.run([BIN / "tidemark", "--server", self.server.unix, "secret", "rotate",
                                "--json"], capture_output=True, text=True, check=False,
                               timeout=TIMEOUT_S)
        self.assertEqual(0, ended.returncode, ended.stderr)
        answer = json.loads(ended.stdout)
        self.assertNotEqual(answer["old_key_id"], answer["new_key_id"])
        self.assertNotIn("To do", ended.stderr)
        new = (data / "master.key").read_text(encoding="ascii").strip()
        self.assertNotEqual(old, new)
        said = ended.stdout + ended.stderr + "".join(self.server.log) + str(
            self.call(channel, "ListAudit", {}))
        for key in (old, new):
            self.assertNotIn(key, said)
        for path in data.rglob("*"):
            if path.is_file():
                self.assertNotIn(old.encode(), path.read_bytes(), path)

    def test_secrets_are_never_read_back(self):
        channel = self.channel()
        self.call(channel, "SetSecret", {"name": "back", "value": STORED.encode()})
        listed = self.call(channel, "ListSecrets", {})
        self.assertIn("back", str(listed))
        self.absent("list", str(listed))
        fields = {field.name for field in listed.DESCRIPTOR.fields_by_name["secrets"]
                  .message_type.fields}
        self.assertFalse(fields & {"value", "text", "secret"}, fields)


class AuditTest(unittest.TestCase):
    def verify(self, server, code):
        ended = subprocess.run([BIN / "tidemark", "--server", server.unix, "audit", "verify"],
                               capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        self.assertEqual(code, ended.returncode == 0, ended.stdout + ended.stderr)

    def changed(self, statement, then=lambda server: None):
        with SecuredServer() as server:
            for note in ("first", "second", "third"):
                subprocess.run([BIN / "tidemark", "--server", server.unix, "token", "create",
                                "--role", "viewer", "--note", note], capture_output=True,
                               check=True, timeout=TIMEOUT_S)
            self.verify(server, True)
            self.remote(server, "audit", "accept", "--reason", "nothing is missing", code=1)
            base = sqlite3.connect(server.folder / "data" / "catalog.db")
            try:
                triggers = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND "
                                        "tbl_name = 'audit'").fetchall()
                for (name,) in triggers:
                    base.execute(f"DROP TRIGGER {name}")
                rows = base.execute(statement).rowcount
                self.assertGreater(rows, 0)
                base.commit()
            finally:
                base.close()
            self.verify(server, False)
            then(server)

    def remote(self, server, *command, code=0):
        """Runs `tidemark --server`; what it says."""
        ended = subprocess.run([BIN / "tidemark", "--server", server.unix, *command],
                               capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        self.assertEqual(code, ended.returncode, ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def test_a_changed_entry_is_noticed(self):
        self.changed("UPDATE audit SET who = 'somebody else' WHERE rowid = 2",
                     lambda server: self.remote(server, "audit", "accept", "--reason", "x", code=1))

    def test_a_removed_entry_is_noticed(self):
        self.changed("DELETE FROM audit WHERE rowid = 2")

    def test_a_removed_end_is_noticed(self):
        self.changed("DELETE FROM audit WHERE rowid = (SELECT max(rowid) FROM audit)")

    def test_a_removed_end_is_accepted_and_stays_named(self):
        def accept(server):
            self.remote(server, "audit", "accept", code=2)
            said = self.remote(server, "audit", "accept", "--reason", "a disk was put back")
            number = re.search(r"Entry (\d+) says what was missing .*its last entry was .*"
                               r"a disk was put back", said)[1]
            self.remote(server, "token", "create", "--role", "viewer")
            listed = json.loads(self.remote(server, "audit", "list", "--json"))
            self.assertEqual(["Control/CreateToken", "Control/AcceptAudit", "audit.accept"],
                             [entry["method"] for entry in listed[:3]])
            self.assertIn(f"entry {number} tells of a loss", self.remote(server, "audit", "verify"))
        self.changed("DELETE FROM audit WHERE rowid > 1", accept)

    def test_entries_cannot_be_changed_in_passing(self):
        with SecuredServer() as server:
            subprocess.run([BIN / "tidemark", "--server", server.unix, "token", "create", "--role",
                            "viewer"], capture_output=True, check=True, timeout=TIMEOUT_S)
            base = sqlite3.connect(server.folder / "data" / "catalog.db")
            try:
                for statement in ("DELETE FROM audit", "UPDATE audit SET at = 1"):
                    with self.assertRaises(sqlite3.Error):
                        base.execute(statement)
            finally:
                base.close()


if __name__ == "__main__":
    main()
