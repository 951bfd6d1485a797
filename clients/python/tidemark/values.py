"""Values of rows: Python's types to tidemark.v1.Value, and back."""

from __future__ import annotations

import datetime
import decimal
import json
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


def _null(value: pb.Value, given: None) -> int:  # pylint: disable=unused-argument
    return 2  # an unset oneof is NULL


def _bool(value: pb.Value, given: bool) -> int:
    value.bool = given
    return 4


def _int(value: pb.Value, given: int) -> int:
    if -0x8000000000000000 <= given <= 0x7fffffffffffffff:
        value.int64 = given
        return 8
    value.decimal = str(given)
    return 8 + given.bit_length() // 3


def _float(value: pb.Value, given: float) -> int:
    value.double = given
    return 11


def _decimal(value: pb.Value, given: decimal.Decimal) -> int:
    if given.is_finite():
        text = format(given, "f")  # never an exponent
    elif given.is_nan():
        text = "NaN"
    else:
        text = "Infinity" if given > 0 else "-Infinity"
    value.decimal = text
    return 4 + len(text)


def _str(value: pb.Value, given: str) -> int:
    value.string = given
    return 4 + len(given)


def _bytes(value: pb.Value, given: bytes) -> int:
    value.bytes = bytes(given)
    return 4 + len(given)


def _datetime(value: pb.Value, given: datetime.datetime) -> int:
    if given.utcoffset() is None:
        value.naive_timestamp_us = (given.replace(tzinfo=None) - _NAIVE_EPOCH) // _MICROSECOND
    else:
        value.timestamp_us = (given - _EPOCH) // _MICROSECOND
    return 11


def _date(value: pb.Value, given: datetime.date) -> int:
    value.date_days = given.toordinal() - _EPOCH_DAY
    return 6


def _time(value: pb.Value, given: datetime.time) -> int:
    if given.tzinfo is not None:
        raise ValueError("a time of day has no time zone; give a datetime, or remove tzinfo")
    value.time_us = ((given.hour * 60 + given.minute) * 60 + given.second) * 1_000_000 \
        + given.microsecond
    return 8


def _json(value: pb.Value, given: JsonText) -> int:
    text = json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    value.json = text
    return 4 + len(text)


# By type, so that a value costs one look-up; subclasses are found once and added.
_FILL: dict[type, Callable[[Any, Any], int]] = {
    type(None): _null, bool: _bool, int: _int, float: _float, decimal.Decimal: _decimal,
    str: _str, bytes: _bytes, bytearray: _bytes, memoryview: _bytes,
    datetime.datetime: _datetime, datetime.date: _date, datetime.time: _time,
    dict: _json, list: _json, tuple: _json}
_BASES = (bool, int, float, decimal.Decimal, str, bytes, datetime.datetime, datetime.date,
          datetime.time, dict, list, tuple)


def _fill_of(kind: type) -> Callable[[Any, Any], int]:
    for base in _BASES:
        if issubclass(kind, base):
            _FILL[kind] = _FILL[base]
            return _FILL[base]
    raise TypeError(f"a value of type {kind.__name__} is none that Tidemark knows; give None, "
                    "bool, int, float, Decimal, str, bytes, date, time, datetime, dict or list")


def fill_values(values: Any, row: Any, where: str) -> int:
    """Writes `row` (a mapping from column to value) into a map<string, Value>; about its bytes."""
    total = 0
    name: Any = None
    try:
        for name, given in row.items():
            fill = _FILL.get(type(given)) or _fill_of(type(given))
            total += fill(values[name], given) + len(name) + 8
    except UnicodeError:
        raise ValueError(f"{where}, column {name!r}: the text is not Unicode "
                         "(a lone surrogate)") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}, column {name!r}: {error}") from None
    except AttributeError:
        raise TypeError(f"{where}: a row is a mapping from column to value, "
                        f"got {type(row).__name__}") from None
    return total


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
