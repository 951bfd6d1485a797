/** A stream of changes into a connection, resumed by itself. */
import type { Client as Channel, ClientDuplexStream, Metadata } from "@grpc/grpc-js";

import { fromRpc, TidemarkError } from "./errors";
import { MESSAGE_MS, Outbox, RowError, RowOptions } from "./outbox";
import { Retries, Signal, sleep } from "./retries";
import { Table } from "./table";
import { Row } from "./values";
import { ChangeKind } from "./wire/tidemark/v1/connector";
import { PushResponse } from "./wire/tidemark/v1/ingest";

const ROW_ERRORS_KEPT = 1_000;

export interface PushOptions {
  /** Rows between two checkpoints appear together or not at all. */
  readonly explicitCheckpoints?: boolean;
  /** Calls wait while more is sent and not durable. Default: 64 MiB. */
  readonly maxUnacknowledgedBytes?: number;
  /** A cut is an error after this long without progress. Default: five minutes. */
  readonly giveUpAfterMs?: number;
  /** Takes the rows that became dead letters; else rowErrors holds the first 1,000. */
  readonly onRowError?: (error: RowError) => void;
  /** Takes the server's warnings; the table may be empty. */
  readonly onWarning?: (table: string, text: string) => void;
}

type State = Uint8Array | string | object;

/** bytes as they are, text in UTF-8, anything else as JSON. */
function stateBytes(state: State): Buffer {
  if (state instanceof Uint8Array) return Buffer.from(state);
  return Buffer.from(typeof state === "string" ? state : JSON.stringify(state), "utf8");
}

/**
 * A producer's stream of changes. Rows are durable when flush() or close() has resolved. Await each
 * call: it waits while too much is unacknowledged.
 */
export class Push {
  /** The first 1,000 rows that became dead letters; `rowErrorCount` counts all. */
  readonly rowErrors: RowError[] = [];
  rowErrorCount = 0;

  private readonly outbox: Outbox;
  private readonly retries: Retries;
  private readonly changed = new Signal();
  private readonly finished: Promise<void>;
  private call: ClientDuplexStream<Buffer, PushResponse> | undefined;
  private failure: Error | undefined;
  private began = false;
  private closing = false;
  private stopped = false;
  private done = false;

  private constructor(private readonly channel: Channel, private readonly metadata: () => Metadata,
                      connection: string, producer: string, private readonly options: PushOptions) {
    this.outbox = new Outbox(connection, producer, options.explicitCheckpoints ?? false,
                             options.maxUnacknowledgedBytes ?? 64 * 1024 * 1024);
    this.retries = new Retries(options.giveUpAfterMs ?? 300_000);
    this.finished = this.run();
  }

  /** Resolves once the server's first answer has come. */
  static async open(channel: Channel, metadata: () => Metadata, connection: string,
                    producer: string, options: PushOptions): Promise<Push> {
    const push = new Push(channel, metadata, connection, producer, options);
    while (!push.began && !push.done) await push.changed.wait();
    if (push.failure) throw push.failure;
    return push;
  }

  // ---- rows ----
  /** A full row: a column that is not given becomes NULL. */
  upsert(table: string, row: Row, options: RowOptions = {}): Promise<void> {
    return this.add(() => this.outbox.row(ChangeKind.UPSERT, table, row, undefined, options));
  }

  /** The key and the changed columns; `before`: the old key where it changes. */
  update(table: string, row: Row, options: RowOptions & { readonly before?: Row } = {}):
      Promise<void> {
    return this.add(() => this.outbox.row(ChangeKind.UPDATE, table, row, options.before, options));
  }

  /** The row with this key. */
  delete(table: string, key: Row, options: RowOptions = {}): Promise<void> {
    return this.add(() => this.outbox.row(ChangeKind.DELETE, table, key, undefined, options));
  }

  /** Rows of the table that are not written again are deleted. */
  truncate(table: string, options: RowOptions = {}): Promise<void> {
    return this.add(() => this.outbox.row(ChangeKind.TRUNCATE, table, {}, undefined, options));
  }

  /** Declares a table, or adds columns to it. Rows need no definition; keys and types do. */
  define(table: Table): Promise<void> {
    return this.add(() => this.outbox.define(table));
  }

  /** Everything before may be committed with this state, which the next stream is given. */
  checkpoint(state: State = ""): Promise<void> {
    return this.add(() => this.outbox.checkpoint(stateBytes(state)));
  }

  /** Waits until all so far is durable; the state version that says so. */
  async flush(): Promise<bigint> {
    this.check();
    const target = this.outbox.flushTarget();
    this.changed.notify();
    while (this.outbox.acknowledgedOrdinal < target) {
      await this.changed.wait();
      this.check();
    }
    return this.outbox.stateVersion;
  }

  /** Of the last durable checkpoint; empty: none yet. */
  get state(): Buffer {
    return this.outbox.state;
  }

  /** The newest one that was acknowledged; 0: none yet. */
  get stateVersion(): bigint {
    return this.outbox.stateVersion;
  }

  // ---- its life ----
  /** Sends what is left, waits until all is durable, and ends the stream. */
  async close(): Promise<void> {
    if (!this.failure && !this.closing) this.outbox.seal();
    this.closing = true;
    this.changed.notify();
    await this.finished;
    if (this.failure) throw this.failure;
  }

  /** Ends the stream at once: what is not acknowledged may or may not be durable. */
  async abort(): Promise<void> {
    this.stopped = true;
    this.call?.cancel();
    this.changed.notify();
    await this.finished;
  }

  private check(): void {
    if (this.failure) throw this.failure;
    if (this.stopped || this.closing || this.done) {
      throw new TidemarkError("FAILED_PRECONDITION", "the push is closed");
    }
  }

  private async add(add: () => void): Promise<void> {
    this.check();
    while (!this.outbox.hasRoom()) {
      this.changed.notify();
      await this.changed.wait();
      this.check();
    }
    const waiting = this.outbox.unacknowledged;
    const filling = this.outbox.fillingSince;
    add();
    if (filling === undefined || this.outbox.unacknowledged !== waiting) {
      this.changed.notify();
      // A loop that only pushes must not starve the stream.
      if (this.outbox.unacknowledged !== waiting) await new Promise(setImmediate);
    }
  }

  // ---- the stream ----
  private async run(): Promise<void> {
    await Promise.resolve(); // the constructor ends first
    try {
      while (!(await this.stream()));
    } catch (error) {
      this.failure = this.stopped ? undefined : (error as Error);
    }
    this.done = true;
    this.changed.notify();
  }

  /** One call; true once there is nothing more to do. */
  private async stream(): Promise<boolean> {
    if (this.stopped) return true;
    const call = this.channel.makeBidiStreamRequest<Buffer, PushResponse>(
      "/tidemark.v1.Ingest/Push", (bytes) => bytes, (bytes) => PushResponse.decode(bytes),
      this.metadata(), {});
    this.call = call;
    const life = { begun: false, ended: false };
    const writing = this.write(call, life);
    const error = await this.read(call, life);
    life.ended = true;
    this.changed.notify();
    call.cancel();
    await writing;
    if (this.stopped) return true;
    if (this.closing && this.began && this.outbox.unacknowledged === 0) return true;
    await Promise.race([sleep(this.retries.pauseMs(error)), this.untilStopped()]);
    return this.stopped;
  }

  private async untilStopped(): Promise<void> {
    while (!this.stopped && !this.done) await this.changed.wait(1_000);
  }

  /** Takes answers until the call has ended, and tells how: an end in order came early, too. */
  private read(call: ClientDuplexStream<Buffer, PushResponse>,
               life: { begun: boolean }): Promise<Error> {
    return new Promise((resolve) => {
      call.on("data", (response: PushResponse) => {
        try {
          this.take(response, life);
        } catch (error) {
          resolve(error as Error);
        }
      });
      call.on("error", (error) => resolve(fromRpc(error)));
      call.on("end", () => setImmediate(() => resolve(new TidemarkError(
        "UNAVAILABLE", "the server ended the stream before its end"))));
    });
  }

  private take(response: PushResponse, life: { begun: boolean }): void {
    const said = response.response;
    switch (said?.$case) {
      case "rowError": {
        const error = this.outbox.rowError(said.value);
        if (error) this.refused(error);
        return;
      }
      case "warning":
        this.options.onWarning?.(said.value.table, said.value.text);
        return;
      case "started":
        this.outbox.started(said.value);
        life.begun = this.began = true;
        if (this.outbox.unacknowledged > 0) {
          this.changed.notify();
          return; // a stream that is cut again and again is no progress
        }
        break;
      case "acknowledged":
        this.outbox.acknowledge(said.value.sequence, said.value.stateVersion);
        break;
      case "ended":
        this.outbox.acknowledge(said.value.durableSequence, said.value.stateVersion);
        break;
      default:
        return;
    }
    this.retries.progressed();
    this.changed.notify();
  }

  private refused(error: RowError): void {
    if (this.options.onRowError) {
      this.options.onRowError(error);
      return;
    }
    this.rowErrorCount += 1;
    if (this.rowErrors.length < ROW_ERRORS_KEPT) this.rowErrors.push(error);
  }

  /** Writes one stream. Its errors are those that the reader gets. */
  private async write(call: ClientDuplexStream<Buffer, PushResponse>,
                      life: { begun: boolean; ended: boolean }): Promise<void> {
    let room = call.write(this.outbox.start());
    call.on("drain", () => {
      room = true;
      this.changed.notify();
    });
    while (!life.ended && !this.stopped) {
      if (!life.begun || !room) {
        await this.changed.wait();
        continue;
      }
      const message = this.outbox.nextMessage();
      if (message) {
        room = call.write(message);
        continue;
      }
      let left: number | undefined;
      if (this.outbox.fillingSince !== undefined) {
        left = this.outbox.fillingSince + MESSAGE_MS - performance.now();
        if (left <= 0) {
          this.outbox.seal();
          continue;
        }
      } else if (this.closing) {
        call.end();
        return;
      }
      await this.changed.wait(left);
    }
  }
}
