"""Checks the whole tree against the rules of rules.py: tidy.py ROOT. Ends 1 with the findings."""

import sys

import rules
from tree import read_tree


def main(arguments):
    if len(arguments) != 2:
        print("usage: tidy.py ROOT", file=sys.stderr)
        return 2
    tree = read_tree(arguments[1])
    if not tree.cpp:
        print(f"tidy: no C++ file under {arguments[1]}", file=sys.stderr)
        return 2
    findings = 0
    for rule in rules.RULES:
        for path, line, text in rule(tree):
            print(f"{path}:{line}: {rule.__name__}: {text}")
            findings += 1
    print(f"tidy: {findings} findings in {len(tree.texts)} files, {len(rules.RULES)} rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
