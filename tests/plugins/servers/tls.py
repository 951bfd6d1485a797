"""An HTTPS server with the certificate localhost.crt, which no system trusts.

usage: tls.py --folder FOLDER [--port 0]
"""

import argparse
import os
import ssl

from api_server import Answer, serve


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", required=True)
    arguments = parser.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(arguments.folder, "localhost.crt"),
                        os.path.join(arguments.folder, "localhost.key"))
    serve(lambda request: Answer(200, {"data": []}), arguments.port, tls)


if __name__ == "__main__":
    main()
