"""Tries .ci/prepare against a machine that is made up: prepare_test.py ROOT.

`dpkg-query`, `apt-get` and `id` are scripts of the test that stand first on the path; the package
list is the real one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = ""


class PrepareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidemark-prepare-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        shutil.copytree(os.path.join(ROOT, ".ci"), os.path.join(self.folder, ".ci"))
        self.called = os.path.join(self.folder, "called")
        os.mkdir(os.path.join(self.folder, "bin"))
        self.policy = os.path.join(self.folder, "policy-rc.d")

    def script(self, name, body):
        path = os.path.join(self.folder, "bin", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def machine(self, user, lacks=(), apt_get="exit 0"):
        """A machine with every package but those it lacks."""
        lacking = "|".join(lacks) or "nothing"
        self.script("dpkg-query", "shift 2; for p; do case $p in " + lacking +
                    ') ;; *) printf "installed:%s " $p;; esac; done 2>/dev/null; exit 0')
        self.script("id", f"echo {user}")
        self.script("apt-get", f'echo "$@" >> {self.called}; {apt_get}')

    def prepare(self, *purposes):
        path = os.path.join(self.folder, "bin") + os.pathsep + os.environ["PATH"]
        return subprocess.run([os.path.join(self.folder, ".ci", "prepare"), *purposes],
                              env=dict(os.environ, PATH=path, TIDEMARK_POLICY_FILE=self.policy),
                              capture_output=True, text=True, check=False)

    def calls(self):
        if not os.path.exists(self.called):
            return []
        with open(self.called, encoding="utf-8") as file:
            return file.read().splitlines()

    def test_nothing_is_called_when_nothing_is_missing(self):
        self.machine(user=0)
        begin = time.monotonic()
        ended = self.prepare("build", "test", "lint")
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])
        self.assertLess(time.monotonic() - begin, 10)

    def test_root_installs_just_what_is_missing(self):
        self.machine(user=0, lacks=("mold", "sqlite3"))
        ended = self.prepare("build", "test")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        update, install = self.calls()
        self.assertEqual(update, "update")
        self.assertTrue(install.endswith("install -y --no-install-recommends mold sqlite3"))

    def test_others_are_told_what_root_should_run(self):
        self.machine(user=1000, lacks=("mold",))
        ended = self.prepare("build")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("sudo apt-get install -y --no-install-recommends mold\n", ended.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_purpose_asks_for_its_own_packages_only(self):
        self.machine(user=1000, lacks=("clang-tidy-19",))
        self.assertEqual(self.prepare("build").returncode, 0)
        self.assertEqual(self.prepare("lint").returncode, 2)

    def test_a_failure_shows_its_cause(self):
        self.machine(user=0, lacks=("mold",), apt_get="echo the disk is full >&2; exit 100")
        ended = self.prepare("build")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("the disk is full", ended.stderr)

    def test_no_service_starts_while_it_installs_and_nothing_stays_behind(self):
        for apt_get, code in (("exit 0", 0), ("exit 100", 1)):
            self.machine(user=0, lacks=("redis-server",),
                         apt_get=f"{self.policy} redis-server start; echo policy $? >>"
                                 f"{self.called}; {apt_get}")
            self.assertEqual(self.prepare("test").returncode, code)
            self.assertEqual(self.calls()[-1], "policy 101")
            self.assertFalse(os.path.exists(self.policy))

    def test_a_policy_of_the_machine_is_left_alone(self):
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 0\n")
        self.machine(user=0, lacks=("redis-server",))
        self.assertEqual(self.prepare("test").returncode, 0)
        with open(self.policy, encoding="utf-8") as file:
            self.assertEqual(file.read(), "#!/bin/sh\nexit 0\n")

    def test_clients_take_the_tools_at_hand_and_download_once(self):
        self.machine(user=0)
        for path in ("go/go.sum", "typescript/package.json", "typescript/package-lock.json"):
            copy = os.path.join(self.folder, "clients", path)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(os.path.join(ROOT, "clients", path), copy)
        for name in ("go", "node", "npm"):
            self.script(name, f'echo {name} "$1" "$2" >> {self.called}')
        for _ in range(2):
            ended = self.prepare("clients")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(["go mod download", "npm ci --ignore-scripts"], self.calls())
        with open(os.path.join(self.folder, "clients/go/go.sum"), "a", encoding="utf-8") as file:
            file.write("another version\n")
        self.script("go", "echo the proxy is down >&2; exit 1")
        ended = self.prepare("clients")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("the proxy is down", ended.stderr)

    def test_what_it_does_not_know_is_a_usage_error(self):
        self.machine(user=0)
        self.assertEqual(self.prepare("everything").returncode, 2)
        self.assertEqual(self.prepare().returncode, 2)


if __name__ == "__main__":
    ROOT = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
