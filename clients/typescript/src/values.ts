/** Values of rows: JavaScript's types to tidemark.v1.Value, and back. */
import { Value } from "./wire/tidemark/v1/connector";

/** An exact number: -?[0-9]+(\.[0-9]+)?, NaN, Infinity or -Infinity. */
export class Decimal {
  constructor(readonly text: string) {}
}
/** A number that stays a DOUBLE though it is whole. */
export class Double {
  constructor(readonly value: number) {}
}
/** A day of the calendar: new CalendarDate("2026-01-31"). */
export class CalendarDate {
  readonly days: bigint;
  constructor(readonly text: string) {
    const ms = /^[+-]?\d{4,6}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
    if (Number.isNaN(ms)) throw new TypeError(`${text} is no date; write 2026-01-31`);
    this.days = BigInt(Math.floor(ms / 86_400_000));
  }
}
/** Microseconds since midnight. */
export class TimeOfDay {
  constructor(readonly us: bigint) {}
}
/** A moment to the microsecond, where Date has milliseconds. */
export class Timestamp {
  constructor(readonly us: bigint) {}
}
/** What a clock shows, without zone: the microseconds that it would be since 1970 in UTC. */
export class NaiveTimestamp {
  constructor(readonly us: bigint) {}
}

/** Whole numbers are integers, others doubles; Date is a moment; other objects and arrays are JSON. */
export type RowValue =
  | null | undefined | boolean | number | bigint | string | Uint8Array | Date
  | Decimal | Double | CalendarDate | TimeOfDay | Timestamp | NaiveTimestamp
  | readonly unknown[] | { readonly [name: string]: unknown };
export type Row = { readonly [column: string]: RowValue };

const INT64_MAX = 2n ** 63n - 1n;

function ofBigint(given: bigint): Value {
  return given <= INT64_MAX && given >= -INT64_MAX - 1n
    ? { value: { $case: "int64", value: given } }
    : { value: { $case: "decimal", value: given.toString() } };
}

function ofNumber(given: number): Value {
  return Number.isSafeInteger(given) && !Object.is(given, -0)
    ? { value: { $case: "int64", value: BigInt(given) } }
    : { value: { $case: "double", value: given } };
}

function ofString(given: string): Value {
  if (!wellFormed(given)) throw new TypeError("the text is not Unicode (a lone surrogate)");
  return { value: { $case: "string", value: given } };
}

// A pattern with /u matches a surrogate only where it stands alone.
const LONE_SURROGATE = /\p{Surrogate}/u;
function wellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

function ofObject(given: object): Value {
  if (given instanceof Date) {
    const ms = given.getTime();
    if (Number.isNaN(ms)) throw new TypeError("the Date is invalid");
    return { value: { $case: "timestampUs", value: BigInt(ms) * 1000n } };
  }
  if (given instanceof Uint8Array) {
    return { value: { $case: "bytes", value: Buffer.from(given.buffer, given.byteOffset,
                                                         given.byteLength) } };
  }
  if (given instanceof Decimal) return { value: { $case: "decimal", value: given.text } };
  if (given instanceof Double) return { value: { $case: "double", value: given.value } };
  if (given instanceof CalendarDate) return { value: { $case: "dateDays", value: given.days } };
  if (given instanceof TimeOfDay) return { value: { $case: "timeUs", value: given.us } };
  if (given instanceof Timestamp) return { value: { $case: "timestampUs", value: given.us } };
  if (given instanceof NaiveTimestamp) {
    return { value: { $case: "naiveTimestampUs", value: given.us } };
  }
  return { value: { $case: "json", value: JSON.stringify(given) } };
}

export function toValue(given: RowValue): Value {
  switch (typeof given) {
    case "string":
      return ofString(given);
    case "number":
      return ofNumber(given);
    case "bigint":
      return ofBigint(given);
    case "boolean":
      return { value: { $case: "bool", value: given } };
    case "undefined":
      return {}; // an unset oneof is NULL
    case "object":
      return given === null ? {} : ofObject(given);
    default:
      throw new TypeError(`a ${typeof given} is no value that Tidemark knows`);
  }
}

/** A row's map<string, Value>; errors name `where` and the column. */
export function toValues(row: Row, where: string): { [column: string]: Value } {
  if (typeof row !== "object" || row === null) {
    throw new TypeError(`${where}: a row is an object from column to value`);
  }
  const values: { [column: string]: Value } = {};
  for (const column of Object.keys(row)) {
    try {
      values[column] = toValue(row[column]);
    } catch (error) {
      throw new TypeError(`${where}, column ${JSON.stringify(column)}: ${(error as Error).message}`);
    }
  }
  return values;
}

/** What toValue takes; integers come as bigint. */
export function fromValue(value: Value): RowValue {
  const held = value.value;
  if (held === undefined) return null;
  switch (held.$case) {
    case "decimal":
      return new Decimal(held.value);
    case "json":
      return JSON.parse(held.value) as RowValue;
    case "dateDays":
      return new CalendarDate(new Date(Number(held.value) * 86_400_000).toISOString()
        .replace(/T.*$/, ""));
    case "timeUs":
      return new TimeOfDay(held.value);
    case "timestampUs":
      return new Timestamp(held.value);
    case "naiveTimestampUs":
      return new NaiveTimestamp(held.value);
    default:
      return held.value;
  }
}
