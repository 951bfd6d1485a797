/** Tidemark's client: connections, syncs, reports, state, and a resumable stream of changes. */
export { Client, connect, ConnectOptions, endpoint, Point } from "./client";
export { Code, FieldViolation, TidemarkError } from "./errors";
export { RowError, RowOptions } from "./outbox";
export { Push, PushOptions } from "./push";
export { Column, Table } from "./table";
export {
  CalendarDate, Decimal, Double, NaiveTimestamp, Row, RowValue, TimeOfDay, Timestamp,
} from "./values";
export * as types from "./wire/tidemark/v1/control";
export { SyncStatus } from "./wire/tidemark/v1/control";
