"""The tidy rules: functions of a Tree that yield (path, line, text). tidy.py runs them."""

import ast
import os
import re

from layers import check_includes

BANNED_WORDS = {"manager", "handler", "helper", "helpers", "util", "utils", "common", "misc",
                "data", "info", "process"}
FILE_LINES = 500
FUNCTION_LINES = 70
LINE_COLUMNS = 100
README_LINES = 60

# Exceptions, each with its reason. An entry that is no longer needed is itself a finding.
LONG_FILES = {  # path -> reason
    "plugin_sdk/include/tidemark/plugin_abi.h": "one contract, most of it comments",
    "proto/tidemark/v1/control.proto": "one contract, most of it comments",
    "tests/plugin_sdk/frozen/plugin_abi_1_0.h": "the same, as it was released",
}
LONG_FUNCTIONS = {}  # "path:function" -> reason
LONG_PAGES = {  # path -> reason
    "server/README.md": "the architecture as built, and how to call it from any language",
    "plugin_sdk/README.md": "the guide for authors of connectors",
    "tests/security/README.md": "one list of cases and their tests",
    "server/state/README.md": "the format, the protocols and their crash tables, in one place",
}
VERBATIM = {  # path -> reason
    "tests/control/seed_blocks.h": "documents as they were given, word for word",
}
FIELD_NAMES = {  # type name -> reason
    "DataType": "the name connector authors and SQL have for a column's type",
}

# This folder writes down what it forbids.
SPELLS_IT_OUT = ("tests/tidy/",)


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


def _words(name):
    """snake_case, CamelCase and dashes into lower-case words, less the placement in_process."""
    name = re.sub(r"in_process|InProcess", "", name)
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return [w.lower() for w in re.split(r"[^A-Za-z]+", spaced) if w]


_TYPE_NAME = re.compile(
    r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas\([^)]*\)\s*)?"
    r"(?:[A-Z_]{4,}(?:\([^)]*\))?\s+)?([A-Za-z_]\w*)\s*(?:final\s*)?(?=[:{])")
_PYTHON_CLASS = re.compile(r"^\s*class\s+(\w+)", re.MULTILINE)


def banned_names(tree):
    """File and type names are nouns of the field, not words that fit everything."""
    for path in tree.code:
        name = os.path.basename(path)
        stem = name.split(".")[0]
        for word in set(_words(stem)) & BANNED_WORDS:
            yield path, 1, f"file name {name}: '{word}' says nothing"
    for path in tree.cpp + tree.python:
        text, pattern = ((tree.stripped(path), _TYPE_NAME) if path in tree.cpp else
                         (tree.texts[path], _PYTHON_CLASS))
        for match in pattern.finditer(text):
            if match.group(1) in FIELD_NAMES:
                continue
            for word in set(_words(match.group(1))) & BANNED_WORDS:
                yield (path, _line_of(text, match.start()),
                       f"type name {match.group(1)}: '{word}' says nothing")


def file_length(tree):
    """Files have at most 500 lines."""
    for path in tree.code:
        lines = tree.texts[path].count("\n")
        if lines > FILE_LINES and path not in LONG_FILES:
            yield path, lines, f"{lines} lines, at most {FILE_LINES}"
        if lines <= FILE_LINES and path in LONG_FILES:
            yield path, 1, "listed as a long file and is none"


_TRANSPARENT = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|\bextern\s*\"")
_NAME_BEFORE_PAREN = re.compile(
    r"(TEST\w*\s*\([^)]*\)|[~\w:]+(?:\s*operator\s*\S+)?(?=\s*\())")


def cpp_functions(stripped):
    """Yields (first line, last line, name) of each function body outside other functions."""
    depth_inside = 0          # braces open inside the current function or initialiser
    start = name = None
    header_begin = 0          # where the text that introduces the next brace begins
    for match in re.finditer(r"[{};]", stripped):
        mark, position = match.group(0), match.start()
        if depth_inside:
            depth_inside += {"{": 1, "}": -1}.get(mark, 0)
            if depth_inside == 0 and name:
                yield start, _line_of(stripped, position), name
            if depth_inside == 0:
                header_begin = position + 1
            continue
        header = stripped[header_begin:position]
        header_begin = position + 1
        if mark != "{":
            continue
        called = _NAME_BEFORE_PAREN.search(header)
        if _TRANSPARENT.search(header.split("(")[0]) and not header.rstrip().endswith(")"):
            continue          # a namespace or a type: look inside
        depth_inside = 1
        name = called.group(1) if called else None
        start = _line_of(stripped, position - len(header.lstrip()))


def function_length(tree):
    """Functions have at most 70 lines, their signature included."""
    seen = set()
    for path in tree.cpp:
        for first, last, name in cpp_functions(tree.stripped(path)):
            yield from _judge_function(path, first, last, name, seen)
    for path in tree.python:
        for node in ast.walk(ast.parse(tree.texts[path])):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _judge_function(path, node.lineno, node.end_lineno, node.name, seen)
    for key in sorted(set(LONG_FUNCTIONS) - seen):
        if key.split(":")[0] in tree.texts:
            yield key.split(":")[0], 1, f"{key} is listed as a long function and is none"


def _judge_function(path, first, last, name, seen):
    lines = last - first + 1
    if lines <= FUNCTION_LINES:
        return
    key = f"{path}:{name}"
    seen.add(key)
    if key not in LONG_FUNCTIONS:
        yield path, first, f"{name} has {lines} lines, at most {FUNCTION_LINES}"


def lines(tree):
    """At most 100 columns, no tabs, no trailing blanks, a newline at the end."""
    for path in tree.code:
        if path in VERBATIM:
            continue
        text = tree.texts[path]
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > LINE_COLUMNS:
                yield path, number, f"{len(line)} columns, at most {LINE_COLUMNS}"
            if "\t" in line:
                yield path, number, "a tab"
            if line != line.rstrip():
                yield path, number, "blanks or a carriage return at the end of the line"
        if text and not text.endswith("\n"):
            yield path, 1, "no newline at the end of the file"


_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|\b[Ff]or now\b")


def unfinished(tree):
    """No marks of unfinished work: it is done, or an issue has it."""
    for path, text in sorted(tree.texts.items()):
        if path.startswith(SPELLS_IT_OUT):
            continue
        for match in _UNFINISHED.finditer(text):
            yield path, _line_of(text, match.start()), f"'{match.group(0)}'"


def listed_in_cmake(tree):
    """Every .cc and .c file is named by a CMakeLists.txt of its folder or of one above it, or by
    one anywhere from the root. `${part}_test.cc` names those whose part is a word of that file."""
    tokens = {p: set(re.findall(r"[\w./${}-]+", tree.texts[p])) for p in tree.cmake}
    from_root = set().union(*tokens.values()) if tokens else set()
    for path in tree.cpp:
        if path.endswith(".h") or "${PROJECT_SOURCE_DIR}/" + path in from_root:
            continue
        folder, listed = os.path.dirname(path), False
        while not listed:
            cmake = os.path.join(folder, "CMakeLists.txt")
            listed = _names(tokens.get(cmake, set()), os.path.relpath(path, folder or "."))
            if not folder:
                break
            folder = os.path.dirname(folder)
        if not listed:
            yield path, 1, "in no CMakeLists.txt: it is neither built nor run"


def _names(tokens, path):
    if path in tokens:
        return True
    for token in tokens:
        before, variable, after = re.fullmatch(r"([^$]*)(\$\{\w+\})?(.*)", token).groups()
        if (variable and path.startswith(before) and path.endswith(after) and
                path[len(before):len(path) - len(after)] in tokens):
            return True
    return False


def no_glob(tree):
    """CMake files list their sources."""
    for path in tree.cmake:
        for match in re.finditer(r"\bfile\s*\(\s*GLOB", tree.texts[path], re.IGNORECASE):
            yield path, _line_of(tree.texts[path], match.start()), "file(GLOB)"


def readmes(tree):
    """Each folder of the layout says on one page what it is for."""
    wanted = {f for f in tree.folders()
              if f in ("proto", "plugin_sdk", "server", "plugins", "clients", "tests") or
              re.fullmatch(r"(server|plugins|clients)/[^/]+", f)}
    for folder in sorted(wanted):
        path = folder + "/README.md"
        if path not in tree.texts:
            yield path, 1, "missing"
    for path, text in sorted(tree.texts.items()):
        if (path.endswith("/README.md") and text.count("\n") > README_LINES and
                path not in LONG_PAGES):
            yield path, 1, f"{text.count(chr(10))} lines, at most a page ({README_LINES})"


_PLACES = re.compile(
    r"pypi\.org|pythonhosted|npmjs\.|proxy\.golang|crates\.io|rubygems|deb\.debian\.org|"
    r"repo1?\.maven|docker\.io|/root/|/home/\w|(?<![\w.])/work/|/tmp/tm\b")


def places(tree):
    """No names of package registries, no paths of somebody's machine."""
    for path, text in sorted(tree.texts.items()):
        if path.startswith(SPELLS_IT_OUT):
            continue
        for match in _PLACES.finditer(text):
            yield path, _line_of(text, match.start()), f"'{match.group(0)}'"


_LOCKS = re.compile(r"\bstd::(?:recursive_|shared_|timed_)?mutex\b|\bstd::condition_variable\b|"
                    r"\babsl::(?:Mutex|CondVar)\b")


def locks(tree):
    """server/ locks through core/mutex.h, which clang's -Wthread-safety checks."""
    for path in tree.cpp:
        if path.startswith("server/") and path != "server/core/mutex.h":
            text = tree.stripped(path)
            for match in _LOCKS.finditer(text):
                yield path, _line_of(text, match.start()), f"{match.group(0)}: see core/mutex.h"


THROWS = {  # path -> reason
    "server/core/failpoint.cc": "the action throw, which only tests arm",
    "server/core/text.cc": "memory that ran out is no fault of the text; RunSync catches it",
}


def throws(tree):
    """server/ and clients/ return absl::Status; they throw nothing."""
    for path in tree.cpp:
        if path.startswith(("server/", "clients/")) and path not in THROWS:
            text = tree.stripped(path)
            for match in re.finditer(r"\bthrow\b(?!\s*\(\s*\))", text):
                yield path, _line_of(text, match.start()), "throw"


_SLEEPS = re.compile(r"\bsleep_(?:for|until)\b|\busleep\b|\bnanosleep\b|\babsl::SleepFor\b|"
                     r"\btime\.sleep\b")
# path -> (how many, reason): loops that look again until a deadline, where nobody tells.
POLLS = {
    "tests/bench/server_bench.py": (6, "a server that starts, and is measured for a while"),
    "tests/clients/commands_test.py": (1, "rows of a run that goes on"),
    "tests/control/write_turns_test.cc": (1, "a thread that waits in line"),
    "tests/faults/pusher_main.cc": (1, "the pace of a program that pushes"),
    "tests/faults/server_suite.py": (3, "moments of a server, and the end of processes"),
    "tests/service/service_fixture.h": (1, "syncs that run and end"),
    "tests/service/tidemarkd_test.py": (1, "a server's output and rows"),
    "tests/end_to_end/stores/stores_test.cc": (4, "lines of the ledger's log; moments of a run"),
    "tests/faults/crash_suites.py": (3, "moments of a run, and the end of processes"),
    "tests/faults/ledger_bench.py": (1, "lines of the ledger's log"),
    "tests/faults/server_kill_test.cc": (1, "a server that comes back"),
    "tests/faults/zombie_suite.py": (1, "a moment of a run"),
    "tests/servers/server_child.cc": (1, "a server that starts"),
    "tests/source/polling.cc": (1, "what nobody announces: Eventually()"),
    "tests/state/server_faults_test.cc": (2, "a server that comes back; a moment of a commit"),
    "tests/state/server_stores_test.cc": (3, "leases that end by a server's clock"),
    "tests/plugin_sdk/plugins/misbehaving.cc": (1, "a plugin that hangs"),
}


_FAILPOINT_NAME = re.compile(r'^ +"([a-z_.]+)",', re.MULTILINE)
_FAILPOINT_USE = re.compile(r'\b(?:PassFailpoint|Failpoint|ShortWrite)\(\s*"([a-z_.]+)"')


def failpoints(tree):
    """Each name of failpoint_names.h stands in the code; the compiler checks the other way."""
    names = "server/core/failpoint_names.h"
    used = {name for path in tree.cpp if path.startswith(("server/", "clients/"))
            for name in _FAILPOINT_USE.findall(tree.texts[path])}
    for match in _FAILPOINT_NAME.finditer(tree.texts.get(names, "")):
        if match.group(1) not in used:
            yield names, _line_of(tree.texts[names], match.start()), f"{match.group(1)}: nowhere"


def sleeps(tree):
    """Tests wait for events, never for a time."""
    for path in tree.cpp + tree.python:
        if not path.startswith("tests/") or path.startswith(SPELLS_IT_OUT):
            continue
        text = tree.stripped(path) if path in tree.cpp else tree.texts[path]
        found = list(_SLEEPS.finditer(text))
        if len(found) > POLLS.get(path, (0,))[0]:
            for match in found:
                yield path, _line_of(text, match.start()), f"{match.group(0)}: no sleeps in tests"


def include_directions(tree):
    """Includes follow the arrows of server/README.md."""
    yield from check_includes(tree)


RULES = (include_directions, banned_names, file_length, function_length, lines, unfinished,
         listed_in_cmake, no_glob, readmes, places, locks, throws, failpoints,
         sleeps)
