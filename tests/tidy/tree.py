"""The source tree as the tidy rules see it: paths from the root, and their texts."""

import os
import re
import subprocess

TEXT_SUFFIXES = (".cc", ".h", ".c", ".py", ".proto", ".md", ".txt", ".cmake", ".json", ".yaml",
                 ".sh", ".map", ".in")
TEXT_NAMES = ("Makefile", ".clang-format", ".clang-tidy", ".gitignore")


# Code that a generator made and that is committed; a test compares it with what it makes now.
GENERATED = re.compile(r"^clients/python/tidemark/_wire/\w+_pb2\.py$")


class Tree:
    """Immutable after construction. `texts` maps a path with / separators to its content."""

    def __init__(self, texts):
        self.texts = dict(texts)
        self.cpp = sorted(p for p in self.texts if p.endswith((".cc", ".h", ".c")))
        self.python = sorted(p for p in self.texts if p.endswith(".py"))
        self.cmake = sorted(p for p in self.texts
                            if p.endswith(".cmake") or os.path.basename(p) == "CMakeLists.txt")
        self.code = sorted(set(self.cpp + self.python + self.cmake) |
                           {p for p in self.texts if p.endswith((".proto", ".sh"))})
        self._stripped = {}

    def stripped(self, path):
        """The C++ text with comments, literals and preprocessor lines blanked, lines kept."""
        if path not in self._stripped:
            self._stripped[path] = strip_cpp(self.texts[path])
        return self._stripped[path]

    def folders(self):
        """Every folder that holds a file, with its ancestors."""
        found = set()
        for path in self.texts:
            folder = os.path.dirname(path)
            while folder and folder not in found:
                found.add(folder)
                folder = os.path.dirname(folder)
        return found


def read_tree(root):
    """Reads the files git knows or would add; without git, every file outside build/."""
    texts = {}
    for path in _list_files(root):
        if GENERATED.match(path):
            continue
        if not (path.endswith(TEXT_SUFFIXES) or os.path.basename(path) in TEXT_NAMES or
                path.startswith(".ci/")):
            continue
        full = os.path.join(root, path)
        if os.path.isfile(full) and not os.path.islink(full):
            with open(full, encoding="utf-8", errors="surrogateescape", newline="") as file:
                texts[path] = file.read()
    return Tree(texts)


def _list_files(root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [p for p in listed.stdout.split("\0") if p]
    paths = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders
                      if f not in ("build", ".git", "__pycache__")]
        paths += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return paths


_LITERAL_OR_COMMENT = re.compile(
    r'//[^\n]*(?:\\\n[^\n]*)*'
    r'|/\*.*?\*/'
    r'|R"(?P<fence>[^()\\ ]{0,16})\(.*?\)(?P=fence)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_PREPROCESSOR = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.MULTILINE)


def strip_cpp(text):
    """Blanks what is no code, so that braces and words can be counted. Lines stay in place."""
    def blank(match):
        found = match.group(0)
        newlines = "\n" * found.count("\n")
        if found.startswith("/"):
            return newlines
        return found[0] + newlines + found[-1] if found[0] != "R" else '""' + newlines
    text = _LITERAL_OR_COMMENT.sub(blank, text)
    return _PREPROCESSOR.sub(lambda m: "\n" * m.group(0).count("\n"), text)
