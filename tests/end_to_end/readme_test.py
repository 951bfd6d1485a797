"""Runs what README.md tells a reader to type: readme_test.py ROOT BIN_FOLDER.

- A block fenced "```sh run" is executed; all of them in order, in one fresh folder, as one shell
  each, with the built programs first on the path and $TIDEMARK_SOURCE naming this tree.
- A block fenced "```cpp file=PATH" (any language) must be a verbatim run of lines of that file.
- Every `make TARGET` it names is a target of the Makefile, every local link leads to a file.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

FENCE = re.compile(r"^```(\w+)(?: (run|file=\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
BLOCK_SECONDS = 120

ROOT = BIN_FOLDER = ""


def blocks(text):
    """Yields (line, attribute, body) of each fenced block with an attribute."""
    for match in FENCE.finditer(text):
        if match.group(2):
            yield text.count("\n", 0, match.start()) + 1, match.group(2), match.group(3)


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_commands_run_as_written(self):
        environment = dict(os.environ, TIDEMARK_SOURCE=ROOT)
        environment["PATH"] = BIN_FOLDER + os.pathsep + environment["PATH"]
        run = [(line, body) for line, what, body in blocks(self.text) if what == "run"]
        self.assertGreaterEqual(len(run), 2, "README.md has hardly a block to run")
        with tempfile.TemporaryDirectory(prefix="tidemark-readme-") as folder:
            for line, body in run:
                ended = subprocess.run(["sh", "-e", "-u", "-c", body], cwd=folder, env=environment,
                                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                       timeout=BLOCK_SECONDS, check=False)
                self.assertEqual(ended.returncode, 0,
                                 f"README.md:{line}\n{body}\n{ended.stdout}{ended.stderr}")

    def test_quoted_files_are_quoted_as_they_are(self):
        quoted = [(line, what[5:], body) for line, what, body in blocks(self.text)
                  if what.startswith("file=")]
        self.assertTrue(quoted, "README.md quotes no file")
        for line, path, body in quoted:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                self.assertIn("\n" + body, "\n" + file.read(),
                              f"README.md:{line} differs from {path}")

    def test_make_targets_exist(self):
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
            targets = set(re.findall(r"^([a-z-]+):", file.read(), re.MULTILINE))
        named = set(re.findall(r"\bmake ([a-z][a-z-]*)\b", "\n".join(
            re.findall(r"`[^`\n]+`|^```.*?^```", self.text, re.MULTILINE | re.DOTALL))))
        self.assertTrue(named)
        self.assertLessEqual(named, targets)

    def test_links_lead_somewhere(self):
        for link in LINK.findall(self.text):
            self.assertTrue(os.path.exists(os.path.join(ROOT, link)), link)


if __name__ == "__main__":
    ROOT, BIN_FOLDER = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
