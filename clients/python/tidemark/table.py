"""Tables as connectors and producers declare them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

from tidemark._wire import connector_pb2 as pb

_TYPE = re.compile(r"([A-Z_]+)(?:\((\d+)(?:,\s*(\d+))?\))?")
_PREFIX = "DATA_TYPE_"
TYPES: tuple[str, ...] = tuple(name.removeprefix(_PREFIX) for name in pb.DataType.keys()
                               if name != "DATA_TYPE_UNDECLARED")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table: Table("orders", columns={"id": "LONG", "total": "DECIMAL(12,2)"}, key=["id"]).

    columns: name to type: one of TYPES, or "" for a type found from the values. Columns that are
    not declared may come in rows nevertheless.
    key: the columns of the primary key, in their order; they come first.
    sensitive: columns whose values appear in no log and no dead letter.
    cursor: the column that is the table's high-water mark.
    """

    name: str
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    key: Sequence[str] = ()
    schema: str = ""
    sensitive: Sequence[str] = ()
    cursor: str = ""

    def message(self) -> pb.Table:
        """As it goes over the wire. ValueError says what is wrong with the declaration."""
        if not self.name:
            raise ValueError("a table needs a name")
        if isinstance(self.key, str) or isinstance(self.sensitive, str):
            raise ValueError(f"table {self.name}: key and sensitive are lists of columns")
        table = pb.Table(schema=self.schema, name=self.name)
        types = {**{name: "" for name in self.key}, **self.columns}
        for name in (*self.sensitive, *([self.cursor] if self.cursor else [])):
            types.setdefault(name, "")
        for name, text in types.items():
            column = table.columns.add(name=name, key=name in self.key,
                                       sensitive=name in self.sensitive,
                                       cursor=name == self.cursor)
            _set_type(column, text, f"table {self.name}, column {name}")
        return table


def _set_type(column: pb.Column, text: str, where: str) -> None:
    if not text:
        return
    match = _TYPE.fullmatch(text.upper())
    if match is None or match.group(1) not in TYPES:
        raise ValueError(f"{where}: {text!r} is no type; there are {', '.join(TYPES)}, and "
                         "DECIMAL(precision,scale)")
    if match.group(2) and match.group(1) != "DECIMAL":
        raise ValueError(f"{where}: only DECIMAL takes numbers, not {text!r}")
    column.type = pb.DataType.Value(_PREFIX + match.group(1))
    if match.group(2):
        column.precision, column.scale = int(match.group(2)), int(match.group(3) or 0)
