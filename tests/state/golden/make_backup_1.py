"""Writes backup_1.backup, a backup as the first release made it, without any of its code: hashes
and chain follow the words of server/state/state_version.cc and state_backup.h. The file is never
made again; this shows where it came from."""

import base64
import hashlib
import json
import os
import sys


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def part(value):
    if isinstance(value, int):
        value = value.to_bytes(8, "little", signed=True)
    elif isinstance(value, str):
        value = value.encode()
    return len(value).to_bytes(8, "little") + value


COUNTS = ["inserted", "updated", "deleted", "unchanged", "superseded", "missing", "conflict",
          "late_queue", "dead_letter", "deleted_by_truncate", "duplicates_collapsed"]


def version(entry, number, kind, body, prev, counts, cursor, watermark, sync):
    row = {"entry": entry, "version": number, "parent": number - 1, "epoch": 2, "kind": kind,
           "format": 1, "body_hash": blake(body), "prev_chain": prev, "chain": b"",
           "sync_id": sync, "group_id": f"group{number}"}
    row.update({name: counts.get(name, 0) for name in COUNTS})
    row.update({"cursor": cursor, "watermark": watermark,
                "created_at": 1705314600000000 + number * 1000000, "engine": "tidemark 0.1.0"})
    chained = b"".join(part(value) for value in [
        "golden", entry, number, number - 1, 2, kind, 1, row["body_hash"], prev, sync,
        row["group_id"], *(row[name] for name in COUNTS), cursor,
        -2**63 if watermark is None else watermark, row["created_at"], row["engine"]])
    row["chain"] = blake(chained)
    line = {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}
    line["body"] = base64.b64encode(body).decode()
    return line, row["chain"]


def main():
    lines = [{"tidemark_state_backup": 1, "connection": "golden",
              "store": "SQLite file warehouse.db", "created_at": "2024-01-15T10:31:00.000000Z",
              "engine": "tidemark 0.1.0"}]
    for schema, table, histories in (
            ("", "", [("normal", b'{"next":100}', {"inserted": 100}, "100", None, "sync_a"),
                      ("normal", b'{"next":250}', {"inserted": 140, "updated": 9, "dead_letter": 1},
                       "250", None, "sync_b"),
                      ("rollback", b'{"next":100}', {}, "100", None, "rollback_c")]),
            ("shop", "orders", [("import", bytes([0, 255, 16]), {}, "2024-01-15",
                                 1705276800000000, "import_d")])):
        entry = f"{schema}.{table}" if schema else table
        rows, chain = [], b""
        for number, (kind, body, counts, cursor, watermark, sync) in enumerate(histories, 1):
            row, chain = version(entry, number, kind, body, chain, counts, cursor, watermark, sync)
            rows.append(row)
        lines.append({"head": entry, "schema": schema, "table": table, "version": len(rows),
                      "chain": chain.hex(), "anchor": ""})
        lines += rows
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    end = {"lines": len(lines), "blake2b256": blake(text.encode()).hex()}
    with open(sys.argv[1] if len(sys.argv) > 1 else os.path.join(
            os.path.dirname(os.path.abspath(__file__)), "backup_1.backup"), "w",
            encoding="utf-8") as file:
        file.write(text + json.dumps(end, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
