"""The first example of a client's README."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]


def examples(client, language):
    """The blocks of ```language in clients/CLIENT/README.md."""
    text = (ROOT / "clients" / client / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
