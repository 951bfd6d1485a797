"""make demo: two syncs of the table `user` from a mock HTTP API into SQLite, shown and checked.

usage: demo.py BIN_FOLDER VENV OUTPUT_FOLDER. Each run works in a fresh folder beneath the last.
Ends 0 only when what it promises holds: the second sync inserts nothing and changes no row, the
destination holds as many rows as the API, and the chain of state versions is valid.
"""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

from mock_api import MockApi

CONNECTION = """\
name: demo
sync:
  source:
    connector: replay
    config:
      # The replay strategy asks for `since = last timestamp - buffer`. The mock API has no
      # /incremental/replay; its /incremental/timestamp answers that same question.
      base_url: "{url}/incremental/timestamp"
      buffer_hours: 2
  destination:
    type: sqlite
    connection: warehouse.db
"""
SHOW_ROWS = "SELECT id, name, job, updatedAt, _tidemark_synced FROM user ORDER BY updatedAt LIMIT 5"


class Failure(Exception):
    """What the demo promises does not hold."""


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def expect(holds, text):
    if not holds:
        raise Failure(text)
    print(f"   ok: {text}", flush=True)


class Session:
    """Runs commands in the demo's folder with the built programs first on the path."""

    def __init__(self, folder, bin_folder):
        self.folder = folder
        self.environment = dict(os.environ)
        self.environment["PATH"] = bin_folder + os.pathsep + self.environment.get("PATH", "")

    def show(self, *command):
        """Prints the command and its output; a failure ends the demo."""
        print("$ " + shlex.join(command), flush=True)
        ended = subprocess.run(command, cwd=self.folder, env=self.environment, check=False)
        if ended.returncode != 0:
            raise Failure(f"{shlex.join(command)} ended with {ended.returncode}")

    def json(self, *command):
        """The JSON a command prints with --json."""
        ended = subprocess.run([*command, "--json"], cwd=self.folder, env=self.environment,
                               capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise Failure(f"{shlex.join(command)} --json ended with {ended.returncode}: "
                          f"{ended.stderr.strip()}")
        return json.loads(ended.stdout)

    def rows(self, query):
        with sqlite3.connect(os.path.join(self.folder, "warehouse.db")) as database:
            return database.execute(query).fetchall()


def api_rows(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return len(json.load(response)["data"])


def run(session, api):
    url = f"{api.url}/incremental/timestamp"
    path = os.path.join(session.folder, "demo.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONNECTION.format(url=api.url))
    say("The connection: demo.yaml")
    session.show("cat", "demo.yaml")

    say("First sync: everything is new")
    session.show("tidemark", "run", "demo.yaml")
    first = session.json("tidemark", "report", "demo.yaml")["statistics"]
    expect(first["records_inserted"] == api_rows(url), "every row of the API was inserted")
    before = session.rows("SELECT * FROM user ORDER BY id")

    say("Second sync: reads the two hours before the last timestamp again, finds nothing new")
    session.show("tidemark", "run", "demo.yaml")
    second = session.json("tidemark", "report", "demo.yaml")["statistics"]
    expect(second["records_processed"] > 0, "the buffer was read again")
    expect(second["records_inserted"] == 0, "nothing was inserted twice")
    expect(session.rows("SELECT * FROM user ORDER BY id") == before, "no unchanged row was touched")

    say("The versions of the state")
    session.show("tidemark", "state", "log", "demo.yaml")
    log = session.json("tidemark", "state", "log", "demo.yaml")
    expect(chain_is_valid(log), "the chain of state versions is valid")

    say("The rows")
    session.show("sqlite3", "-box", "warehouse.db", SHOW_ROWS)
    count = session.rows("SELECT count(*) FROM user")[0][0]
    expect(count == api_rows(url), f"the destination holds as many rows as the API: {count}")


def chain_is_valid(log):
    """Whether the log says so of every version it lists."""
    return log.get("chain") == "valid" and len(log.get("versions", [])) >= 2


def main(arguments):
    if len(arguments) != 4:
        print("usage: demo.py BIN_FOLDER VENV OUTPUT_FOLDER", file=sys.stderr)
        return 2
    bin_folder, venv, output = (os.path.abspath(a) for a in arguments[1:])
    os.makedirs(output, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="demo-", dir=output)
    try:
        say("Starting the mock API (PyPI: fivetran-api-playground)")
        with MockApi(venv, os.path.join(folder, "mock_api.log")) as api:
            print(f"   {api.url} serves 200 made-up users", flush=True)
            run(Session(folder, bin_folder), api)
    except (Failure, RuntimeError, OSError) as error:
        print(f"demo: {error}\ndemo: what it wrote is in {folder}", file=sys.stderr)
        return 1
    say(f"Done. Look around in {os.path.relpath(folder)}: demo.yaml, warehouse.db")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
