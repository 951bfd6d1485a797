"""Who may include whom (server/README.md, "Dependencies"). Edit this table with that picture."""

import os
import re

# Folder of server/ -> the folders of server/ it may include.
SERVER_EDGES = {
    "core": {"core"},
    "state": {"core", "state"},
    "destination": {"core", "state", "destination"},
    "pipeline": {"core", "state", "destination", "pipeline"},
    "wire": {"core", "wire"},
    "plugin_host": {"core", "wire", "plugin_host"},
    "source": {"core", "wire", "source"},
    "control": {"core", "state", "destination", "pipeline", "wire", "plugin_host", "source",
                "control"},
    "access": {"core", "state", "access"},
    "service": {"core", "state", "pipeline", "wire", "source", "control", "access", "service"},
    "web": {"core", "control", "service", "web"},
}
# Single headers an edge of the table does not open.
SERVER_HEADERS = {"source": {"pipeline/change_source.h"}, "web": {"pipeline/sync.h"}}
MAIN_EDGES = {
    "server/main.cc": {"core", "control", "service", "web"},
    "server/plugin_host_main.cc": {"core", "wire", "plugin_host"},
}
CLI_EDGES = {"core", "control"}
# What the interface of control speaks in: a sync's outcome, and a destination's rows.
CLI_HEADERS = {"pipeline/sync.h", "destination/destination_reader.h"}

# Foreign headers -> the folders that may see them.
GENERATED_AND_GRPC = re.compile(r'(\.pb\.h$|^grpc|^google/protobuf/)')
GENERATED_AND_GRPC_IN = ("server/wire/", "server/source/", "server/plugin_host/",
                         "server/remote_destination/", "server/control/", "server/service/",
                         "server/main.cc",
                         "server/plugin_host_main.cc", "clients/", "tests/")
YAML = re.compile(r'^yaml-cpp/')
YAML_IN = ("server/control/", "tests/")
SDK = re.compile(r'^tidemark/(?!v\d+/)[a-z_]+\.h$')
SDK_IN = ("server/plugin_host/", "plugins/", "plugin_sdk/", "tests/", "clients/cli/templates/")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


def includes(text):
    """Yields (line, header, quoted) of each #include."""
    for match in _INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(2), match.group(1) == '"'


def check_includes(tree):
    """Yields (path, line, text) of each include against the arrows."""
    for path in tree.cpp:
        for line, header, quoted in includes(tree.texts[path]):
            problem = _foreign(path, header) or (quoted and _direction(path, header))
            if problem:
                yield path, line, problem


def _foreign(path, header):
    for pattern, folders, what in ((GENERATED_AND_GRPC, GENERATED_AND_GRPC_IN, "gRPC or protobuf"),
                                   (YAML, YAML_IN, "YAML"),
                                   (SDK, SDK_IN, "the plugin SDK")):
        if pattern.search(header) and not path.startswith(folders):
            return f"{header}: {what} is not to be seen from {os.path.dirname(path)}"
    return None


def _direction(path, header):
    folder = header.split("/")[0]
    parts = path.split("/")
    if parts[0] == "tests":
        return None
    if header.startswith("tests/"):
        return f"{header}: only tests may include tests"
    if folder not in SERVER_EDGES or "/" not in header:
        return None
    if parts[0] == "server":
        if path in MAIN_EDGES:
            allowed = MAIN_EDGES[path]
        else:
            allowed = SERVER_EDGES.get(parts[1])
            if allowed is None:
                return f"{path}: the folder has no line in tests/tidy/layers.py"
            if header in SERVER_HEADERS.get(parts[1], ()):
                return None
    elif parts[0] == "clients" and parts[1] == "cli":
        if header in CLI_HEADERS:
            return None
        allowed = CLI_EDGES
    else:
        allowed = set()
    if folder not in allowed:
        return f"{header}: {os.path.dirname(path)} may not include {folder}/"
    return None
