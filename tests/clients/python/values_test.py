"""Python's values as tidemark.v1.Value, and back."""

import datetime
import decimal
import enum
import random
import unittest

from client_case import main
from tidemark._wire import connector_pb2 as pb
from tidemark.table import Table
from tidemark.values import encode_row, read_values

UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


def row_of(row, **more):
    """The row as protobuf reads what encode_row wrote."""
    rows = pb.Rows.FromString(encode_row(pb.CHANGE_KIND_UPSERT, "t", row, **more)).rows
    assert len(rows) == 1
    return rows[0]


class Colour(enum.IntEnum):
    """A subclass of int."""

    RED = 3


class ValuesTest(unittest.TestCase):
    def wire(self, value):
        """(field, held) of the value on the wire."""
        row = row_of({"v": value})
        kind = row.values["v"].WhichOneof("value")
        return (kind, getattr(row.values["v"], kind)) if kind else (None, None)

    def test_each_type_has_its_field(self):
        for value, kind, held in (
                (None, None, None), (True, "bool", True), (7, "int64", 7),
                (-2**63, "int64", -2**63), (2**63, "decimal", "9223372036854775808"),
                (0.1, "double", 0.1), (Colour.RED, "int64", 3),
                (decimal.Decimal("1.50"), "decimal", "1.50"),
                (decimal.Decimal("1E+3"), "decimal", "1000"),
                (decimal.Decimal("-1E-3"), "decimal", "-0.001"),
                (decimal.Decimal("NaN"), "decimal", "NaN"),
                (decimal.Decimal("-Infinity"), "decimal", "-Infinity"),
                ("é", "string", "é"), (b"\x00\xff", "bytes", b"\x00\xff"),
                (bytearray(b"ab"), "bytes", b"ab"),
                (datetime.date(1969, 12, 31), "date_days", -1),
                (datetime.time(0, 0, 1, 5), "time_us", 1_000_005),
                (datetime.datetime(1970, 1, 1, 0, 0, 1), "naive_timestamp_us", 1_000_000),
                (datetime.datetime(1970, 1, 1, 5, 30, tzinfo=EAST), "timestamp_us", 0),
                (datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), "timestamp_us", -1),
                ({"b": [1, "é"]}, "json", '{"b":[1,"é"]}'), ((1, 2), "json", "[1,2]")):
            with self.subTest(value=value):
                self.assertEqual((kind, held), self.wire(value))

    def test_the_rest_of_a_row_goes_with_it(self):
        row = row_of({}, schema="s", before={"id": 1}, on_error_continue=True, event_time_us=-5)
        self.assertEqual(pb.Row(schema="s", table="t", kind=1, before={"id": pb.Value(int64=1)},
                                on_error_continue=True, event_time_us=-5), row)

    def test_lengths_of_every_size(self):
        for size in (0, 1, 127, 128, 16_383, 16_384, 3_000_000):
            row = row_of({"v" * min(size, 20_000): "x" * size, "é": b"y" * size,
                          "i": 2 ** min(size, 62), "n": -(2 ** min(size, 62))})
            self.assertEqual("x" * size, row.values["v" * min(size, 20_000)].string)
            self.assertEqual(b"y" * size, row.values["é"].bytes)
            self.assertEqual(2 ** min(size, 62), row.values["i"].int64)
            self.assertEqual(-(2 ** min(size, 62)), row.values["n"].int64)

    def test_random_rows_are_what_protobuf_would_write(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for _ in range(300):
            want = pb.Row(table="t", kind=1)
            row = {}
            for _ in range(chance.randrange(8)):
                name = "".join(chance.choices("aé漢\U0001f600_", k=chance.randrange(1, 200)))
                row[name] = chance.choice((chance.randrange(-2**63, 2**63), chance.random(),
                                           chance.randbytes(chance.randrange(300)), None, name))
            for name, value in row.items():
                field = {int: "int64", float: "double", bytes: "bytes", str: "string"}.get(
                    type(value))
                want.values[name].CopyFrom(pb.Value(**{field: value} if field else {}))
            self.assertEqual(want, row_of(row), f"seed {seed}")

    def test_they_come_back_as_they_went(self):
        row = {"a": None, "b": True, "c": -5, "d": 1e300, "e": decimal.Decimal("12.30"), "f": "x",
               "g": b"y", "h": datetime.date(9999, 12, 31), "i": datetime.time(23, 59, 59, 999_999),
               "j": datetime.datetime(1, 1, 1, tzinfo=UTC), "k": datetime.datetime(2026, 2, 3, 4),
               "l": {"m": [None]}}
        self.assertEqual(row, read_values(row_of(row).values))

    def test_what_lies_beyond_datetime_stays_a_number(self):
        message = pb.Row()
        message.values["t"].timestamp_us = 2**62
        message.values["m"].time_us = 86_400_000_000
        self.assertEqual({"t": 2**62, "m": datetime.timedelta(days=1)}, read_values(message.values))

    def test_a_time_of_day_with_a_zone_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no time zone"):
            self.wire(datetime.time(1, tzinfo=UTC))


class TableTest(unittest.TestCase):
    def test_a_declaration_becomes_columns(self):
        table = Table("orders", {"id": "LONG", "total": "decimal(12, 2)", "at": ""}, key=["id"],
                      schema="shop", sensitive=["mail"], cursor="at").message()
        self.assertEqual([("id", "LONG", True), ("total", "DECIMAL", False),
                          ("at", "UNDECLARED", False), ("mail", "UNDECLARED", False)],
                         [(c.name, pb.DataType.Name(c.type).removeprefix("DATA_TYPE_"), c.key)
                          for c in table.columns])
        self.assertEqual((12, 2), (table.columns[1].precision, table.columns[1].scale))
        self.assertTrue(table.columns[2].cursor and table.columns[3].sensitive)

    def test_mistakes_are_named(self):
        for table, words in ((Table("t", {"a": "INTEGER"}), "'INTEGER' is no type"),
                             (Table("t", {"a": "LONG(3)"}), "only DECIMAL"),
                             (Table("t", key="id"), "lists of columns"), (Table(""), "a name")):
            with self.assertRaisesRegex(ValueError, words):
                table.message()


if __name__ == "__main__":
    main()
