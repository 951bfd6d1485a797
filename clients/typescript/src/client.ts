/** A server, call by call. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { ChannelCredentials, Client as Channel, credentials, Metadata } from "@grpc/grpc-js";

import { fromRpc, TidemarkError } from "./errors";
import { Push, PushOptions } from "./push";
import { Retries, sleep } from "./retries";
import * as wire from "./wire/tidemark/v1/control";

const MESSAGE_BYTES = 64 * 1024 * 1024;
const PAGE = 1_000;

/** A version, a sync_id, or a time. */
export type Point = bigint | number | string | Date;

export interface ConnectOptions {
  /** "tm_..." */
  readonly token?: string;
  /** PEM file of the authorities to trust; this means TLS. */
  readonly ca?: string;
  /** PEM files of the client's own certificate and key; these mean TLS. */
  readonly cert?: string;
  readonly key?: string;
  /** Of each call, where none is given. Default: 30 seconds. */
  readonly timeoutMs?: number;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}
interface Method<Q, A> {
  readonly name: string;
  readonly requestType: Codec<Q>;
  readonly responseType: Codec<A>;
}

const methods = wire.ControlDefinition.methods;

function isThisMachine(target: string): boolean {
  const host = target.slice(0, target.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** gRPC's name of an address, and how its bytes are protected. */
export function endpoint(address: string, options: ConnectOptions = {}):
    { target: string; tls: boolean; local: boolean } {
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new TypeError("cert and key come together: both, or none");
  }
  const scheme = /^([a-z]+):\/\//.exec(address)?.[1] ?? "";
  const target = scheme ? address.slice(scheme.length + 3) : address;
  const wantsTls = options.ca !== undefined || options.cert !== undefined || scheme === "grpcs";
  if (scheme && scheme !== "grpc" && scheme !== "grpcs") {
    throw new TypeError(`${address}: unknown kind of address; write unix:PATH or HOST:PORT`);
  }
  if (target.startsWith("unix:")) {
    if (wantsTls) throw new TypeError(`${address}: a unix socket has no TLS`);
    return { target, tls: false, local: true };
  }
  if (!/^.+:\d+$/.test(target)) {
    throw new TypeError(`${address}: there is no port; write unix:PATH or HOST:PORT`);
  }
  const local = isThisMachine(target);
  if (!local && scheme === "grpc" && !wantsTls) {
    throw new TypeError(`${address}: without TLS only this machine is spoken to; ` +
      "write grpcs://HOST:PORT");
  }
  return { target, tls: wantsTls || !local, local };
}

function transport(tls: boolean, options: ConnectOptions): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const file = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
  return credentials.createSsl(file(options.ca), file(options.key), file(options.cert));
}

function point(to: Point): wire.HistoryPoint {
  if (typeof to === "string") return { point: { $case: "syncId", value: to } };
  if (to instanceof Date) return { point: { $case: "time", value: to } };
  return { point: { $case: "version", value: BigInt(to) } };
}

/**
 * Speaks to one server. Errors are TidemarkError. Calls that may be repeated are, while the server
 * is UNAVAILABLE and their time is not over.
 */
export class Client {
  private readonly channel: Channel;
  private readonly timeoutMs: number;

  constructor(address: string, private readonly options: ConnectOptions = {}) {
    const { target, tls, local } = endpoint(address, options);
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.channel = new Channel(target, transport(tls, options), {
      "grpc.max_receive_message_length": MESSAGE_BYTES,
      "grpc.max_send_message_length": MESSAGE_BYTES,
      "grpc.enable_http_proxy": local ? 0 : 1,
      "grpc.service_config_disable_resolution": 1,
      // A peer that went away without a word is noticed; servers accept a ping in five minutes.
      "grpc.keepalive_time_ms": 310_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 5_000,
    });
  }

  /** Ends what runs. */
  close(): void {
    this.channel.close();
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    if (this.options.token) metadata.set("authorization", `Bearer ${this.options.token}`);
    return metadata;
  }

  private once<Q, A>(method: Method<Q, A>, request: Q, deadline: number): Promise<A> {
    return new Promise((resolve, reject) => {
      this.channel.makeUnaryRequest<Q, A>(
        `/tidemark.v1.Control/${method.name}`,
        (message) => Buffer.from(method.requestType.encode(message).finish()),
        (bytes) => method.responseType.decode(bytes), request, this.metadata(), { deadline },
        (error, answer) => (error ? reject(fromRpc(error)) : resolve(answer as A)));
    });
  }

  private async call<Q, A>(method: Method<Q, A>, request: Q,
                           timeoutMs = this.timeoutMs): Promise<A> {
    const until = Date.now() + timeoutMs;
    const retries = new Retries(timeoutMs);
    for (let again = false; ; again = true) {
      try {
        return await this.once(method, request, until);
      } catch (error) {
        const failed = error as TidemarkError;
        // Of a call that runs already: the first one, whose answer was lost.
        const pause = retries.pauseMs(failed, failed.code === "UNAVAILABLE" ||
          failed.reason === "SERVER_BUSY" || (again && failed.reason === "IDEMPOTENT_CALL_RUNS"));
        if (Date.now() + pause >= until) throw error;
        await sleep(pause);
      }
    }
  }

  private async *pages<Q extends { pageToken: string }, A extends { nextPageToken: string }, T>(
      method: Method<Q, A>, request: Q, entries: (page: A) => T[]): AsyncGenerator<T> {
    for (let token = ""; ;) {
      const page = await this.call(method, { ...request, pageToken: token });
      yield* entries(page);
      token = page.nextPageToken;
      if (!token) return;
    }
  }

  private serverStream<Q, A>(method: Method<Q, A>, request: Q) {
    return this.channel.makeServerStreamRequest<Q, A>(
      `/tidemark.v1.Control/${method.name}`,
      (message) => Buffer.from(method.requestType.encode(message).finish()),
      (bytes) => method.responseType.decode(bytes), request, this.metadata(), {});
  }

  // ---- the server, its connections and plugins ----
  /** Version, limits, and who the caller is to it. */
  server(): Promise<wire.Server> {
    return this.call(methods.getServer, {});
  }

  /** Creates or replaces a connection: the text of a connection file. */
  apply(yaml: string, options: { dryRun?: boolean; expectedVersion?: bigint } = {}):
      Promise<wire.ApplyConnectionResponse> {
    return this.call(methods.applyConnection, {
      yaml, dryRun: options.dryRun ?? false, expectedVersion: options.expectedVersion ?? 0n,
      idempotencyKey: randomUUID() });
  }

  /** Sorted by name. */
  connections(): AsyncGenerator<wire.ConnectionRecord> {
    return this.pages(methods.listConnections, wire.ListConnectionsRequest.fromPartial({
      pageSize: PAGE }), (page) => page.connections);
  }

  connection(name: string): Promise<wire.ConnectionRecord> {
    return this.call(methods.getConnection, { name, readMask: undefined });
  }

  /** Forgets a connection; destination, state and reports stay. */
  async delete(name: string, options: { expectedVersion?: bigint } = {}): Promise<void> {
    await this.call(methods.deleteConnection, {
      name, expectedVersion: options.expectedVersion ?? 0n, idempotencyKey: randomUUID() });
  }

  /** No sync begins by schedule until it is resumed. */
  pause(name: string): Promise<wire.ConnectionRecord> {
    return this.call(methods.pauseConnection, { name, idempotencyKey: randomUUID() });
  }

  /** Also closes the circuit breaker. */
  resume(name: string): Promise<wire.ConnectionRecord> {
    return this.call(methods.resumeConnection, { name, idempotencyKey: randomUUID() });
  }

  /** Tries the configuration against source and destination. */
  check(name: string, timeoutMs = 300_000): Promise<wire.CheckConnectionResponse> {
    return this.call(methods.checkConnection, { name }, timeoutMs);
  }

  /** What the next sync would change at the destination. */
  plan(name: string, timeoutMs = 300_000): Promise<wire.PlanConnectionResponse> {
    return this.call(methods.planConnection, { name }, timeoutMs);
  }

  /** The tables the source offers. */
  async tables(name: string, timeoutMs = 300_000): Promise<wire.SourceTable[]> {
    return (await this.call(methods.listTables, { connection: name }, timeoutMs)).tables;
  }

  /** Sorted by id. */
  plugins(): AsyncGenerator<wire.Plugin> {
    return this.pages(methods.listPlugins, wire.ListPluginsRequest.fromPartial({ pageSize: PAGE }),
                      (page) => page.plugins);
  }

  // ---- syncs ----
  /** Begins a sync now, or queues it behind the server's limit. */
  startSync(connection: string, options: { full?: boolean; tables?: string[]; since?: Date } = {}):
      Promise<wire.Sync> {
    return this.call(methods.startSync, {
      connection, full: options.full ?? false, tables: options.tables ?? [], since: options.since,
      idempotencyKey: randomUUID() });
  }

  /** After its open commit group, or at once. */
  stopSync(syncId: string, options: { now?: boolean } = {}): Promise<wire.Sync> {
    return this.call(methods.stopSync, {
      syncId, now: options.now ?? false, idempotencyKey: randomUUID() });
  }

  sync(syncId: string): Promise<wire.Sync> {
    return this.call(methods.getSync, { syncId, readMask: undefined });
  }

  /** Newest first. */
  syncs(connection = ""): AsyncGenerator<wire.Sync> {
    return this.pages(methods.listSyncs, wire.ListSyncsRequest.fromPartial({
      connection, pageSize: PAGE }), (page) => page.syncs);
  }

  /**
   * The events of a sync, then live, until it has ended. After a cut it goes on behind the last
   * event; OUT_OF_RANGE (metadata.oldest) when that is no longer kept.
   */
  async *watch(syncId: string, options: { afterSequence?: bigint; giveUpAfterMs?: number } = {}):
      AsyncGenerator<wire.SyncEvent> {
    let afterSequence = options.afterSequence ?? 0n;
    const retries = new Retries(options.giveUpAfterMs ?? 300_000);
    for (;;) {
      const call = this.serverStream(methods.watchSync, { syncId, afterSequence });
      let failure: Error = new TidemarkError(
        "UNAVAILABLE", "the server ended the stream before the sync's end");
      try {
        for await (const event of call as AsyncIterable<wire.SyncEvent>) {
          afterSequence = event.sequence;
          retries.progressed();
          yield event;
          if (event.event?.$case === "ended") return;
        }
      } catch (error) {
        failure = fromRpc(error);
      } finally {
        call.on("error", () => {}); // of the cancelling
        call.cancel();
      }
      await sleep(retries.pauseMs(failure));
    }
  }

  /** The sync once it has ended. */
  async wait(syncId: string): Promise<wire.Sync> {
    for await (const { event } of this.watch(syncId)) {
      if (event?.$case === "ended") return event.value;
    }
    return this.sync(syncId);
  }

  /** The Sync Status Report of a sync, or of the last ended one of a connection. */
  report(of: { connection: string } | { syncId: string }): Promise<wire.GetReportResponse> {
    return this.call(methods.getReport, wire.GetReportRequest.fromPartial(of));
  }

  // ---- state ----
  /** Newest version first. entry: "" of the whole connection, or a table. */
  stateLog(connection: string, options: { entry?: string } = {}):
      AsyncGenerator<wire.StateVersionRecord> {
    return this.pages(methods.listStateVersions, {
      connection, entry: options.entry, pageSize: PAGE, pageToken: "" }, (page) => page.versions);
  }

  /** The states with their bodies, now or at a point of the history. */
  async stateShow(connection: string, options: { entry?: string; at?: Point } = {}):
      Promise<wire.StateBody[]> {
    return (await this.call(methods.getState, {
      connection, entry: options.entry,
      at: options.at === undefined ? undefined : point(options.at) })).states;
  }

  /** To a version, a sync_id or a time; by a new version, none is removed. */
  stateRollback(connection: string, to: Point, options: { entry?: string; dryRun?: boolean } = {}):
      Promise<wire.StateChange> {
    return this.call(methods.rollbackState, {
      connection, entry: options.entry, to: point(to), dryRun: options.dryRun ?? false,
      idempotencyKey: randomUUID() });
  }

  /** Begins again from nothing at the next sync. */
  stateReset(connection: string, options: { entry?: string; dryRun?: boolean } = {}):
      Promise<wire.StateChange> {
    return this.call(methods.resetState, {
      connection, entry: options.entry, dryRun: options.dryRun ?? false,
      idempotencyKey: randomUUID() });
  }

  /** The JSON text of `tidemark state export`. */
  async stateExport(connection: string): Promise<string> {
    return (await this.call(methods.exportState, {
      connection, entry: undefined, at: undefined })).json;
  }

  // ---- dead letters ----
  /** Oldest first. status: "new", "replayed", "discarded". */
  deadLetters(connection: string, options: { table?: string; status?: string } = {}):
      AsyncGenerator<wire.StoredLetter> {
    return this.pages(methods.listDeadLetters, {
      connection, table: options.table ?? "", status: options.status ?? "", pageSize: PAGE,
      pageToken: "" }, (page) => page.letters);
  }

  /** A sync of its own; waits for its end. No ids: every letter that is new. */
  replayDeadLetters(connection: string, ids: bigint[] = [], timeoutMs = 3_600_000):
      Promise<wire.ReplayDeadLettersResponse> {
    return this.call(methods.replayDeadLetters, { connection, ids, idempotencyKey: randomUUID() },
                     timeoutMs);
  }

  /** How many were discarded. */
  async discardDeadLetters(connection: string, ids: bigint[]): Promise<number> {
    return (await this.call(methods.discardDeadLetters, {
      connection, ids, idempotencyKey: randomUUID() })).discarded;
  }

  // ---- verification and changes ----
  /** Source against destination; `onTable` is called with each table as it is begun. */
  async verify(connection: string, options: {
    tables?: string[]; repair?: boolean; onTable?: (table: string) => void } = {}):
      Promise<wire.VerifyResult> {
    const call = this.serverStream(methods.verify, wire.VerifyRequest.fromPartial({
      connection, tables: options.tables ?? [], repair: options.repair ?? false }));
    try {
      for await (const { response } of call as AsyncIterable<wire.VerifyResponse>) {
        if (response?.$case === "result") return response.value;
        if (response?.$case === "tableBegun") options.onTable?.(response.value);
      }
    } catch (error) {
      throw fromRpc(error);
    }
    throw new TidemarkError("INTERNAL", "the server ended Verify without a result");
  }

  /** A stream of changes into a connection; resolves once the server's first answer has come. */
  push(connection: string, producer: string, options: PushOptions = {}): Promise<Push> {
    return Push.open(this.channel, () => this.metadata(), connection, producer, options);
  }
}

/**
 * A client of the server at "unix:PATH", "HOST:PORT", "grpc://HOST:PORT" (both without TLS on this
 * machine only) or "grpcs://HOST:PORT". The connection is made by the first call.
 */
export function connect(address: string, options: ConnectOptions = {}): Client {
  return new Client(address, options);
}
