"""A scripted server and a client of it for each test."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from client_paths import ROOT, TLS_FOLDER  # pylint: disable=wrong-import-position,unused-import
import scripted_server  # pylint: disable=wrong-import-position
import tidemark  # pylint: disable=wrong-import-position
from real_server import BIN  # pylint: disable=wrong-import-position,unused-import


class ClientCase(unittest.TestCase):
    """self.client speaks to a server of its own."""

    def setUp(self):
        server, self.port, self.tls_port = scripted_server.serve(
            "127.0.0.1:0", str(TLS_FOLDER), "127.0.0.1:0")
        self.addCleanup(lambda: server.stop(grace=0).wait())
        self.address = f"127.0.0.1:{self.port}"
        self.client = tidemark.connect(self.address)
        self.addCleanup(self.client.close)

    def pushed(self, name):
        """What the server holds of a producer, "plain/p"."""
        return json.loads(self.client.state.export(name))

    def ids(self, name):
        """The ids of the rows that the server holds, in their order."""
        return [row[2]["id"][1] for row in self.pushed(name)["rows"]]

    def fails(self, code, call, *arguments, **named):
        """The tidemark.Error that the call ends with."""
        with self.assertRaises(tidemark.Error) as caught:
            call(*arguments, **named)
        self.assertEqual(code, caught.exception.code, caught.exception)
        return caught.exception


def main():
    """Runs the tests of the program; a skipped one is a failed one."""
    result = unittest.main(exit=False, verbosity=1).result
    sys.exit(0 if result.wasSuccessful() and not result.skipped and result.testsRun else 1)
