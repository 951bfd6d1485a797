"""The mock API (PyPI: fivetran-api-playground) as a context: started, awaited, ended."""

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request

START_SECONDS = 60  # without a network its version check alone takes about 15 s


def free_port(wanted):
    """The wanted port of the loopback interface, or another one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise OSError("no free port on the loopback interface")


class MockApi:
    """Use with `with`. Its two processes (a reloader and the server) end with the block."""

    def __init__(self, venv, log_path, port=5001):
        self.port = free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._playground = os.path.join(venv, "bin", "playground")
        self._log_path = log_path
        self._log = None
        self._started = None

    def __enter__(self):
        self._log = open(self._log_path, "wb")
        self._started = subprocess.Popen(
            [self._playground, "start", "--port", str(self.port)],
            stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True)
        try:
            self._await()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self._started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._started.wait()
        self._log.close()

    def _await(self):
        """Waits for an answer; the child's end or the deadline is an error with its log's end."""
        for _ in range(START_SECONDS * 5):
            try:
                with urllib.request.urlopen(self.url + "/incremental/step?start_id=1&end_id=1",
                                            timeout=5):
                    return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                pass
            try:
                self._started.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                pass
        with open(self._log_path, encoding="utf-8", errors="replace") as log:
            said = "".join(log.readlines()[-5:])
        raise RuntimeError(f"the mock API did not start on port {self.port}:\n{said}")
