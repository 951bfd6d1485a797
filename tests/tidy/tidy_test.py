"""Proves that each tidy rule can fail, and that it leaves good code alone."""

import unittest

import headers
import rules
from tree import Tree, strip_cpp

LONG_BODY = "".join(f"  Step({i});\n" for i in range(70))

# (rule, files, what each finding must contain, in order)
CASES = [
    ("core sees only core", rules.include_directions,
     {"server/core/row.h": '#include "core/value.h"\n#include "state/store.h"\n'},
     ["core may not include state/"]),
    ("state does not see the destination", rules.include_directions,
     {"server/state/a.cc": '#include "destination/destination.h"\n'}, ["may not include"]),
    ("the pipeline sees what stands below it", rules.include_directions,
     {"server/pipeline/a.cc": '#include "destination/d.h"\n#include "state/s.h"\n'}, []),
    ("the pipeline does not see gRPC", rules.include_directions,
     {"server/pipeline/a.cc": "#include <grpcpp/grpcpp.h>\n"}, ["gRPC or protobuf"]),
    ("the destination does not see generated code", rules.include_directions,
     {"server/destination/a.h": '#include "tidemark/v1/connector.pb.h"\n'}, ["gRPC or protobuf"]),
    ("a source sees change_source.h and no other header of the pipeline",
     rules.include_directions,
     {"server/source/a.h": '#include "pipeline/change_source.h"\n#include "pipeline/sync.h"\n'},
     ["pipeline/sync.h"]),
    ("only control reads YAML", rules.include_directions,
     {"server/core/a.cc": "#include <yaml-cpp/yaml.h>\n",
      "server/control/a.cc": "#include <yaml-cpp/yaml.h>\n"}, ["YAML"]),
    ("wire does not see the plugin ABI", rules.include_directions,
     {"server/wire/a.cc": '#include "tidemark/plugin_abi.h"\n',
      "server/plugin_host/a.cc": '#include "tidemark/plugin_abi.h"\n'}, ["plugin SDK"]),
    ("plugins do not see the server", rules.include_directions,
     {"plugins/rest/a.cc": '#include "core/value.h"\n#include "cursors/replay.h"\n'},
     ["plugins/rest may not include core/"]),
    ("the plugin host's main does not see the pipeline", rules.include_directions,
     {"server/plugin_host_main.cc": '#include "pipeline/sync.h"\n'}, ["may not include"]),
    ("access sees neither gRPC nor control", rules.include_directions,
     {"server/access/a.h": '#include "state/sqlite_connection.h"\n#include "control/log.h"\n',
      "server/access/b.cc": "#include <grpcpp/grpcpp.h>\n"},
     ["access may not include control/", "gRPC or protobuf"]),
    ("the service sees access, and nobody below sees the service", rules.include_directions,
     {"server/service/a.h": '#include "access/role.h"\n#include "control/engine.h"\n',
      "server/control/a.h": '#include "service/catalog.h"\n'}, ["may not include service/"]),
    ("web sees what a sync came to, and no other header of the pipeline",
     rules.include_directions,
     {"server/web/a.h": '#include "pipeline/sync.h"\n#include "pipeline/conform.h"\n'},
     ["pipeline/conform.h"]),
    ("a new folder needs its line", rules.include_directions,
     {"server/extra/a.cc": '#include "core/value.h"\n'}, ["layers.py"]),
    ("code does not see tests", rules.include_directions,
     {"server/core/a.cc": '#include "tests/core/fake.h"\n'}, ["only tests"]),

    ("a file name that says nothing", rules.banned_names,
     {"server/core/string_util.h": "\n"}, ["'util'"]),
    ("a type name that says nothing", rules.banned_names,
     {"server/core/a.h": "class ABSL_MUST_USE RowHandler final : public Base {\n};\n"},
     ["RowHandler"]),
    ("an enum and a Python class", rules.banned_names,
     {"server/core/a.h": "enum class SyncInfo { kA };\n",
      "tests/a.py": "class DataLoader:\n    pass\n"}, ["SyncInfo", "DataLoader"]),
    ("words inside words are fine", rules.banned_names,
     {"server/core/metadata.h": "struct Database {};\n// class Helper {\n",
      "server/plugin_host/in_process.h": "class InProcessHost {\n"}, []),

    ("500 lines and one more", rules.file_length,
     {"server/core/a.cc": "\n" * 501, "server/core/b.cc": "\n" * 500}, ["501 lines"]),
    ("a function of 72 lines", rules.function_length,
     {"server/core/a.cc":
      "namespace n {\nclass A {\n void F() const {\n" + LONG_BODY + " }\n};\n}\n"},
     ["F has 72 lines"]),
    ("a test of 72 lines", rules.function_length,
     {"tests/core/a_test.cc": "TEST(A, B) {\n" + LONG_BODY + "}\n"}, ["TEST(A, B) has 72 lines"]),
    ("braces in literals and comments do not count", rules.function_length,
     {"server/core/a.cc": 'void F() {\n  Say("{", \'{\', R"x({{)x");  // {\n}\n' +
      "void G() {}\n" * 70}, []),
    ("a long table is no function", rules.function_length,
     {"server/core/a.cc": "constexpr int kTable[] = {\n" + "  1,\n" * 90 + "};\n"}, []),
    ("a Python function of 71 lines", rules.function_length,
     {"tests/a.py": "def f():\n" + "    g()\n" * 70}, ["f has 71 lines"]),

    ("columns, tabs, blanks, the last newline", rules.lines,
     {"server/core/a.cc": "x" * 101 + "\n\tint a; \n//"},
     ["101 columns", "a tab", "blanks", "no newline"]),
    ("marks of unfinished work", rules.unfinished,
     {"server/core/a.cc": "// TO" "DO: later\n", "README.md": "Done for" " now.\n"},
     ["for" " now", "TO" "DO"]),
    ("a test in no CMakeLists.txt", rules.listed_in_cmake,
     {"tests/core/a_test.cc": "", "tests/core/b_test.cc": "", "server/core/sub/c.cc": "",
      "tests/core/CMakeLists.txt": "tidemark_test(a_test SOURCES a_test.cc)\n",
      "server/core/CMakeLists.txt": "tidemark_library(core SOURCES sub/c.cc)\n"},
     ["neither built nor run"]),
    ("a source named by a loop's variable, and one named from the root", rules.listed_in_cmake,
     {"tests/core/rows_test.cc": "", "tests/core/sink_test.cc": "", "server/main.cc": "",
      "tests/core/CMakeLists.txt": "foreach(part rows)\n  add(${part}_test.cc)\n",
      "server/control/CMakeLists.txt": "add(${PROJECT_SOURCE_DIR}/server/main.cc)\n"},
     ["neither"]),
    ("a commented-out source is not listed by a longer name", rules.listed_in_cmake,
     {"tests/core/a.cc": "", "tests/core/CMakeLists.txt": "x_a.cc a.cc.in\n"}, ["neither"]),
    ("globbing", rules.no_glob,
     {"server/CMakeLists.txt": "file( glob SOURCES *.cc)\n"}, ["GLOB"]),
    ("a folder without a README, and one of two pages", rules.readmes,
     {"server/core/a.h": "", "plugins/README.md": "\n" * 61}, ["missing", "61 lines"]),
    ("places outside the project", rules.places,
     {"Makefile": "get https://pypi" ".org/x\ncd /ro" "ot/x\n"}, ["pypi", "/ro" "ot"]),
    ("locks that clang cannot check", rules.locks,
     {"server/core/a.h": "std::mutex mutex_;\n", "server/core/mutex.h": "std::mutex mutex_;\n",
      "plugins/a/a.h": "std::mutex mutex_;\n"}, ["core/mutex.h"]),
    ("throwing", rules.throws,
     {"server/core/a.cc": "void F() { throw 1; }  // throw\n"}, ["throw"]),
    ("a failpoint that nothing passes", rules.failpoints,
     {"server/core/failpoint_names.h": '{\n    "a.used",\n    "a.lost",\n};\n',
      "server/core/a.cc": 'PassFailpoint("a.used");\n'}, ["a.lost"]),
    ("sleeping in a test", rules.sleeps,
     {"tests/core/a_test.cc": "std::this_thread::sleep_for(x);\n",
      "tests/b.py": "import time\ntime.sleep(1)\n", "server/core/a.cc": "usleep(1);\n"},
     ["sleep_for", "time.sleep"]),
]


class RulesTest(unittest.TestCase):
    def test_each_rule_finds_what_it_forbids_and_nothing_else(self):
        for name, rule, files, expected in CASES:
            with self.subTest(name):
                found = list(rule(Tree(files)))
                if rule is rules.readmes:
                    found = [f for f in found if f[0] in ("server/core/README.md",
                                                          "plugins/README.md")]
                self.assertEqual(len(found), len(expected), found)
                for finding, part in zip(found, expected):
                    self.assertIn(part, finding[2])
                    self.assertGreaterEqual(finding[1], 1)

    def test_every_rule_has_a_case_that_fails(self):
        failing = {rule for _, rule, _, expected in CASES if expected}
        self.assertEqual(failing, set(rules.RULES))

    def test_an_exception_that_is_not_needed_is_a_finding(self):
        rules.LONG_FILES["server/core/short.cc"] = "reason"
        rules.LONG_FUNCTIONS["server/core/short.cc:F"] = "reason"
        try:
            tree = Tree({"server/core/short.cc": "void F() {}\n"})
            self.assertEqual(len(list(rules.file_length(tree))), 1)
            self.assertEqual(len(list(rules.function_length(tree))), 1)
        finally:
            del rules.LONG_FILES["server/core/short.cc"]
            del rules.LONG_FUNCTIONS["server/core/short.cc:F"]

    def test_only_a_header_that_its_source_includes_first_is_proven(self):
        for text, proven in (('#include "core/a.h"\n#include <string>\n', True),
                             ('#include <string>\n#include "core/a.h"\n', False),
                             ('#include "core/ba.h"\n', False), ("", False)):
            tree = Tree({"server/core/a.h": "", "server/core/a.cc": text})
            self.assertEqual(headers.proven_by_source(tree, "server/core/a.h"), proven, text)

    def test_findings_name_the_line(self):
        found = list(rules.lines(Tree({"a.cc": "int a;\n\tint b;\n"})))
        self.assertEqual([(f[0], f[1]) for f in found], [("a.cc", 2)])

    def test_stripping_keeps_lines(self):
        text = 'a /* x\n y */ b "s\\"{" // {\n#define X { \\\n  {\nc R"(\n{)" d\n'
        self.assertEqual(strip_cpp(text).count("\n"), text.count("\n"))
        self.assertNotIn("{", strip_cpp(text))


if __name__ == "__main__":
    unittest.main()
