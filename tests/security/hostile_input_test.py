"""What a caller sends to do harm: bombs, junk, half-open connections and streams, names that lead
elsewhere. The server refuses it, stays small and goes on answering others."""

import asyncio
import concurrent.futures
import os
import random
import signal
import socket
import time

import grpc
from google.protobuf import message_factory

from secured_server import METHODS, TIMEOUT_S, SecurityCase, main
from tidemark._wire import connector_pb2, control_pb2, ingest_pb2

FEW_MIB = 64
MANY = 1000
APPLY = "name: {name}\nsync:\n  source: {{connector: hello}}\n  destination: {{connection: w.db}}\n"


def delimited(number, body):
    """A field of a length."""
    length = len(body)
    size = bytes((length >> shift & 127) | (128 if length >> shift > 127 else 0)
                 for shift in (0, 7, 14, 21) if shift == 0 or length >> shift)
    return bytes([number << 3 | 2]) + size + body


ELEMENTS = (2 << 20) - 16  # each of two bytes: a little less than 4 MiB of them
EMPTY_ROWS = delimited(
    ingest_pb2.PushRequest.DESCRIPTOR.fields_by_name["rows"].number,
    delimited(connector_pb2.Rows.DESCRIPTOR.fields_by_name["rows"].number, b"") * ELEMENTS)
EMPTY_TEXTS = delimited(
    control_pb2.CreateTokenRequest.DESCRIPTOR.fields_by_name["connections"].number,
    b"") * ELEMENTS


class HostileInputTest(SecurityCase):
    def setUp(self):
        self.assertEqual("OK", self.code(self.channel(), "GetServer", {}))
        self.before_mib = self.server.resident_mib()

    def tearDown(self):
        begun = time.monotonic()
        self.assertEqual("OK", self.code(self.channel(), "GetServer", {}))
        self.assertLess(time.monotonic() - begun, 2)
        self.assertIsNone(self.server.program.poll())

    def stays_small(self, mib=FEW_MIB):
        grown = self.server.resident_mib() - self.before_mib
        self.assertLess(grown, mib, "MiB more than before")

    def test_compressed_requests_are_refused_unread(self):
        bomb = {"yaml": "#" * (128 << 20)}
        self.assertEqual("UNIMPLEMENTED", self.code(
            self.channel(max_send_message_length=-1), "ApplyConnection", bomb,
            compression=grpc.Compression.Gzip))
        self.stays_small()

    def test_requests_of_more_than_four_mebibytes_are_refused(self):
        self.assertEqual("RESOURCE_EXHAUSTED", self.code(
            self.channel(max_send_message_length=-1), "ApplyConnection",
            {"yaml": "#" * (32 << 20)}))
        self.stays_small()

    def test_oversized_metadata_is_refused(self):
        channel = self.channel()
        for size in (1 << 16, 1 << 20):
            self.assertIn(self.code(channel, "GetServer", {}, metadata=[("x", "y" * size)]),
                          ("RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"))
        self.assertEqual("OK", self.code(self.channel(), "GetServer", {}))
        self.stays_small()

    def test_messages_nested_150_deep_are_refused(self):
        channel = self.channel()
        for path, method in METHODS.items():  # groups of an unknown field, 100, within each other
            named = message_factory.GetMessageClass(method.input_type)()
            for name in ("name", "connection"):
                if name in method.input_type.fields_by_name:
                    setattr(named, name, "nobody")
            whose = named.SerializeToString()
            answers = [self.call(channel, path, whose + b"\xa3\x06" * depth + b"\xa4\x06" * depth)
                       for depth in (50, 150)]
            self.assertIn("field number 100", answers[0].details(), path)
            # Nobody walks through the deep one: it is no message.
            self.assertNotIn("field number 100", answers[1].details(), path)

    def test_callers_without_a_token_cost_no_memory(self):
        address = self.relayed("127.0.0.31")
        codes = self._flood([(self.channel(address, max_send_message_length=-1), path, "")
                             for path in [*METHODS, "CreateToken", "CreateToken", "CreateToken"]])
        self.assertLessEqual(set(codes), {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"})
        self._stayed_small(FEW_MIB)

    def test_empty_elements_cost_no_more_than_their_limit(self):
        token = self.token("admin")
        path = "/tidemark.v1.Ingest/Push"
        channels = [self.channel(max_send_message_length=-1) for _ in range(4)]
        for name in ("CreateToken", path):
            self.assertEqual(["INVALID_ARGUMENT"] * 16, self._flood(
                [(channel, name, token) for channel in channels * 4]))
            self._stayed_small(2 * FEW_MIB)  # 16 requests of 4 MiB as they came

    def _flood(self, calls):
        """The codes of calls at once, each with 4 MiB of empty elements."""
        self.server.forget_peak()
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(lambda call: self.code(
                call[0], call[1], EMPTY_ROWS if call[1].endswith("Push") else EMPTY_TEXTS,
                call[2]), calls))

    def _stayed_small(self, mib):
        grown = self.server.peak_mib() - self.before_mib
        print(f"{grown} MiB more at the peak")
        self.assertLess(grown, mib, "MiB more than before")

    def test_junk_is_refused_by_every_method(self):
        seed = int.from_bytes(os.urandom(4), "little")
        print(f"seed {seed}")
        dice = random.Random(seed)
        channel = self.channel()
        for path in METHODS:
            for _ in range(5):
                junk = b"\x0a\xff" + dice.randbytes(dice.randrange(120))
                self.assertNotIn(self.code(channel, path, junk), ("OK", "UNAVAILABLE"), path)

    def test_unknown_fields_are_refused_by_name(self):
        answer = self.call(self.channel(), "GetServer", b"\xc0\x3e\x01")
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, answer.code())
        self.assertIn("1000", answer.details())

    def test_a_thousand_connections_without_a_handshake_keep_nobody_out(self):
        host, port = self.server.tls.split(":")
        held = []
        try:
            for number in range(MANY):
                held.append(socket.create_connection((host, int(port)), TIMEOUT_S))
                held[-1].sendall(b"\x16\x03\x01\x02\x00"[:number % 6])  # the begin of a handshake
            token = self.token("viewer")
            begun = time.monotonic()
            self.assertEqual("OK", self.code(self.channel(self.server.tls), "GetServer", {}, token))
            self.assertLess(time.monotonic() - begun, 5)
            for one in held:  # the server does not hold them for as long as they like
                one.settimeout(max(0.1, begun + TIMEOUT_S - time.monotonic()))
                try:
                    while one.recv(4096):
                        pass
                except TimeoutError:
                    raise
                except OSError:
                    pass
        finally:
            for one in held:
                one.close()
        self.stays_small(128)

    def test_a_thousand_streams_that_say_nothing_hold_no_thread(self):
        threads = self._threads()

        async def hold():
            channels = [grpc.aio.insecure_channel(self.server.unix, [
                ("grpc.use_local_subchannel_pool", 1)]) for _ in range(MANY // 50)]
            calls = [channel.stream_stream("/tidemark.v1.Ingest/Push")()
                     for channel in channels for _ in range(50)]
            for call in calls:  # one by one: each has reached the wire
                await asyncio.wait([asyncio.ensure_future(call.wait_for_connection())],
                                   timeout=TIMEOUT_S)
            code = await asyncio.to_thread(self.code, self.channel(), "GetServer", {})
            more = self._threads() - threads
            for call in calls:
                call.cancel()
            for channel in channels:
                await channel.close()
            return code, more, len(calls)

        code, more, count = asyncio.run(hold())
        self.assertEqual((MANY, "OK"), (count, code))
        self.assertLess(more, 50)
        self.stays_small(128)

    def _threads(self):
        return len(os.listdir(f"/proc/{self.server.program.pid}/task"))

    def test_other_protocols_end_their_own_connection_only(self):
        host, port = self.server.tls.split(":")
        path = self.server.unix.removeprefix("unix:")
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for words in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", preface + b"\xff" * 4096,
                      preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00" * 9000,
                      b"\x16\x03\x01\xff\xff" + b"\x00" * 70000, os.urandom(5000)):
            for family, address in ((socket.AF_INET, (host, int(port))), (socket.AF_UNIX, path)):
                with socket.socket(family) as peer:
                    peer.settimeout(TIMEOUT_S)
                    peer.connect(address)
                    try:
                        peer.sendall(words)
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(65536):
                            pass
                    except TimeoutError:
                        raise
                    except OSError:
                        pass  # it hung up: what is wanted

    def test_names_lead_nowhere_else(self):
        channel = self.channel()  # what is made once: the key, the API's folder of files
        self.call(channel, "SetSecret", {"name": "first", "value": b"makes the key"})
        self.call(channel, "ApplyConnection", {"yaml": APPLY.format(name="home")})
        before = sorted(str(p) for p in self.server.folder.rglob("*"))
        for name in ("../evil", "a/b", "/etc/evil", "a\\u0000b", "", "x" * 500, "-x;y",
                     "a\"b", "a`b", "$(x)", ".", ".."):
            text = APPLY.format(name=f'"{name}"' if '"' not in name else f"'{name}'")
            self.assertEqual("INVALID_ARGUMENT",
                             self.code(channel, "ApplyConnection", {"yaml": text}), name)
        for plugin in ("../../hello", "/lib/x86_64-linux-gnu/libc.so.6", "hello/../hello",
                       "./hello.so", "he\0llo"):
            self.assertIn(self.code(channel, "DescribePlugin", {"id": plugin}),
                          ("INVALID_ARGUMENT", "NOT_FOUND"), plugin)
        for sync in ("../catalog.db", "%2e%2e", "x' OR '1'='1"):
            self.assertIn(self.code(channel, "GetReport", {"sync_id": sync}),
                          ("INVALID_ARGUMENT", "NOT_FOUND"), sync)
        self.assertEqual("OK", self.code(channel, "ApplyConnection",
                                         {"yaml": APPLY.format(name="home")}))
        for backup in ("../../../etc/passwd", "/etc/passwd", "..", "a/../b"):
            self.assertEqual("INVALID_ARGUMENT", self.code(
                channel, "RestoreState", {"connection": "home", "backup": backup}), backup)
        for secret in ("../x", "a b", "", "a\0b", "x" * 500):
            self.assertEqual("INVALID_ARGUMENT",
                             self.code(channel, "SetSecret", {"name": secret, "value": b"v"}),
                             repr(secret))
        self.assertEqual(before, sorted(str(p) for p in self.server.folder.rglob("*")))

    def test_hostile_yaml_is_refused_at_once(self):
        bomb = "a0: &a0 [x, x]\n" + "".join(
            f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n"
            for n in range(1, 30))
        cases = {"alias bomb": bomb, "deep flow": "a: " + "[" * 100_000,
                 "deep maps": "a: " + "{a: " * 50_000, "deep blocks": "".join(
                     " " * n + "a:\n" for n in range(1500)),
                 "cycle": "name: x\nsync: &s {a: *s}\n", "duplicate key": "name: a\nname: b\n",
                 "duplicate inner key": APPLY.format(name="x") + "  batch_size: 1\n"
                                        "  batch_size: 2\n",
                 "two documents": APPLY.format(name="x") + "---\n" + APPLY.format(name="y"),
                 "merge key": "x: &x {name: y}\n<<: *x\n",
                 "tag": "name: !!python/object:os.system x",
                 "wrong types": "name: [1]\nsync: 7\n", "NUL": "name: \"a\\0b\"\nsync: {}\n",
                 "nothing": "", "more than a mebibyte": "name: [" + "x," * 1_500_000 + "]"}
        channel = self.channel(max_send_message_length=-1)
        for name, text in cases.items():
            with self.subTest(name):
                begun = time.monotonic()
                self.assertEqual("INVALID_ARGUMENT",
                                 self.code(channel, "ApplyConnection", {"yaml": text}))
                self.assertLess(time.monotonic() - begun, 2)
        self.stays_small(128)

    def test_a_refusal_of_many_mistakes_arrives(self):
        mistakes = "".join(f"k{number}: 1\n" for number in range(20_000))
        answer = self.call(self.channel(), "ApplyConnection", {"yaml": "name: x\n" + mistakes})
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, answer.code())
        self.assertIn("k0", answer.details())

    def test_bombs_and_pipes_in_the_folder_harm_nobody_else(self):
        connections = self.server.folder / "connections"
        bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n"
                                            for n in range(1, 20))
        (connections / "bomb.yaml").write_text(bomb, encoding="ascii")
        os.mkfifo(connections / "pipe.yaml")
        (connections / "good.yaml").write_text(APPLY.format(name="good"), encoding="ascii")
        self.server.program.send_signal(signal.SIGHUP)
        until = time.monotonic() + TIMEOUT_S
        while self.code(self.channel(), "GetConnection", {"name": "good"}) != "OK":
            self.assertLess(time.monotonic(), until)
        for name in ("bomb.yaml", "pipe.yaml", "good.yaml"):
            (connections / name).unlink()
        self.stays_small(128)


if __name__ == "__main__":
    main()
