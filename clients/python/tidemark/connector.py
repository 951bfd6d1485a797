"""A connector in Python: a class with schema() and update(state)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from tidemark._wire import connector_pb2 as pb
from tidemark.table import TYPES, Table

_CAPABILITIES = {"rewind": 2, "network": 4, "files": 8, "transactions": 16}


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a connector: Option("limit", "LONG", required=True, help="rows to emit").

    type: one of tidemark.table.TYPES; JSON for lists and objects.
    secret: never logged, never in a report.
    default: its text form; empty: none.
    """

    name: str
    type: str = "STRING"
    required: bool = False
    secret: bool = False
    default: str = ""
    help: str = ""
    choices: Sequence[str] = ()

    def message(self) -> pb.Option:
        """As it goes over the wire."""
        if self.type.upper() not in TYPES:
            raise ValueError(f"option {self.name}: {self.type!r} is no type; there are "
                             f"{', '.join(TYPES)}")
        return pb.Option(name=self.name, type=pb.DataType.Value("DATA_TYPE_" + self.type.upper()),
                         required=self.required, secret=self.secret, default_value=self.default,
                         help=self.help, choices=self.choices)


class Connector:
    """Derive from this, and run it: `tidemark debug my_connector.py`.

    id: "io.example.squares"; empty: the name of the class in lower case. The first line of the
    class's text is its description.
    config: the options by name, as Python values; an option that was not given is missing.
    capabilities: any of "rewind" (an older state may be given), "network", "files",
    "transactions" (checkpoints lie between the source's transactions).

    A fresh instance serves each sync. Errors: raise tidemark.Error with a code; UNAVAILABLE,
    RESOURCE_EXHAUSTED, ABORTED and DEADLINE_EXCEEDED are tried again from the last committed state
    (after `retry_after`), UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION and
    INVALID_ARGUMENT ask the user. ConnectionError and TimeoutError count as UNAVAILABLE; any other
    exception is a bug of the connector (INTERNAL). Never put a secret into a text.
    """

    id: str = ""
    version: str = "1.0.0"
    options: Sequence[Option] = ()
    capabilities: Sequence[str] = ()

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def schema(self) -> Iterable[Table]:
        """The tables, as far as they are known; rows may bring others."""
        return ()

    def check(self) -> None:
        """Raises when the configuration does not work against the source."""

    def update(self, state: dict[str, Any]) -> Any:
        """One sync from `state`, the last committed checkpoint's ({} at first). Says its changes by
        tidemark.upsert, update, delete, truncate, checkpoint; with or without yield."""
        raise NotImplementedError

    def committed(self, state: Any) -> None:
        """The state of a checkpoint of this sync is durable: what lies before may be forgotten at
        the source (a queue's messages acknowledged). Called on a thread of its own."""


def describe(kind: type[Connector]) -> pb.DescribeResponse:
    """What the connector says of itself."""
    unknown = set(kind.capabilities) - set(_CAPABILITIES)
    if unknown:
        raise ValueError(f"{kind.__name__}.capabilities: {', '.join(sorted(unknown))} is none of "
                         f"{', '.join(_CAPABILITIES)}")
    lines = (kind.__doc__ or "").strip().splitlines()
    own = kind.__doc__ is not Connector.__doc__
    return pb.DescribeResponse(
        id=kind.id or kind.__name__.lower(), version=kind.version,
        description=lines[0] if lines and own else "",
        capabilities=sum(_CAPABILITIES[name] for name in set(kind.capabilities)), state_format=1,
        options=[option.message() for option in kind.options])
