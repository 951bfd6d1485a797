"""Writes tidemark/_wire from the protos, and tidemark/client.py from tidemark/aio/client.py:
generate.py [FOLDER], where FOLDER stands for tidemark/. Needs grpcio-tools.

The code of the messages differs from the compiler's in two places: modules are imported from
tidemark._wire, and messages live in a descriptor pool of their own, so that a program may also have
google.rpc or tidemark.v1 from elsewhere.
"""

import pathlib
import re
import sys
import tempfile

from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTOS = HERE.parent.parent / "proto"
FILES = ("google/rpc/error_details.proto", "tidemark/v1/connector.proto",
         "tidemark/v1/control.proto", "tidemark/v1/ingest.proto")


def ours(text):
    text = re.sub(r"from tidemark\.v1 import", "from tidemark._wire import", text)
    text = text.replace("_descriptor_pool.Default()", "_pool.POOL")
    return text.replace("from google.protobuf import descriptor_pool as _descriptor_pool",
                        "from tidemark._wire import pool as _pool")


_SYNC = (("async def ", "def "), ("async for ", "for "), ("async with ", "with "),
         ("await asyncio.sleep(", "time.sleep("), ("await ", ""), ("__aenter__", "__enter__"),
         ("__aexit__", "__exit__"), ("AsyncIterator", "Iterator"), ("grpc.aio.", "grpc."),
         ("tidemark.aio.push", "tidemark.push"), (", for asyncio.", "."),
         ("    Call it where the event loop runs.\n", ""),
         ("import asyncio\n", ""), ("import grpc.aio\n", ""),
         ("from tidemark.push import Push\n", ""),
         ("from tidemark.push import Retries", "from tidemark.push import Push, Retries"))
_ORDER = ("from collections.abc import Iterator, Callable, Iterable",
          "from collections.abc import Callable, Iterable, Iterator")


def without_asyncio(text):
    """The client of aio/client.py as one that waits."""
    for asynchronous, plain in _SYNC:
        text = text.replace(asynchronous, plain)
    text = text.replace(*_ORDER)
    return "# Made from aio/client.py by generate.py.\n" + text


def messages(folder):
    """Writes the code of the messages into `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = ["protoc", f"--proto_path={PROTOS}", f"--python_out={scratch}",
                     f"--pyi_out={scratch}",
                     f"--proto_path={pathlib.Path(protoc.__file__).parent / '_proto'}", *FILES]
        if protoc.main(arguments) != 0:
            raise SystemExit("generate: protoc failed")
        for made in sorted(pathlib.Path(scratch).rglob("*_pb2.py*")):
            (folder / made.name).write_text(ours(made.read_text()))


def generate(folder):
    """Writes every generated file below `folder`."""
    folder = pathlib.Path(folder)
    (folder / "_wire").mkdir(exist_ok=True)
    messages(folder / "_wire")
    source = (HERE / "tidemark" / "aio" / "client.py").read_text()
    (folder / "client.py").write_text(without_asyncio(source))


if __name__ == "__main__":
    generate(sys.argv[1] if len(sys.argv) > 1 else HERE / "tidemark")
