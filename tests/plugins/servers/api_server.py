"""An HTTP server on the loopback interface for tests: JSON in and out, one thread per request."""

import json
import os
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(Exception):
    """Raised or returned by a route: status, body (an object for JSON, or bytes) and headers."""

    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class Request:
    """What a route gets: method, path, query (dict), headers, body (bytes) and peer (address)."""

    def __init__(self, method, target, headers, body, peer):
        self.peer = peer
        parts = urllib.parse.urlsplit(target)
        self.method = method
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body


def _requests_of(route):
    class Requests(BaseHTTPRequestHandler):
        """Hands each request to the route and writes its answer."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, self.headers, self.rfile.read(length),
                              self.client_address)
            print(f"{self.command} {self.path}", flush=True)
            try:
                answer = route(request)
            except Answer as raised:
                answer = raised
            if answer is None:  # drop the connection in the middle
                self.close_connection = True
                return
            body = answer.body
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
                answer.headers.setdefault("Content-Type", "application/json")
            answer.headers.setdefault("Content-Length", str(len(body)))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer

        def log_message(self, format, *args):  # pylint: disable=redefined-builtin
            pass  # said when the request came

    return Requests


def _end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


def serve(route, port=0, tls=None):
    """Serves until ended; says where. route: a function from Request to Answer."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _requests_of(route))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    if "TIDEMARK_LIFELINE" in os.environ:  # stdin is a pipe that closes when the test ends
        threading.Thread(target=_end_with_the_test, daemon=True).start()
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
