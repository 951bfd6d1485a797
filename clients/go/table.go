package tidemark

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tidemark.local/tidemark/internal/wire"
)

// Column is a column of a declared table.
type Column struct {
	Name      string
	Type      string // "LONG", "DECIMAL(12,2)", ...; empty: found from the values
	Key       bool   // part of the primary key
	Cursor    bool   // the table's high-water mark
	Sensitive bool   // values appear in no log and no dead letter
}

// Table is a declared table. Columns that are not declared may come in rows nevertheless.
type Table struct {
	Schema  string // may be empty
	Name    string
	Columns []Column
}

var typeForm = regexp.MustCompile(`^([A-Z_]+)(?:\((\d+)(?:, *(\d+))?\))?$`)

func (t Table) message() (*wire.Table, error) {
	if t.Name == "" {
		return nil, fmt.Errorf("a table needs a name")
	}
	message := &wire.Table{Schema: t.Schema, Name: t.Name}
	for _, c := range t.Columns {
		column := &wire.Column{Name: c.Name, Key: c.Key, Cursor: c.Cursor, Sensitive: c.Sensitive}
		if err := setType(column, c.Type); err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", t.Name, c.Name, err)
		}
		message.Columns = append(message.Columns, column)
	}
	return message, nil
}

func setType(column *wire.Column, text string) error {
	if text == "" {
		return nil
	}
	parts := typeForm.FindStringSubmatch(strings.ToUpper(text))
	if parts == nil || wire.DataType_value["DATA_TYPE_"+parts[1]] == 0 {
		return fmt.Errorf("%q is no type", text)
	}
	column.Type = wire.DataType(wire.DataType_value["DATA_TYPE_"+parts[1]])
	if parts[2] == "" {
		return nil
	}
	if column.Type != wire.DataType_DATA_TYPE_DECIMAL {
		return fmt.Errorf("only DECIMAL takes numbers, not %q", text)
	}
	precision, err := strconv.ParseInt(parts[2], 10, 32)
	if err != nil {
		return err
	}
	scale := int64(0)
	if parts[3] != "" {
		if scale, err = strconv.ParseInt(parts[3], 10, 32); err != nil {
			return err
		}
	}
	column.Precision, column.Scale = int32(precision), int32(scale)
	return nil
}
