"""Tidemark's client for asyncio: `async with tidemark.aio.connect(address) as client: ...`."""

from tidemark.aio.client import Client, connect
from tidemark.aio.push import Push

__all__ = ["Client", "Push", "connect"]
