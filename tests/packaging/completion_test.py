"""Completions and the manual name every command and option: completion_test.py ROOT BUILD."""

import os
import re
import shutil
import subprocess
import sys
import unittest

BUILD = ""


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stderr}")
    return done


def tidemark(*words):
    return run(os.path.join(BUILD, "bin", "tidemark"), *words).stdout


def commands(path=()):
    """Yields (path, options, subcommands) of every command, read from its --help."""
    options, below, section = set(), [], ""
    for line in tidemark(*path, "--help").split("\n"):
        if line and not line.startswith(" "):
            section = line.split(":")[0]
        elif section == "Subcommands" and re.match(r"  \S", line):
            below.append(line.split()[0])
        elif re.match(r"  -", line):
            options.update(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line.split("  ")[1]))
    yield path, options, below
    for name in below:
        yield from commands((*path, name))


def bash_offers(script, *words):
    """What bash offers for the last word."""
    quoted = " ".join(f"'{word}'" for word in words)
    return run("bash", "-c", f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
               "_tidemark; printf '%s\\n' \"${COMPREPLY[@]}\"").stdout.split()


class CompletionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = list(commands())
        cls.texts = {shell: tidemark("completion", shell) for shell in ("bash", "zsh", "fish")}
        cls.manual = tidemark("man")

    def test_the_help_was_understood(self):
        paths = [path for path, _, _ in self.commands]
        for path in ((), ("run",), ("state", "log"), ("completion",), ("man",)):
            self.assertIn(path, paths)
        self.assertGreater(len(paths), 30)

    def test_bash_offers_every_command_and_option(self):
        for path, options, below in self.commands:
            offered = bash_offers(self.texts["bash"], "tidemark", *path, "")
            self.assertEqual(sorted(below),
                             sorted(w for w in offered if not w.startswith("-")), path)
            offered = bash_offers(self.texts["bash"], "tidemark", *path, "-")
            self.assertEqual(set(), options - set(offered), path)

    def test_bash_completes_words_values_and_stays_at_its_command(self):
        script = self.texts["bash"]
        self.assertEqual(["completion"], bash_offers(script, "tidemark", "compl"))
        self.assertEqual(["log"], bash_offers(script, "tidemark", "--json", "state", "lo"))
        self.assertEqual(["debug"], bash_offers(script, "tidemark", "--log-level", "de"))
        self.assertIn("--json", bash_offers(script, "tidemark", "--js"))

    def test_shells_take_their_scripts(self):
        for shell, text in self.texts.items():
            if shutil.which(shell):
                run(shell, "-n", text=text)

    def test_zsh_and_fish_name_every_command_and_option(self):
        for path, options, below in self.commands:
            for name in below:
                self.assertIn(f"'{name}:", self.texts["zsh"], path)
                self.assertIn(f" -a {name} ", self.texts["fish"], path)
            for option in options:
                self.assertIn(f"'{option}:", self.texts["zsh"], path)
                flag = f" -l {option[2:]}" if option.startswith("--") else f" -s {option[1:]}"
                self.assertIn(flag, self.texts["fish"], path)

    def test_the_manual_names_every_command_and_option(self):
        plain = self.manual.replace("\\-", "-")
        for path, options, _ in self.commands:
            if path:
                self.assertIn(f".SS \\fBtidemark {' '.join(path)}\\fR", plain)
            for option in options:
                self.assertIn(f"\\fB{option}\\fR", plain, path)

    def test_roff_has_nothing_to_say(self):
        pages = [("tidemark.1", self.manual)]
        with open(os.path.join(ROOT, "server/packaging/tidemarkd.8"), encoding="utf-8") as file:
            pages.append(("tidemarkd.8", file.read()))
        for name, page in pages:
            done = run("groff", "-man", "-ww", "-Tutf8", "-z", text=page)
            self.assertEqual("", done.stderr, name)

    def test_the_manual_of_the_server_names_its_options(self):
        with open(os.path.join(ROOT, "server/packaging/tidemarkd.8"), encoding="utf-8") as file:
            page = file.read().replace("\\-", "-")
        text = run(os.path.join(BUILD, "bin", "tidemarkd"), "--help").stdout
        for option in re.findall(r"--[a-z][a-z-]*", text):
            self.assertIn(option, page)


if __name__ == "__main__":
    BUILD, ROOT = os.path.abspath(sys.argv.pop(2)), os.path.abspath(sys.argv.pop(1))
    unittest.main()
