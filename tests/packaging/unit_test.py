"""The systemd unit, the default configuration and the Prometheus rules: unit_test.py ROOT BUILD."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

EXPOSURE = 20  # tenths; systemd calls up to 2.0 "OK" and up to 9.0 not


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class UnitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidemark-unit-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        # The program need not be installed for the unit to be checked.
        text = read(os.path.join(BUILD, "server/packaging/tidemarkd.service"))
        self.unit = os.path.join(self.folder, "tidemarkd.service")
        with open(self.unit, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/bin/", os.path.join(BUILD, "bin") + "/"))

    def test_systemd_understands_every_line(self):
        done = run("systemd-analyze", "verify", "--man=no", self.unit)
        self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))

    def test_a_mistake_would_be_seen(self):
        with open(self.unit, "a", encoding="utf-8") as file:
            file.write("\n[Service]\nProtectSytem=strict\n")
        done = run("systemd-analyze", "verify", "--man=no", self.unit)
        self.assertIn("ProtectSytem", done.stdout + done.stderr)

    def test_little_is_left_open(self):
        done = run("systemd-analyze", "security", "--offline=yes", "--no-pager",
                   f"--threshold={EXPOSURE}", self.unit)
        self.assertEqual(0, done.returncode, done.stdout[-400:] + done.stderr)

    def test_it_waits_for_the_server_and_keeps_its_files_private(self):
        text = read(self.unit)
        for line in ("Type=notify", "User=tidemark", "NoNewPrivileges=yes", "UMask=0077",
                     "StateDirectoryMode=0700", "RuntimeDirectoryMode=0700", "LimitCORE=0",
                     "#LoadCredential=master-key:"):
            self.assertIn(line, text)

    def test_stopping_leaves_time_for_the_commit_groups(self):
        unit_s = int(re.search(r"^TimeoutStopSec=(\d+)$", read(self.unit), re.MULTILINE)[1])
        self.assertGreater(unit_s, 30)  # stop_timeout of service/settings.h

    def test_the_default_configuration_is_good(self):
        done = run(os.path.join(BUILD, "bin/tidemarkd"), "--check-config", "--config",
                   os.path.join(ROOT, "server/packaging/tidemarkd.yaml"))
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    # Every line of the comments that shows a setting is one.
    def test_what_the_comments_suggest_is_good_too(self):
        text = read(os.path.join(ROOT, "server/packaging/tidemarkd.yaml"))
        for key in ("limits", "log"):
            text = re.sub(rf"^# ({key}: .*)$", r"\1", text, flags=re.MULTILINE)
        path = os.path.join(self.folder, "tidemarkd.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = run(os.path.join(BUILD, "bin/tidemarkd"), "--check-config", "--config", path)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_prometheus_understands_the_rules(self):
        promtool = shutil.which("promtool")
        if promtool:  # of the package prometheus; metrics_test compares the names
            rules = os.path.join(ROOT, "server/web/prometheus/tidemark.rules.yaml")
            done = run(promtool, "check", "rules", rules)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    BUILD, ROOT = os.path.abspath(sys.argv.pop(2)), os.path.abspath(sys.argv.pop(1))
    unittest.main()
