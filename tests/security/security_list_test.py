"""The security list (README.md): every test it names stands in the file it names, and every one of
its cases has one; most were seen failing without their defence."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests" / "security" / "README.md"
AT_LEAST = 60
AT_LEAST_SEEN = 100
ROW = re.compile(r"^\| (?P<case>.+?) \| (?P<test>.+?) \| (?P<seen>.+?) \|$")
TEST = re.compile(r"^`(?P<path>tests/[\w/]+\.(?:cc|py)): (?P<name>[\w.]+)`$")


def cases(text):
    """The rows of the list's tables: case, test, how it was seen failing."""
    found = (ROW.match(line) for line in text.splitlines())
    return [row.groups() for row in found if row and row["case"] not in ("case", "---")]


def names_of(path):
    """The tests of a file: Suite.Name of C++, test_name of Python."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(re.findall(r"^ +def (test_\w+)\(self", text, re.MULTILINE))
    return {f"{suite}.{name}" for suite, name in re.findall(
        r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", text, re.MULTILINE)}


def missing(rows, root=ROOT):
    """What is wrong with the rows, in words."""
    problems, seen = [], set()
    for case, test, how in rows:
        match = TEST.match(test)
        if match is None:
            problems.append(f"{case}: not of the form `tests/FILE: NAME`: {test}")
        elif not (root / match["path"]).is_file():
            problems.append(f"{case}: {match['path']} is not there")
        elif match["name"] not in names_of(root / match["path"]):
            problems.append(f"{case}: {match['path']} has no {match['name']}")
        if test in seen:
            problems.append(f"{case}: {test} stands twice")
        if not how.strip():
            problems.append(f"{case}: how was it seen failing?")
        seen.add(test)
    return problems


class SecurityListTest(unittest.TestCase):
    def test_every_case_has_its_test(self):
        rows = cases(LIST.read_text(encoding="utf-8"))
        self.assertEqual([], missing(rows))
        self.assertGreaterEqual(len(rows), AT_LEAST)
        seen = [case for case, _, how in rows if how != "not yet"]
        self.assertGreaterEqual(len(seen), AT_LEAST_SEEN)

    def test_a_test_that_is_not_there_would_be_seen(self):
        here = "tests/security/security_list_test.py"
        text = (f"| good | `{here}: test_every_case_has_its_test` | not yet |\n"
                f"| gone | `{here}: test_nothing` | not yet |\n"
                "| no file | `tests/security/gone_test.py: test_x` | not yet |\n"
                "| no test | to be written | not yet |\n"
                f"| twice | `{here}: test_every_case_has_its_test` | not yet |\n")
        self.assertEqual(["gone", "no file", "no test", "twice"],
                         [problem.split(":")[0] for problem in missing(cases(text))])


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 2 else 1)
