"""What goes wrong, in one type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import grpc

from tidemark._wire import error_details_pb2 as details

_DETAILS = "grpc-status-details-bin"

CODES: dict[str, int] = {code.name: code.value[0] for code in grpc.StatusCode}


@dataclasses.dataclass(frozen=True)
class FieldViolation:
    """One field of a request that is wrong."""

    field: str  # a path in the request: "connection.yaml"
    description: str


class Error(Exception):
    """A call that failed, or a connector's own verdict when it raises one.

    code: a name of google.rpc.Code, "NOT_FOUND"; drives what a program does.
    reason: why, for programs: "CONNECTION_BUSY"; empty when the server gave none.
    fields: what is wrong in the request.
    retry_after: seconds to wait before trying again; None when nothing was said.
    metadata: of the reason: {"expected": "17"}.
    """

    def __init__(self, code: str, message: str, *, reason: str = "",
                 fields: tuple[FieldViolation, ...] = (), retry_after: float | None = None,
                 metadata: Mapping[str, str] | None = None) -> None:
        if code not in CODES:
            raise ValueError(f"{code} is no code; there are {', '.join(CODES)}")
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.fields = fields
        self.retry_after = retry_after
        self.metadata = dict(metadata or {})

    def __str__(self) -> str:
        return f"{self.code}{f' ({self.reason})' if self.reason else ''}: {self.message}"


def _seconds(delay: Any) -> float:
    return float(delay.seconds) + delay.nanos / 1e9


def from_rpc(error: Any) -> Error:
    """The Error of a grpc.RpcError (or of a call that has ended)."""
    code, text = error.code(), error.details() or ""
    reason, metadata, fields, retry_after = "", {}, [], None
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS:
            continue
        status = details.Status()
        try:
            status.ParseFromString(value)
        except Exception:  # pylint: disable=broad-except  # of a proxy: what it says is lost
            continue
        for packed in status.details:
            if packed.Is(details.ErrorInfo.DESCRIPTOR):
                info = details.ErrorInfo.FromString(packed.value)
                reason, metadata = info.reason, dict(info.metadata)
            elif packed.Is(details.BadRequest.DESCRIPTOR):
                fields += [FieldViolation(violation.field, violation.description) for violation in
                           details.BadRequest.FromString(packed.value).field_violations]
            elif packed.Is(details.RetryInfo.DESCRIPTOR):
                retry_after = _seconds(details.RetryInfo.FromString(packed.value).retry_delay)
    return Error(code.name, text, reason=reason, fields=tuple(fields), retry_after=retry_after,
                 metadata=metadata)


def may_repeat(error: Error, repeated: bool) -> bool:
    """Whether a call that does no harm when it is made twice is worth another try. repeated: this
    was not the first, so that the first may still run."""
    return (error.code == "UNAVAILABLE" or error.reason == "SERVER_BUSY" or
            repeated and error.reason == "IDEMPOTENT_CALL_RUNS")


def is_cut(error: Error) -> bool:
    """Whether the connection broke, or the server asks to come back: a stream may be resumed."""
    if error.code == "UNAVAILABLE":
        return True
    if error.code == "ABORTED":
        return error.reason == "LEASE_LOST"
    if error.code == "RESOURCE_EXHAUSTED":
        return error.reason in ("TOO_MANY_STREAMS", "SERVER_BUSY")
    if error.code == "DEADLINE_EXCEEDED":
        return error.reason in ("IDLE", "START_TIMEOUT")
    # gRPC's own words for a broken transport; the server's errors give a reason.
    return error.code in ("CANCELLED", "UNKNOWN", "INTERNAL") and not error.reason
