"""Where the clients and the servers of their tests are; importing this makes them importable."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TLS_FOLDER = ROOT / "tests" / "plugins" / "servers"
sys.path[:0] = [str(ROOT / "clients" / "python"), str(ROOT / "tests" / "clients" / "servers")]
