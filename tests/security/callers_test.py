"""Who may call a server: every method without a token and with every role, tokens that are none,
TLS that is none, addresses that are not for it."""

import os
import pathlib
import re
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import grpc

import secured_server
from secured_server import METHODS, TIMEOUT_S, SecurityCase, main

ROLES = ("viewer", "operator", "editor", "admin")
# The lowest role of each method, beside the server's own table: who opens a method says so here.
LOWEST = {
    "viewer": "GetServer ListConnections GetConnection ListPlugins DescribePlugin ListSyncs "
              "GetSync WatchSync GetReport ListStateVersions",
    "operator": "PauseConnection ResumeConnection CheckConnection PlanConnection ListTables "
                "StartSync StopSync GetState DiffState RollbackState RepairState MigrateState "
                "ValidateState BackupState ExportState ListDeadLetters GetDeadLetter "
                "EditDeadLetter ReplayDeadLetters DiscardDeadLetters ListConflicts Verify",
    "editor": "ApplyConnection DeleteConnection PreviewTable ResetState ImportState RestoreState "
              "Push",
    "admin": "CreateToken ListTokens RevokeToken SetSecret ListSecrets DeleteSecret ListAudit "
             "VerifyAudit RotateMasterKey AcceptAudit"}


def lowest(path):
    """The role that the table gives a method; StopIteration where it is not listed."""
    name = path.rsplit("/", 1)[1]
    return next(role for role, names in LOWEST.items() if name in names.split())


class CallersTest(SecurityCase):
    def test_every_method_is_closed_without_a_token(self):
        self.assertEqual(sum(len(names.split()) for names in LOWEST.values()), len(METHODS))
        channel = None
        for number, path in enumerate(METHODS):
            if number % 8 == 0:  # fewer than the failures after which a peer has to wait
                channel = self.channel(self.relayed(f"127.0.1.{number // 8 + 1}"))
            with self.subTest(path):
                self.assertEqual("UNAUTHENTICATED", self.code(channel, path))

    def test_every_method_is_closed_to_lesser_roles_and_open_to_its_own(self):
        channel = self.channel(self.server.tls)
        tokens = {role: self.token(role) for role in ROLES}
        for path, method in METHODS.items():
            request = {name: "nobody" for name in ("name", "connection", "sync_id", "id")
                       if (field := method.input_type.fields_by_name.get(name))
                       and field.type == field.TYPE_STRING}
            for role in ROLES[:ROLES.index(lowest(path)) + 1]:
                with self.subTest(path, role=role):
                    code = self.code(channel, path, request, tokens[role])
                    if role == lowest(path):
                        self.assertNotIn(code, ("PERMISSION_DENIED", "UNAUTHENTICATED"))
                    else:
                        self.assertEqual("PERMISSION_DENIED", code)

    def test_a_token_of_one_connection_sees_and_starts_no_other(self):
        admin = self.channel()
        for name in ("mine", "theirs"):
            text = secured_server.GENERATOR.format(name=name, folder=self.server.folder)
            self.assertEqual("OK", self.code(admin, "ApplyConnection", {"yaml": text}))
        channel = self.channel(self.server.tls)
        token = self.token("editor", "mine")
        listed = self.call(channel, "ListConnections", {}, token)
        self.assertEqual(["mine"], [c.name for c in listed.connections])
        for name, request in (("StartSync", {"connection": "theirs"}),
                              ("GetConnection", {"name": "theirs"}),
                              ("DeleteConnection", {"name": "theirs"}),
                              ("ApplyConnection", {"yaml": text})):
            self.assertEqual("PERMISSION_DENIED", self.code(channel, name, request, token), name)
        self.assertEqual("OK", self.code(channel, "GetConnection", {"name": "mine"}, token))

    def test_expired_and_revoked_tokens_are_closed(self):
        channel = self.channel(self.relayed("127.0.2.1"))
        soon = int(time.time()) + 2
        token = self.token("viewer", expires_at={"seconds": soon})
        self.assertEqual("OK", self.code(channel, "GetServer", {}, token))
        revoked = self.token("viewer")
        self.call(self.channel(), "RevokeToken", {"id": revoked.split("_")[1]})
        self.assertEqual("UNAUTHENTICATED", self.code(channel, "GetServer", {}, revoked))
        threading.Event().wait(max(0.0, soon + 0.1 - time.time()))  # until it has expired
        self.assertEqual("UNAUTHENTICATED", self.code(channel, "GetServer", {}, token))

    def test_unknown_ids_and_wrong_secrets_get_one_text(self):
        channel = self.channel(self.relayed("127.0.2.2"))
        good = self.token("viewer")
        head, identity, secret = good.split("_")
        other = "A" if secret[-1] != "A" else "B"
        texts = {self.call(channel, "GetServer", {}, wrong).details()
                 for wrong in (f"{head}_{identity}_{secret[:-1]}{other}",
                               f"{head}_{identity[::-1]}_{secret}", "tm_x_y", "nonsense")}
        self.assertEqual(1, len(texts), texts)
        self.assertNotIn(identity, texts.pop())

    def test_who_fails_too_often_waits_and_nobody_else(self):
        channel = self.channel(self.relayed("127.0.2.3"))
        codes = [self.code(channel, "GetServer", {}, "tm_x_y") for _ in range(12)]
        self.assertEqual({"UNAUTHENTICATED"}, set(codes[:10]))
        self.assertEqual({"RESOURCE_EXHAUSTED"}, set(codes[10:]))
        good = self.token("viewer")
        self.assertEqual("RESOURCE_EXHAUSTED", self.code(channel, "GetServer", {}, good))
        others = self.channel(self.relayed("127.0.2.4"))
        self.assertEqual("OK", self.code(others, "GetServer", {}, good))

    def test_a_token_in_clear_never_opens_a_tls_port(self):
        with grpc.insecure_channel(self.server.tls) as channel:
            self.assertEqual("UNAVAILABLE",
                             self.code(channel, "GetServer", {}, self.token("admin")))

    def test_a_client_believes_no_other_authority(self):
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder, "other.crt")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                            made.with_suffix(".key"), "-out", made], check=True,
                           capture_output=True)
            wrong, key = made.read_bytes(), made.with_suffix(".key").read_bytes()
        token = self.token("admin")
        self.assertEqual("UNAVAILABLE", self.code(self.channel(self.server.tls, wrong), "GetServer",
                                                  {}, token))
        # And the server, where it asks for certificates, believes no other one either.
        self.assertEqual("UNAVAILABLE", self.code(
            self.channel(self.server.mutual, certificate=wrong, key=key), "GetServer", {}, token))

    def test_where_certificates_are_asked_for_a_token_is_not_enough(self):
        token = self.token("admin")
        self.assertEqual("UNAVAILABLE", self.code(self.channel(self.server.mutual), "GetServer", {},
                                                  token))
        own = {"certificate": self.server.authority(), "key": self.server.key()}
        channel = self.channel(self.relayed("127.0.2.5", self.server.mutual), **own)
        self.assertEqual("OK", self.code(channel, "GetServer", {}, token))
        self.assertEqual("UNAUTHENTICATED", self.code(channel, "GetServer", {}))

    def test_old_versions_of_tls_are_refused(self):
        host, port = self.server.tls.split(":")
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            context.set_ciphers("ALL:@SECLEVEL=0")  # what this side would refuse by itself
            context.minimum_version = context.maximum_version = version
            with socket.create_connection((host, int(port)), TIMEOUT_S) as plain:
                if version == ssl.TLSVersion.TLSv1_2:
                    context.wrap_socket(plain).close()
                else:
                    with self.assertRaises((ssl.SSLError, ConnectionError), msg=version):
                        context.wrap_socket(plain)

    def test_reflection_and_channelz_are_not_there(self):
        for path in ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                     "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                     "/grpc.channelz.v1.Channelz/GetServers"):
            with self.assertRaises(grpc.RpcError) as caught:
                self.channel().unary_unary(path)(b"", timeout=TIMEOUT_S)
            self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, caught.exception.code(), path)

    def test_the_socket_and_its_folder_are_for_the_user_alone(self):
        path = self.server.unix.removeprefix("unix:")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))

    def test_http_gives_no_more_than_its_pages(self):
        for path in ("/../data/catalog.db", "/%2e%2e/data/catalog.db", "//etc/passwd", "/debug"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://{self.server.http}{path}", timeout=TIMEOUT_S)
            with caught.exception as answer:
                self.assertEqual(404, answer.code, path)

    def test_other_machines_are_refused_without_tls(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:7443", "*:7443", "example.org:7443"):
            with self.subTest(address), tempfile.TemporaryDirectory() as folder:
                config = pathlib.Path(folder, "tidemarkd.yaml")
                config.write_text(f"data: data\nlisten: [{{address: \"{address}\"}}]\n",
                                  encoding="ascii")
                ended = subprocess.run([secured_server.BIN / "tidemarkd", "--config", config],
                                       cwd=folder, capture_output=True, text=True, check=False,
                                       timeout=TIMEOUT_S)
                self.assertEqual(2, ended.returncode, ended.stderr)
                self.assertRegex(ended.stderr, r"listen\[\]\.address: ")
        self.assertTrue(re.fullmatch(r"127\.0\.0\.1:\d+", self.server.http))


if __name__ == "__main__":
    main()
