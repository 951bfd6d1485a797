package tidemark

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"time"
	"unicode/utf8"

	"tidemark.local/tidemark/internal/wire"
)

// Row is a row: column to value. Values are nil, bool, any integer, float32 and float64, string,
// []byte, Decimal, *big.Int, Date, TimeOfDay, time.Time (a moment), NaiveTime (a clock's reading
// without zone), json.RawMessage, map[string]any and []any (JSON).
type Row map[string]any

// Decimal is an exact number: -?[0-9]+(\.[0-9]+)?, NaN, Infinity or -Infinity.
type Decimal string

// Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// TimeOfDay is the time since midnight, to the microsecond.
type TimeOfDay time.Duration

// NaiveTime is what a clock shows, without saying where: the fields of the time, not its zone.
type NaiveTime time.Time

// value returns the wire's value and about its bytes.
func value(given any) (*wire.Value, int, error) {
	switch v := given.(type) {
	case nil:
		return &wire.Value{}, 2, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, 0, fmt.Errorf("the text is not UTF-8; give bytes as []byte")
		}
		return &wire.Value{Value: &wire.Value_String_{String_: v}}, 4 + len(v), nil
	case int:
		return integer(int64(v))
	case int64:
		return integer(v)
	case int32:
		return integer(int64(v))
	case int16:
		return integer(int64(v))
	case int8:
		return integer(int64(v))
	case uint8:
		return integer(int64(v))
	case uint16:
		return integer(int64(v))
	case uint32:
		return integer(int64(v))
	case uint:
		return unsigned(uint64(v))
	case uint64:
		return unsigned(v)
	case bool:
		return &wire.Value{Value: &wire.Value_Bool{Bool: v}}, 4, nil
	case float64:
		return &wire.Value{Value: &wire.Value_Double{Double: v}}, 11, nil
	case float32:
		return &wire.Value{Value: &wire.Value_Double{Double: float64(v)}}, 11, nil
	case []byte:
		return &wire.Value{Value: &wire.Value_Bytes{Bytes: v}}, 4 + len(v), nil
	default:
		return rareValue(given)
	}
}

func integer(v int64) (*wire.Value, int, error) {
	return &wire.Value{Value: &wire.Value_Int64{Int64: v}}, 8, nil
}

func unsigned(v uint64) (*wire.Value, int, error) {
	if v <= math.MaxInt64 {
		return integer(int64(v))
	}
	return decimal(fmt.Sprint(v))
}

func decimal(text string) (*wire.Value, int, error) {
	return &wire.Value{Value: &wire.Value_Decimal{Decimal: text}}, 4 + len(text), nil
}

func rareValue(given any) (*wire.Value, int, error) {
	switch v := given.(type) {
	case Decimal:
		return decimal(string(v))
	case *big.Int:
		return decimal(v.String())
	case time.Time:
		return &wire.Value{Value: &wire.Value_TimestampUs{TimestampUs: v.UnixMicro()}}, 11, nil
	case NaiveTime:
		t := time.Time(v)
		us := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(),
			t.Nanosecond(), time.UTC).UnixMicro()
		return &wire.Value{Value: &wire.Value_NaiveTimestampUs{NaiveTimestampUs: us}}, 11, nil
	case Date:
		seconds := time.Date(v.Year, v.Month, v.Day, 0, 0, 0, 0, time.UTC).Unix()
		return &wire.Value{Value: &wire.Value_DateDays{DateDays: seconds / 86_400}}, 6, nil
	case TimeOfDay:
		us := time.Duration(v).Microseconds()
		if us < 0 || us > 86_400_000_000 {
			return nil, 0, fmt.Errorf("%v is no time of day", time.Duration(v))
		}
		return &wire.Value{Value: &wire.Value_TimeUs{TimeUs: us}}, 8, nil
	case json.RawMessage:
		if !json.Valid(v) {
			return nil, 0, fmt.Errorf("the text is no JSON document")
		}
		return &wire.Value{Value: &wire.Value_Json{Json: string(v)}}, 4 + len(v), nil
	case map[string]any, []any:
		text, err := json.Marshal(v)
		if err != nil {
			return nil, 0, err
		}
		return &wire.Value{Value: &wire.Value_Json{Json: string(text)}}, 4 + len(text), nil
	}
	return nil, 0, fmt.Errorf("a value of type %T is none that Tidemark knows", given)
}

// values returns a row's map and about its bytes.
func values(row Row, where string) (map[string]*wire.Value, int, error) {
	out := make(map[string]*wire.Value, len(row))
	total := 0
	for name, given := range row {
		v, size, err := value(given)
		if err != nil {
			return nil, 0, fmt.Errorf("%s, column %q: %w", where, name, err)
		}
		out[name] = v
		total += size + len(name) + 8
	}
	return out, total, nil
}

// readValue is the Go value of a wire's value: what value takes.
func readValue(v *wire.Value) any {
	switch held := v.GetValue().(type) {
	case *wire.Value_Bool:
		return held.Bool
	case *wire.Value_Int64:
		return held.Int64
	case *wire.Value_Double:
		return held.Double
	case *wire.Value_Decimal:
		return Decimal(held.Decimal)
	case *wire.Value_String_:
		return held.String_
	case *wire.Value_Bytes:
		return held.Bytes
	case *wire.Value_Json:
		return json.RawMessage(held.Json)
	case *wire.Value_DateDays:
		t := time.Unix(held.DateDays*86_400, 0).UTC()
		return Date{t.Year(), t.Month(), t.Day()}
	case *wire.Value_TimeUs:
		return TimeOfDay(time.Duration(held.TimeUs) * time.Microsecond)
	case *wire.Value_TimestampUs:
		return time.UnixMicro(held.TimestampUs).UTC()
	case *wire.Value_NaiveTimestampUs:
		return NaiveTime(time.UnixMicro(held.NaiveTimestampUs).UTC())
	}
	return nil
}

func readRow(row *wire.Row) Row {
	out := make(Row, len(row.GetValues()))
	for name, v := range row.GetValues() {
		out[name] = readValue(v)
	}
	return out
}
