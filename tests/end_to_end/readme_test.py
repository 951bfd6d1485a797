"""Runs what README.md tells a reader to type: readme_test.py ROOT BUILD_FOLDER.

- The blocks fenced "```sh run" are executed, all of them in order by one shell, in a fresh folder
  that looks like a clone (links to this tree) in which build/release is the tree under test.
- A block fenced "```cpp file=PATH" (any language) must be a verbatim run of lines of that file.
- Every `make TARGET` it names is a target of the Makefile, every local link leads to a file.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

FENCE = re.compile(r"^```(\w+)(?: (run|file=\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
SECONDS = 240

ROOT = BUILD = ""


def blocks(text):
    """Yields (line, attribute, body) of each fenced block with an attribute."""
    for match in FENCE.finditer(text):
        if match.group(2):
            yield text.count("\n", 0, match.start()) + 1, match.group(2), match.group(3)


def looks_like_a_clone(folder):
    """Returns (clone, home) below `folder`. What commands write stays there."""
    clone, home = os.path.join(folder, "clone"), os.path.join(folder, "home")
    os.makedirs(os.path.join(clone, "build"))
    os.makedirs(home)
    for name in os.listdir(ROOT):
        if not name.startswith(".") and name not in ("build", "files"):
            os.symlink(os.path.join(ROOT, name), os.path.join(clone, name))
    os.symlink(BUILD, os.path.join(clone, "build", "release"))
    return clone, home


def end_group(process):
    """Ends what the process started and did not end."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_commands_run_as_written(self):
        run = [(line, body) for line, what, body in blocks(self.text) if what == "run"]
        self.assertGreaterEqual(len(run), 2, "README.md has hardly a block to run")
        script = "".join(f"echo '== README.md:{line}'\n{body}" for line, body in run)
        with tempfile.TemporaryDirectory(prefix="tidemark-readme-") as folder:
            clone, home = looks_like_a_clone(folder)
            shell = subprocess.Popen(["sh", "-e", "-u", "-c", script], cwd=clone,
                                     env=dict(os.environ, HOME=home), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     start_new_session=True)
            try:
                output, _ = shell.communicate(timeout=SECONDS)
            finally:
                end_group(shell)
        self.assertEqual(shell.returncode, 0, output)

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
    ROOT, BUILD = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
