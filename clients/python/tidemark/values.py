"""Values of rows: Python's types to tidemark.v1.Value, and back."""

from __future__ import annotations

import datetime
import decimal
import functools
import json
import struct
from collections.abc import Callable
from typing import Any, Union

from tidemark._wire import connector_pb2 as pb

JsonText = Union[dict, list, tuple]
RowValue = Union[None, bool, int, float, decimal.Decimal, str, bytes, datetime.date,
                 datetime.time, datetime.datetime, dict, list, tuple]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_NAIVE_EPOCH = datetime.datetime(1970, 1, 1)
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_MICROSECOND = datetime.timedelta(microseconds=1)
_DAY_US = 86_400_000_000


_NUMBERS = 16_384


def varint(number: int) -> bytes:
    """A number of 0 to 2^64 - 1 as protobuf writes it."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_VARINTS = [varint(number) for number in range(_NUMBERS)]


def _length(number: int) -> bytes:
    return _VARINTS[number] if number < _NUMBERS else varint(number)


# ---- one Value as bytes: the tag of its field, and the field. By hand, because the messages of
# Python's protobuf take twice the time, and encoding is what limits a producer.
def _null(_: None) -> bytes:
    return b""  # an unset oneof is NULL


def _bool(given: bool) -> bytes:
    return b"\x10\x01" if given else b"\x10\x00"


def _int64(tag: bytes, given: int) -> bytes:
    if 0 <= given < _NUMBERS:
        return tag + _VARINTS[given]
    return tag + varint(given if given >= 0 else given + 0x10000000000000000)


def _int(given: int) -> bytes:
    if -0x8000000000000000 <= given <= 0x7fffffffffffffff:
        return _int64(b"\x18", given)
    text = str(int(given)).encode()
    return b"\x2a" + _length(len(text)) + text


_DOUBLE = struct.Struct("<d").pack


def _float(given: float) -> bytes:
    return b"\x21" + _DOUBLE(given)


def _decimal(given: decimal.Decimal) -> bytes:
    if given.is_finite():
        text = format(given, "f")  # never an exponent
    elif given.is_nan():
        text = "NaN"
    else:
        text = "Infinity" if given > 0 else "-Infinity"
    return b"\x2a" + _length(len(text)) + text.encode()


def _str(given: str) -> bytes:
    text = given.encode()
    return b"\x32" + _length(len(text)) + text


def _bytes(given: bytes) -> bytes:
    held = bytes(given)
    return b"\x3a" + _length(len(held)) + held


def _datetime(given: datetime.datetime) -> bytes:
    if given.utcoffset() is None:
        return _int64(b"\x60", (given.replace(tzinfo=None) - _NAIVE_EPOCH) // _MICROSECOND)
    return _int64(b"\x58", (given - _EPOCH) // _MICROSECOND)


def _date(given: datetime.date) -> bytes:
    return _int64(b"\x48", given.toordinal() - _EPOCH_DAY)


def _time(given: datetime.time) -> bytes:
    if given.tzinfo is not None:
        raise ValueError("a time of day has no time zone; give a datetime, or remove tzinfo")
    return _int64(b"\x50", ((given.hour * 60 + given.minute) * 60 + given.second) * 1_000_000
                  + given.microsecond)


def _json(given: JsonText) -> bytes:
    text = json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return b"\x42" + _length(len(text)) + text


# By type, so that a value costs one look-up; subclasses are found once and added.
_ENCODE: dict[type, Callable[[Any], bytes]] = {
    type(None): _null, bool: _bool, int: _int, float: _float, decimal.Decimal: _decimal,
    str: _str, bytes: _bytes, bytearray: _bytes, memoryview: _bytes,
    datetime.datetime: _datetime, datetime.date: _date, datetime.time: _time,
    dict: _json, list: _json, tuple: _json}
_BASES = (bool, int, float, decimal.Decimal, str, bytes, datetime.datetime, datetime.date,
          datetime.time, dict, list, tuple)


def _encode_of(kind: type) -> Callable[[Any], bytes]:
    for base in _BASES:
        if issubclass(kind, base):
            _ENCODE[kind] = _ENCODE[base]
            return _ENCODE[base]
    raise TypeError(f"a value of type {kind.__name__} is none that Tidemark knows; give None, "
                    "bool, int, float, Decimal, str, bytes, date, time, datetime, dict or list")


_COLUMNS_KEPT = 10_000
_columns: dict[str, bytes] = {}  # name to the first part of its entry in a row's map


def _column(name: Any) -> bytes:
    if not isinstance(name, str):
        raise TypeError("the name of a column is a str")
    if len(_columns) >= _COLUMNS_KEPT:  # names that are made up row by row
        _columns.clear()
    text = name.encode()
    head = _columns[name] = b"\x0a" + _length(len(text)) + text + b"\x12"
    return head


def _entries(tag: bytes, row: Any, where: str, parts: list[bytes]) -> None:
    """Appends the map<string, Value> of a field of Row."""
    name: Any = None
    try:
        for name, given in row.items():
            head = _columns.get(name) or _column(name)
            value = (_ENCODE.get(type(given)) or _encode_of(type(given)))(given)
            length = _length(len(value))
            parts += (tag, _length(len(head) + len(length) + len(value)), head, length, value)
    except UnicodeError:
        raise ValueError(f"{where}, column {name!r}: the text is not Unicode "
                         "(a lone surrogate)") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}, column {name!r}: {error}") from None
    except AttributeError:
        raise TypeError(f"{where}: a row is a mapping from column to value, "
                        f"got {type(row).__name__}") from None


@functools.lru_cache(maxsize=1_024)
def _row_head(kind: Any, schema: str, table: str) -> bytes:
    return pb.Row(kind=kind, schema=schema, table=table).SerializeToString()


def encode_row(kind: Any, table: str, row: Any, *, schema: str = "", before: Any = None,
               on_error_continue: bool = False, event_time_us: int | None = None) -> bytes:
    """A tidemark.v1.Row as an entry of Rows.rows. TypeError, ValueError name table and column."""
    where = f"table {schema + '.' if schema else ''}{table}"
    if not isinstance(table, str) or not table:
        raise ValueError("a change needs the name of its table")
    parts = [_row_head(kind, schema, table)]
    _entries(b"\x22", row, where, parts)
    if before is not None:
        _entries(b"\x2a", before, where + ", before", parts)
    if on_error_continue:
        parts.append(b"\x30\x01")
    if event_time_us is not None:
        parts.append(_int64(b"\x38", event_time_us))
    body = b"".join(parts)
    return b"\x0a" + _length(len(body)) + body


def _of_naive(us: int) -> datetime.datetime:
    return _NAIVE_EPOCH + us * _MICROSECOND


def _of_time(us: int) -> Any:
    return _of_naive(us).time() if us < _DAY_US else datetime.timedelta(microseconds=us)


_READ: dict[str, Callable[[Any], Any]] = {
    "decimal": decimal.Decimal,
    "json": json.loads,
    "date_days": lambda days: datetime.date.fromordinal(days + _EPOCH_DAY),
    "time_us": _of_time,
    "timestamp_us": lambda us: _EPOCH + us * _MICROSECOND,
    "naive_timestamp_us": _of_naive,
}


def read_value(value: pb.Value) -> Any:
    """The Python value; what lies outside of datetime's years stays a number."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    held = getattr(value, kind)
    read = _READ.get(kind)
    if read is None:
        return held
    try:
        return read(held)
    except (OverflowError, ValueError):
        return held


def read_values(values: Any) -> dict[str, Any]:
    """A row's map<string, Value> as a dict."""
    return {name: read_value(values[name]) for name in sorted(values)}
