/**
 * What a producer has sent and not yet seen durable: messages, their numbers and their resending.
 * No timers and no sockets here; push.ts drives it.
 */
import { TidemarkError } from "./errors";
import { Table, tableMessage } from "./table";
import { fromValue, Row, toValues } from "./values";
import { ChangeKind, Row as RowMessage } from "./wire/tidemark/v1/connector";
import {
  CheckpointMode, PushRequest, RowError as RowErrorMessage, Started,
} from "./wire/tidemark/v1/ingest";

const MESSAGE_ROWS = 1_000;
const MESSAGE_BYTES = 256 * 1024;
export const MESSAGE_MS = 50; // how long a row waits for others
const ROW_BYTES_MAX = 4 * 1024 * 1024 - 4096; // the server's limit of a request, less its envelope
const STATE_BYTES_MAX = 1024 * 1024;

/** A row that became a dead letter of the destination; the rest went on. */
export interface RowError {
  readonly table: string;
  /** As it was pushed; undefined when the message is no longer kept. */
  readonly row: Row | undefined;
  /** google.rpc.Code */
  readonly code: number;
  readonly reason: string;
  /** Of the message. */
  readonly sequence: bigint;
  /** Of the row in the message, 0 the first. */
  readonly index: number;
}

/** What more can be said about a row. */
export interface RowOptions {
  /** Of the table. */
  readonly schema?: string;
  /** A bad row is a dead letter whatever the table's on_error says. */
  readonly onErrorContinue?: boolean;
  /** When the change happened at its source, microseconds since 1970 in UTC. */
  readonly eventTimeUs?: bigint;
}

/** One message without its number, which is written when it is sent. */
interface Entry {
  readonly ordinal: number; // 1, 2, 3, ... within this program; 0: a definition sent anew
  sequence: bigint; // 1, 2, 3, ... within the producer's life
  readonly body: Buffer; // a PushRequest without its sequence
  readonly kind: "rows" | "table" | "checkpoint";
  readonly table: number; // number of the defined table
}

/** Field 1, the number, before the rest of the message. */
function numbered(sequence: bigint, body: Buffer): Buffer {
  const head = [0x08];
  let rest = sequence;
  for (; rest >= 0x80n; rest >>= 7n) head.push(Number(rest & 0x7fn) | 0x80);
  head.push(Number(rest));
  return Buffer.concat([Buffer.from(head), body]);
}

function encode(request: NonNullable<PushRequest["request"]>): Buffer {
  return Buffer.from(PushRequest.encode({ sequence: 0n, request }).finish());
}

export class Outbox {
  state: Buffer = Buffer.alloc(0);
  stateVersion = 0n;
  acknowledgedOrdinal = 0;
  /** performance.now() of the first row of the message that is being filled. */
  fillingSince: number | undefined;

  private entries: Entry[] = [];
  private next = 0; // in entries: the first that this stream has not been given
  private bytes = 0; // of entries
  private rows: Buffer[] = []; // encoded, as fields of Rows
  private rowsBytes = 0;
  private rowsSinceCheckpoint = false;
  private ordinal = 0;
  private durable = 0n; // sequence
  private highestSent = 0n; // sequence, on any stream
  private began = false;
  private readonly tables = new Map<string, number>();
  private readonly definitions = new Map<number, Buffer>(); // of durable definitions
  private readonly reported = new Set<string>(); // "ordinal/index"

  constructor(private readonly connection: string, private readonly producer: string,
              private readonly explicit: boolean, private readonly limitBytes: number) {}

  // ---- what the author adds ----
  /**
   * False: all is sealed; add nothing before something was acknowledged. Throws where that cannot
   * happen.
   */
  hasRoom(): boolean {
    if (this.bytes + this.rowsBytes < this.limitBytes) return true;
    this.seal(); // which tells how many bytes they really are
    if (this.bytes < this.limitBytes) return true;
    if (this.explicit && !this.entries.some((entry) => entry.kind === "checkpoint")) {
      throw new TidemarkError("RESOURCE_EXHAUSTED",
        `${this.bytes} bytes of rows without a checkpoint are more than the ${this.limitBytes} ` +
        "that may be unacknowledged; put checkpoints more often, or raise maxUnacknowledgedBytes");
    }
    return false;
  }

  /** Adds a row to the message that is being filled; seals it when it is full. */
  row(kind: ChangeKind, table: string, row: Row, before: Row | undefined,
      options: RowOptions): void {
    const where = `table ${options.schema ? `${options.schema}.` : ""}${table}`;
    const encoded = RowMessage.encode({
      schema: options.schema ?? "", table, kind, values: toValues(row, where),
      before: before ? toValues(before, `${where}, before`) : {},
      onErrorContinue: options.onErrorContinue ?? false, eventTimeUs: options.eventTimeUs,
      sequence: 0n, subsequence: 0n,
    }).finish();
    if (encoded.length > ROW_BYTES_MAX) {
      throw new TidemarkError("INVALID_ARGUMENT", `${where}: a row of ${encoded.length} bytes; ` +
        `a request holds at most ${ROW_BYTES_MAX}`, { reason: "ROW_TOO_LARGE" });
    }
    if (this.rowsBytes > 0 && this.rowsBytes + encoded.length > MESSAGE_BYTES) this.seal();
    this.rows.push(lengthPrefix(0x0a, encoded.length), encoded as Buffer); // Rows.rows
    this.rowsBytes += encoded.length + 4;
    this.rowsSinceCheckpoint = true;
    this.fillingSince ??= performance.now();
    if (this.rows.length >= 2 * MESSAGE_ROWS || this.rowsBytes >= MESSAGE_BYTES) this.seal();
  }

  /** Declares a table, or adds columns to one. */
  define(table: Table): void {
    const message = tableMessage(table);
    this.seal();
    const name = JSON.stringify([message.schema, message.name]);
    const index = this.tables.get(name) ?? this.tables.size;
    this.tables.set(name, index);
    this.add("table", encode({ $case: "table", value: { index, table: message } }), index);
  }

  /** Everything before may be committed with this state. */
  checkpoint(state: Buffer): void {
    if (state.length > STATE_BYTES_MAX) {
      throw new TidemarkError("INVALID_ARGUMENT", `a state of ${state.length} bytes; at most 1 MiB`);
    }
    this.seal();
    this.add("checkpoint", encode({ $case: "checkpoint", value: { state } }));
    this.rowsSinceCheckpoint = false;
  }

  /** Nothing is added to the message that is being filled: it may be sent. */
  seal(): void {
    if (this.fillingSince === undefined) return;
    const rows = Buffer.concat(this.rows);
    this.rows = [];
    this.rowsBytes = 0;
    this.fillingSince = undefined;
    this.add("rows", Buffer.concat([lengthPrefix(0x22, rows.length), rows])); // PushRequest.rows
  }

  /** Seals; the ordinal that is acknowledged once all so far is durable. */
  flushTarget(): number {
    this.seal();
    if (this.explicit && this.rowsSinceCheckpoint) {
      throw new TidemarkError("FAILED_PRECONDITION", "rows after the last checkpoint become " +
        "durable with the next one only; call checkpoint() before flush()");
    }
    return this.ordinal;
  }

  private add(kind: Entry["kind"], body: Buffer, table = -1): void {
    this.ordinal += 1;
    const sequence = (this.entries.at(-1)?.sequence ?? this.durable) + 1n;
    this.entries.push({ ordinal: this.ordinal, sequence, body, kind, table });
    this.bytes += body.length;
  }

  // ---- what is sent ----
  start(): Buffer {
    return encode({ $case: "start", value: {
      connection: this.connection, producer: this.producer, expectedSequence: undefined,
      checkpoints: this.explicit ? CheckpointMode.EXPLICIT : CheckpointMode.EVERY_MESSAGE,
    } });
  }

  /** The next message of this stream; undefined: there is none yet. */
  nextMessage(): Buffer | undefined {
    const entry = this.entries[this.next];
    if (!entry) return undefined;
    this.next += 1;
    if (entry.sequence > this.highestSent) this.highestSent = entry.sequence;
    return numbered(entry.sequence, entry.body);
  }

  /** Messages, the one that is being filled not among them. */
  get unacknowledged(): number {
    return this.entries.length;
  }

  // ---- what the server answers ----
  /**
   * A stream begins: what is not durable goes out again, under numbers that go on from there. They
   * may change, because definitions live as long as a stream and are sent anew before the rest.
   */
  started(started: Started): void {
    const durable = started.durableSequence;
    if (this.began && durable < this.durable) {
      throw new TidemarkError("DATA_LOSS", `the server acknowledged message ${this.durable} and ` +
        `knows ${durable} of them now: its destination was set back; push from your source's ` +
        "beginning", { reason: "ACKNOWLEDGED_LOST" });
    }
    if (this.began && durable > this.highestSent) {
      throw new TidemarkError("ABORTED", `another program pushes as producer ${this.producer} of ` +
        this.connection, { reason: "FENCED" });
    }
    if (this.began) this.drop(durable);
    this.began = true;
    this.durable = durable;
    this.state = started.state;
    this.stateVersion = started.stateVersion;
    const numbers = [...this.definitions.keys()].sort((a, b) => a - b);
    const anew = numbers.map((table): Entry => ({
      ordinal: 0, sequence: 0n, body: this.definitions.get(table)!, kind: "table", table }));
    for (const entry of anew) this.bytes += entry.body.length;
    this.entries = [...anew, ...this.entries];
    this.entries.forEach((entry, i) => { entry.sequence = durable + 1n + BigInt(i); });
    this.next = 0;
  }

  /** Every message up to `sequence` is durable. */
  acknowledge(sequence: bigint, stateVersion: bigint): void {
    this.drop(sequence);
    if (sequence > this.durable) this.durable = sequence;
    if (stateVersion > this.stateVersion) this.stateVersion = stateVersion;
    for (const key of this.reported) {
      if (Number(key.split("/")[0]) <= this.acknowledgedOrdinal) this.reported.delete(key);
    }
  }

  private drop(sequence: bigint): void {
    let dropped = 0;
    for (const entry of this.entries) {
      if (entry.sequence > sequence) break;
      dropped += 1;
      this.bytes -= entry.body.length;
      this.acknowledgedOrdinal = Math.max(this.acknowledgedOrdinal, entry.ordinal);
      if (entry.kind === "table") this.definitions.set(entry.table, entry.body);
      if (entry.kind === "checkpoint") {
        const request = PushRequest.decode(entry.body).request;
        if (request?.$case === "checkpoint") this.state = request.value.state;
      }
    }
    this.entries.splice(0, dropped);
    this.next = Math.max(0, this.next - dropped);
  }

  /** The row that was refused; undefined when it was reported already, before a cut. */
  rowError(error: RowErrorMessage): RowError | undefined {
    const entry = this.entries.find((held) => held.sequence === error.sequence);
    let row: Row | undefined;
    if (entry) {
      const key = `${entry.ordinal}/${error.index}`;
      if (this.reported.has(key)) return undefined;
      this.reported.add(key);
      const request = PushRequest.decode(entry.body).request;
      const held = request?.$case === "rows" ? request.value.rows[error.index] : undefined;
      if (held) {
        row = Object.fromEntries(Object.entries(held.values)
          .map(([column, value]) => [column, fromValue(value)]));
      }
    }
    return { table: error.table, row, code: error.code, reason: error.reason,
             sequence: error.sequence, index: error.index };
  }
}

/** The tag of a field of bytes and its length. */
function lengthPrefix(tag: number, length: number): Buffer {
  const head = [tag];
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.from(head);
}
