"""Tidemark's client, and connectors in Python.

    with tidemark.connect("unix:/run/tidemark/tidemark.sock") as client:
        sync = client.start_sync("orders")
        print(client.wait(sync.sync_id).counts)
"""

from tidemark import aio, types
from tidemark.client import Client, connect
from tidemark.connector import Connector, Option
from tidemark.errors import Error, FieldViolation
from tidemark.operations import (SyncCancelled, checkpoint, delete, log, truncate, update, upsert,
                                 warning)
from tidemark.outbox import RowError
from tidemark.push import Push
from tidemark.table import Table
from tidemark.values import RowValue

__all__ = ["Client", "Connector", "Error", "FieldViolation", "Option", "Push", "RowError",
           "RowValue", "SyncCancelled", "Table", "aio", "checkpoint", "connect", "delete", "log",
           "truncate", "types", "update", "upsert", "warning"]
