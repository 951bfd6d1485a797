"""Addresses, credentials and the settings of a channel."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import pathlib
from typing import Any

import grpc

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),
    # A peer that went away without a word is noticed; servers accept a ping in five minutes.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


def _is_this_machine(target: str) -> bool:
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else pathlib.Path(path).read_bytes()


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where a server is and how to speak to it."""

    target: str                  # gRPC's name
    credentials: Any             # grpc.ChannelCredentials; None: no TLS
    options: tuple[tuple[str, Any], ...]
    metadata: tuple[tuple[str, str], ...]  # of every call


def endpoint(address: str, token: str | None, ca: str | os.PathLike[str] | None,
             cert: str | os.PathLike[str] | None, key: str | os.PathLike[str] | None) -> Endpoint:
    """address: "unix:PATH", "HOST:PORT", "grpc://HOST:PORT" (both without TLS on this machine only)
    or "grpcs://HOST:PORT". ca, cert, key: paths of PEM files. ValueError says what is wrong."""
    if (cert is None) != (key is None):
        raise ValueError("cert and key come together: both, or none")
    scheme, separator, rest = address.partition("://")
    target = rest if separator else address
    wants_tls = ca is not None or cert is not None or scheme == "grpcs"
    if separator and scheme not in ("grpc", "grpcs"):
        raise ValueError(f"{address}: unknown kind of address; write unix:PATH or HOST:PORT")
    options = _OPTIONS
    if target.startswith("unix:"):
        if wants_tls:
            raise ValueError(f"{address}: a unix socket has no TLS; leave ca, cert and key away")
        options += (("grpc.enable_http_proxy", 0),)
    else:
        host, _, port = target.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{address}: there is no port; write unix:PATH or HOST:PORT")
        if _is_this_machine(target):
            options += (("grpc.enable_http_proxy", 0),)
        elif separator and scheme == "grpc" and not wants_tls:
            raise ValueError(f"{address}: without TLS only this machine is spoken to; "
                             "write grpcs://HOST:PORT")
        else:
            wants_tls = True
    credentials = None
    if wants_tls:
        credentials = grpc.ssl_channel_credentials(_read(ca), _read(key), _read(cert))
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    return Endpoint(target, credentials, options, metadata)
