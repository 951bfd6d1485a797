/** What goes wrong, in one type. */
import { status as Status, ServiceError } from "@grpc/grpc-js";

import { BadRequest, ErrorInfo, RetryInfo, Status as Details } from "./wire/google/rpc/error_details";

/** One field of a request that is wrong. */
export interface FieldViolation {
  /** A path in the request: "connection.yaml". */
  readonly field: string;
  readonly description: string;
}

/** A name of google.rpc.Code: "NOT_FOUND". */
export type Code = Exclude<keyof typeof Status, number>;

export interface ErrorDetails {
  reason?: string;
  fields?: readonly FieldViolation[];
  retryAfterMs?: number;
  metadata?: Readonly<Record<string, string>>;
}

/** A call that failed. `code` drives what a program does. */
export class TidemarkError extends Error {
  override readonly name = "TidemarkError";
  /** Why, for programs: "CONNECTION_BUSY"; empty when the server gave none. */
  readonly reason: string;
  readonly fields: readonly FieldViolation[];
  /** How long to wait before trying again; undefined when nothing was said. */
  readonly retryAfterMs: number | undefined;
  /** Of the reason: {expected: "17"}. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(readonly code: Code, readonly text: string, details: ErrorDetails = {}) {
    super(`${code}${details.reason ? ` (${details.reason})` : ""}: ${text}`);
    this.reason = details.reason ?? "";
    this.fields = details.fields ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.metadata = details.metadata ?? {};
  }
}

const TYPES = "type.googleapis.com/google.rpc.";

/** The TidemarkError of what gRPC reported; any other error stays what it is. */
export function fromRpc(error: unknown): Error {
  const failed = error as Partial<ServiceError>;
  if (error instanceof TidemarkError || typeof failed?.code !== "number") {
    return error instanceof Error ? error : new Error(String(error));
  }
  const details: { -readonly [K in keyof ErrorDetails]: ErrorDetails[K] } = {};
  for (const packed of failed.metadata?.get("grpc-status-details-bin") ?? []) {
    try {
      read(Details.decode(packed as Buffer), details);
    } catch {
      // Of a proxy: what it says is lost.
    }
  }
  return new TidemarkError(Status[failed.code] as Code, failed.details ?? "", details);
}

function read(status: Details, details: ErrorDetails): void {
  for (const packed of status.details) {
    if (packed.typeUrl === TYPES + "ErrorInfo") {
      const said = ErrorInfo.decode(packed.value);
      details.reason = said.reason;
      details.metadata = said.metadata;
    } else if (packed.typeUrl === TYPES + "BadRequest") {
      details.fields = BadRequest.decode(packed.value).fieldViolations;
    } else if (packed.typeUrl === TYPES + "RetryInfo") {
      const delay = RetryInfo.decode(packed.value).retryDelay;
      if (delay) details.retryAfterMs = Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    }
  }
}

/** Whether the connection broke, or the server asks to come back: a stream may be resumed. */
export function isCut(error: Error): boolean {
  if (!(error instanceof TidemarkError)) return false;
  switch (error.code) {
    case "UNAVAILABLE":
      return true;
    case "ABORTED":
      return error.reason === "LEASE_LOST";
    case "RESOURCE_EXHAUSTED":
      return error.reason === "TOO_MANY_STREAMS" || error.reason === "SERVER_BUSY";
    case "DEADLINE_EXCEEDED":
      return error.reason === "IDLE" || error.reason === "START_TIMEOUT";
    case "CANCELLED":
    case "UNKNOWN":
    case "INTERNAL":
      return error.reason === ""; // gRPC's own words for a broken transport
    default:
      return false;
  }
}
