"""Tests against a tidemarkd of their own, on a unix socket and a TCP port."""

import os
import re
import subprocess
import threading

from tidemark_case import BIN, TIMEOUT_S, TidemarkCase


class TidemarkdCase(TidemarkCase):
    """`self.socket` and `self.tcp` are what clients dial; `self.log` is what the server said."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("connections"))
        self.socket = f"unix:{self.path('s.sock')}"
        self.write("tidemarkd.yaml", "data: data\nconnections: connections\n"
                   f"http: {{address: \"off\"}}\nlisten:\n  - {{address: \"{self.socket}\"}}\n"
                   "  - {address: \"127.0.0.1:0\"}\n")
        self.serve()

    def serve(self):
        """Starts the server, and returns when it serves."""
        self.server = subprocess.Popen(
            [os.path.join(BIN, "tidemarkd"), "--config", "tidemarkd.yaml"], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.server.wait)
        self.log = []
        serves = threading.Event()
        reader = threading.Thread(target=self._read, args=(self.server.stderr, self.log, serves))
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(self.server.kill)
        self.assertTrue(serves.wait(TIMEOUT_S), self.log)
        self.tcp = re.search(r"127\.0\.0\.1:\d+", "".join(self.log))[0]

    def kill(self):
        """As a crash: nothing is finished."""
        self.server.kill()
        self.server.wait()

    @staticmethod
    def _read(lines, log, serves):
        with lines:
            for line in lines:
                log.append(line)
                if " serves " in line:
                    serves.set()
        serves.set()  # it has ended

    def remote(self, *arguments, code=0):
        return self.run_tidemark("--server", self.socket, *arguments, code=code)
