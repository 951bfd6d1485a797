/** Tables as producers declare them. */
import { DataType, Table as TableMessage } from "./wire/tidemark/v1/connector";

export interface Column {
  readonly name: string;
  /** "LONG", "DECIMAL(12,2)", ...; left out: found from the values. */
  readonly type?: string;
  /** Part of the primary key. */
  readonly key?: boolean;
  /** The table's high-water mark. */
  readonly cursor?: boolean;
  /** Values appear in no log and no dead letter. */
  readonly sensitive?: boolean;
}

/** A declared table. Columns that are not declared may come in rows nevertheless. */
export interface Table {
  readonly schema?: string;
  readonly name: string;
  readonly columns: readonly Column[];
}

const FORM = /^([A-Z_]+)(?:\((\d+)(?:, *(\d+))?\))?$/;

function typed(text: string, where: string): { type: DataType; precision: number; scale: number } {
  const match = FORM.exec(text.toUpperCase());
  const type = match ? (DataType as unknown as Record<string, DataType>)[match[1]!] : undefined;
  if (text === "") return { type: DataType.UNDECLARED, precision: 0, scale: 0 };
  if (!match || type === undefined || type === DataType.UNDECLARED) {
    throw new TypeError(`${where}: ${JSON.stringify(text)} is no type`);
  }
  if (match[2] !== undefined && type !== DataType.DECIMAL) {
    throw new TypeError(`${where}: only DECIMAL takes numbers, not ${text}`);
  }
  return { type, precision: Number(match[2] ?? 0), scale: Number(match[3] ?? 0) };
}

export function tableMessage(table: Table): TableMessage {
  if (!table.name) throw new TypeError("a table needs a name");
  return {
    schema: table.schema ?? "",
    name: table.name,
    reads: 0,
    columns: table.columns.map((column) => ({
      name: column.name,
      key: column.key ?? false,
      cursor: column.cursor ?? false,
      sensitive: column.sensitive ?? false,
      ...typed(column.type ?? "", `table ${table.name}, column ${column.name}`),
    })),
  };
}
