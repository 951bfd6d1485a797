"""Users behind a read replica that lags: GET /incremental/replay?since=2024-01-15T10:30:00Z.

usage: replica.py [--port 5001] [--lag MINUTES] [--start TIME]

Every five minutes one user changes. A third of the changes reach the replica late, with the time at
which they were made: whoever asks only for what is newer than the newest row misses them. The first
change was made at TIME (default: a day ago). Tests set the clock by GET /clock?now=TIME.
"""

import argparse
from datetime import datetime, timedelta, timezone

from api_server import Answer, serve

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
EVERY = timedelta(minutes=5)
USERS = 40


def parse(text):
    return datetime.strptime(text, FORMAT).replace(tzinfo=timezone.utc)


class Replica:
    """The state of the replica as a function of the time."""

    def __init__(self, start, lag):
        self.start = start
        self.lag = lag
        self.now = None  # set by a test

    def change(self, k):
        """The k-th change: (the user's row, when it becomes visible)."""
        made = self.start + k * EVERY
        number = k * 7 % USERS
        row = {"id": f"u{number:03}", "name": f"User {number}", "email": f"u{number}@example.com",
               "address": f"{number} Main Street\nSpringfield", "company": f"Company {number % 5}",
               "job": f"Job {k}", "updatedAt": made.strftime(FORMAT),
               "createdAt": self.start.strftime(FORMAT)}
        return row, made + (self.lag if k % 3 == 0 else timedelta(0))

    def users(self, since):
        now = self.now or datetime.now(timezone.utc)
        newest = {}
        for k in range(max(0, (now - self.start) // EVERY + 1)):
            row, visible = self.change(k)
            if visible <= now:
                newest[row["id"]] = row
        rows = [r for r in newest.values() if since is None or parse(r["updatedAt"]) >= since]
        return sorted(rows, key=lambda r: r["updatedAt"])

    def __call__(self, request):
        if request.path == "/clock":
            self.now = parse(request.query["now"])
            return Answer(200, {})
        if request.path != "/incremental/replay":
            return Answer(404, {"error": "not found"})
        unknown = set(request.query) - {"since"}
        if unknown:
            return Answer(400, {"error": f"unknown parameters: {', '.join(sorted(unknown))}"})
        try:
            since = parse(request.query["since"]) if "since" in request.query else None
        except ValueError:
            return Answer(400, {"error": f"since is not a time like {FORMAT}"})
        return Answer(200, {"data": self.users(since)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--lag", type=int, default=30, help="minutes")
    parser.add_argument("--start", type=parse)
    arguments = parser.parse_args()
    start = arguments.start or datetime.now(timezone.utc) - timedelta(days=1)
    serve(Replica(start, timedelta(minutes=arguments.lag)), arguments.port)


if __name__ == "__main__":
    main()
