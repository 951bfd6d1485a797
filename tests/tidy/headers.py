"""Proves that each header compiles alone: headers.py ROOT COMPILER [FLAG...].

A header that its own .cc file includes first is proven by the build; the others are compiled here,
plugin_abi.h as C and as C++. Ends 1 with the failures.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from layers import includes
from tree import read_tree

FOLDERS = ("plugin_sdk/include/", "server/", "plugins/", "clients/cli/")
TEMPLATES = ("clients/cli/templates/",)  # texts with placeholders
C_HEADERS = ("plugin_sdk/include/tidemark/plugin_abi.h",)


def commands(root, compiler, flags):
    """Yields (header, command) for each compilation."""
    tree = read_tree(root)
    for path in tree.cpp:
        if not path.endswith(".h") or not path.startswith(FOLDERS) or path.startswith(TEMPLATES):
            continue
        if proven_by_source(tree, path):
            continue
        full = os.path.join(root, path)
        yield path, [compiler, "-x", "c++", "-std=c++20", "-fsyntax-only", *flags,
                     "-include", full, "/dev/null"]
        if path in C_HEADERS:
            yield path, [compiler, "-x", "c", "-std=c11", "-fsyntax-only", *flags,
                         "-include", full, "/dev/null"]


def proven_by_source(tree, header):
    """Whether the first include of the header's .cc file is the header itself."""
    source = tree.texts.get(header[:-2] + ".cc")
    first = next(includes(source), None) if source else None
    return first is not None and header.endswith("/" + first[1])


def compile_alone(job):
    """Returns (header, what the compiler said), empty when it compiled."""
    path, command = job
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return path, (run.stderr.strip() or "failed in silence") if run.returncode else ""


def main(arguments):
    if len(arguments) < 3:
        print("usage: headers.py ROOT COMPILER [FLAG...]", file=sys.stderr)
        return 2
    jobs = list(commands(arguments[1], arguments[2], arguments[3:]))
    if not jobs:
        print(f"headers: none found under {arguments[1]}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(2) as pool:
        failures = [(p, said) for p, said in pool.map(compile_alone, jobs) if said]
    for path, said in failures:
        print(f"{path}: not self-contained:\n{said}\n")
    print(f"headers: {len(failures)} of {len(jobs)} do not compile alone")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
