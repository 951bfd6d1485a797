"""An HTTP API that does what APIs do on their worse days. Each path is one habit.

usage: misbehaving.py [--port 0]. Counters are per path, so that a test gets a fresh server.
"""

import argparse
import collections
import gzip
import json
import threading
from datetime import datetime, timedelta, timezone

from api_server import Answer, serve

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
START = datetime(2023, 1, 1, tzinfo=timezone.utc)
ROWS = [{"id": i, "name": f"row {i}",
         "updatedAt": (START + timedelta(days=i)).strftime(FORMAT)} for i in range(1, 101)]
TOKEN = "t0p-s3cret-t0ken"


def number(request, name, otherwise=None):
    return int(request.query[name]) if name in request.query else otherwise


def data(rows, **more):
    return Answer(200, {"data": rows, **more})


class Api:
    """The routes; a method is a path, "/" being "_"."""

    def __init__(self):
        self.calls = collections.Counter()
        self.lock = threading.Lock()

    def __call__(self, request):
        with self.lock:
            self.calls[request.path] += 1
        parts = request.path.strip("/").split("/")
        route = getattr(self, parts[0], None)
        if route is None or parts[0].startswith("_"):
            return Answer(404, {"error": "no such path"})
        return route(request, *parts[1:])

    # ---- What works ----
    def echo(self, request, *_):
        headers = {k.lower(): v for k, v in request.headers.items()}
        return data([{"id": 1, "method": request.method, "path": request.path,
                      "query": json.dumps(request.query, sort_keys=True),
                      "headers": {k: headers.get(k) for k in ("authorization", "x-team", "x-key")},
                      "body": request.body.decode()}], total=1)

    def rows(self, request, *_):
        """The rows in any way of paging; fewer at once than asked for, as many APIs do."""
        limit = min(number(request, "limit", 20), 20)
        if "after_id" in request.query:
            return data([r for r in ROWS if r["id"] > number(request, "after_id")][:limit])
        if "start" in request.query:
            first, last = number(request, "start"), number(request, "end")
            return data([r for r in ROWS if first <= r["id"] <= last])
        offset = number(request, "offset", 0)
        if "page" in request.query:
            offset = (number(request, "page") - 1) * limit
        return data(ROWS[offset:offset + limit], total=len(ROWS))

    def first_keyset(self, request, *_):
        return data([r for r in ROWS if r["id"] > number(request, "after_id", 0)][:30])

    def since(self, request, *_):
        """Rows changed at or after `since`, in any order, with a few odd ones."""
        since = request.query.get("since", "")
        rows = [r for r in reversed(ROWS) if r["updatedAt"] >= since]
        odd = [{"id": 901, "name": "untimed"}, {"id": 902, "name": "null", "updatedAt": None},
               {"id": 903, "name": "future", "updatedAt": "2999-01-01T00:00:00Z"}]
        return data(rows + odd)

    def ordered(self, request, *_):
        """Rows in the order of their change, 10 at once."""
        offset = number(request, "offset", 0)
        rows = [r for r in ROWS if r["updatedAt"] >= request.query.get("since", "")]
        return data(rows[offset:offset + 10])

    def window(self, request, *_):
        """Answers for at most 20 days at once."""
        since, until = request.query["since"], request.query["until"]
        span = datetime.strptime(until, FORMAT) - datetime.strptime(since, FORMAT)
        if span > timedelta(days=20):
            return Answer(504, {"error": "the query took too long"})
        return data([r for r in ROWS if since <= r["updatedAt"] < until])

    def epoch(self, request, *_):
        """Milliseconds since 1970, in requests and rows."""
        rows = [{"id": i, "at": 1_600_000_000_000 + i} for i in range(10)]
        return data([r for r in rows if r["at"] >= number(request, "since", 0)])

    def deleted(self, request, *_):
        since = request.query.get("since", "")
        rows = [{"id": 3, "deletedAt": "2023-03-01T00:00:00Z"},
                {"id": 5, "deletedAt": "2023-03-02T00:00:00Z"}]
        return data([r for r in rows if r["deletedAt"] >= since])

    def nested(self, *_):
        body = (rb'{"result": {"items": [{"id": "a", "big": 12345678901234567890, "exact": 1.10, '
                rb'"huge": 1e20, "vast": 1.5e400, "yes": true, "none": null, '
                rb'"list": [1, {"b": "c"}] , "text": "\u00e9\n\"", "price": 1.5e-3, '
                rb'"day": "2024-02-29", "at": "2024-07-01T12:00:00", "bytes": "AAEC", '
                rb'"digits": 7, "time": "10:30:00", "n": "007"}]}}')
        return Answer(200, body, {"Content-Type": "application/json"})

    def peer(self, request, *_):
        return Answer(200, {"port": request.peer[1]})

    def compressed(self, *_):
        body = gzip.compress(json.dumps({"data": ROWS}).encode())
        return Answer(200, body, {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    # ---- Credentials ----
    def key(self, request, *_):
        given = request.query.get("api_key") or request.headers.get("X-Key")
        if given != TOKEN:
            return Answer(401, {"error": f"the key {given} is wrong"})
        return data(ROWS[:5])

    def tells(self, request, *_):
        """Repeats the credentials in its answer."""
        given = request.headers.get("Authorization", "")
        return Answer(400, {"error": f"do not understand {given}"})

    def tells_row(self, request, *_):
        given = request.headers.get("Authorization", "")
        return data([{"id": None, "note": given}])

    def forbidden(self, *_):
        return Answer(403, b"<h1>no</h1>", {"Content-Type": "text/html"})

    def login(self, request, *_):
        if json.loads(request.body) != {"username": "me", "password": "p{ss"}:
            return Answer(401, {"error": "wrong"})
        return Answer(200, {"session": {"token": f"session-{self.calls['/login']}"}})

    def session(self, request, *_):
        """A token is good for two requests."""
        wanted = f"Token session-{self.calls['/login']}"
        if request.headers.get("Authorization") != wanted or self.calls["/session"] % 3 == 0:
            return Answer(401, {"error": "expired"})
        offset = number(request, "offset", 0)
        return data(ROWS[offset:offset + 20])

    # ---- Faults that pass ----
    def flaky(self, request, status, times, *_):
        """The first requests are answered with an error."""
        if self.calls[request.path] <= int(times):
            return Answer(int(status), {"error": "later"})
        return data(ROWS[:5])

    def busy(self, request, seconds, *_):
        """429 with Retry-After, twice."""
        if self.calls[request.path] <= 2:
            return Answer(429, {"error": "slow down"}, {"Retry-After": seconds})
        return data(ROWS[:5])

    def drops(self, request, *_):
        """Drops the connection, then sends half an answer, then works."""
        calls = self.calls[request.path]
        if calls == 1:
            return None
        if calls == 2:
            return Answer(200, b'{"data": [{"id": 1', {"Content-Length": "100",
                                                       "Connection": "close"})
        return data(ROWS[:5])

    # ---- Faults that stay ----
    def silent(self, *_):
        threading.Event().wait()

    def heavy(self, request, *_):
        """Can answer for ten records at once, and never for the 37th."""
        offset, limit = number(request, "offset", 0), number(request, "limit")
        if limit > 10 or offset <= 36 < offset + limit:
            return Answer(500, {"error": "out of memory"})
        return data(ROWS[offset:offset + limit])

    def heavy_page(self, request, *_):
        request.query["offset"] = (number(request, "page") - 1) * number(request, "limit")
        return self.heavy(request)

    def dies(self, request, *_):
        """Works for forty records, then no more."""
        offset, limit = number(request, "offset", 0), number(request, "limit")
        if offset + limit > 40:
            return Answer(500, {"error": "down"})
        return data(ROWS[offset:offset + limit])

    def html(self, *_):
        return Answer(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"})

    def broken(self, *_):
        return Answer(200, b'{"data": [{"id": 1}, {"id": 2}', {"Content-Type": "application/json"})

    def empty(self, *_):
        return Answer(200, b"", {"Content-Type": "application/json"})

    def no_list(self, *_):
        return Answer(200, {"data": {"id": 1}})

    def large(self, *_):
        return Answer(200, {"data": [{"id": 1, "text": "x" * 100_000}]})

    def bomb(self, *_):
        body = gzip.compress(b'{"data": [' + b" " * 50_000_000 + b"]}")
        return Answer(200, body, {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    def bad_rows(self, *_):
        body = (b'{"data": [{"id": 1, "n": 1}, {"n": 2}, {"id": null}, 7, {"id": 4, "n": "x"}, '
                b'{"id": 5, "n": 01}, {"id": 6, "n": "\\ud800"}, {"id": 8, "n": 8, "id": 9}, '
                b'{"id": 7, "n": 7}]}')
        return Answer(200, body, {"Content-Type": "application/json"})

    def same_page(self, *_):
        return data(ROWS[:10])

    def wraps(self, request, *_):
        """Begins again after the last page."""
        page = number(request, "page", 1) % 3
        return data(ROWS[page * 10:page * 10 + 10])

    def same_link(self, *_):
        return data(ROWS[:10], next="/same_link")

    def circle(self, request, *_):
        at = number(request, "at", 0)
        return data([{"id": self.calls["/circle"]}], next=f"/circle?at={(at + 1) % 3}")

    def endless(self, *_):
        return data([], next=f"/endless?at={self.calls['/endless']}")

    def foreign(self, *_):
        return data(ROWS[:10], next="http://127.0.0.2:1/rows")

    def backwards(self, request, *_):
        after = number(request, "after_id", 1000)
        return data([{"id": i} for i in range(after - 1, after - 11, -1)])

    def disorder(self, *_):
        return data([ROWS[5], ROWS[2]])

    def ignores_range(self, *_):
        return data(ROWS[:10])

    def moved(self, request, *_):
        return Answer(302, {}, {"Location": "/rows?limit=5"})

    def elsewhere(self, *_):
        return Answer(302, {}, {"Location": "http://127.0.0.2:1/rows"})

    def rounds(self, *_):
        return Answer(302, {}, {"Location": "/rounds"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, default=0)
    serve(Api(), parser.parse_args().port)


if __name__ == "__main__":
    main()
