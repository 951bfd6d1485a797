"""ingest_python.py ADDRESS ROWS: pushes rows of ten columns with the Python client, prints seconds.

The values are made before the clock starts; what is timed is everything from the first call until
the last row is durable (or acknowledged by a server that keeps nothing).
"""

import datetime
import decimal
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "clients", "python"))
import tidemark  # noqa: E402  the path comes first

DAY = datetime.date(2024, 1, 15)
MOMENT = datetime.datetime(2024, 1, 15, 10, 30, tzinfo=datetime.timezone.utc)


def row(number):
    return {"id": number, "n": number * 7, "x": number / 3, "price": decimal.Decimal(number) / 100,
            "flag": number % 2 == 0, "name": f"name-{number:015}", "text": f"{number:060}",
            "at": MOMENT + datetime.timedelta(seconds=number), "day": DAY,
            "document": {"number": number, "text": "x" * 50}}


def main(address, rows):
    values = [row(number) for number in range(rows)]
    with tidemark.connect(address) as client:
        begin = time.monotonic()
        with client.push("pushed", "python") as push:
            for value in values:
                push.upsert("rows", value)
            push.flush()
        print(time.monotonic() - begin)
        if push.row_errors:
            raise SystemExit(f"rows were refused: {push.row_errors[0]}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
