// The Go client against the scripted server (tests/clients/servers), whose address go_test.py gives.
package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"tidemark.local/tidemark"
)

func dial(t *testing.T) (context.Context, *tidemark.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	client, err := tidemark.Dial(ctx, os.Getenv("TIDEMARK_TEST_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return ctx, client
}

func no(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, code codes.Code, err error) *tidemark.Error {
	t.Helper()
	var e *tidemark.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%v, expected %v", err, code)
	}
	return e
}

// held is what the scripted server has of a producer.
type held struct {
	Rows    [][]any
	Durable int
	State   string
	Streams int
	Tables  [][]any
}

func pushed(ctx context.Context, t *testing.T, client *tidemark.Client, name string) held {
	t.Helper()
	text, err := client.StateExport(ctx, name)
	no(t, err)
	var h held
	no(t, json.Unmarshal([]byte(text), &h))
	return h
}

// column is the wire's kind and value of a row's column.
func column(row []any, name string) (any, any) {
	pair := row[2].(map[string]any)[name].([]any)
	return pair[0], pair[1]
}

// open begins a push of a producer that no other test has.
func open(ctx context.Context, t *testing.T, client *tidemark.Client, connection string,
	options ...tidemark.PushOption) (*tidemark.Push, string) {
	t.Helper()
	push, err := client.Push(ctx, connection, t.Name(), options...)
	no(t, err)
	t.Cleanup(push.Abort)
	return push, connection + "/" + t.Name()
}

func TestCallsPagesAndErrors(t *testing.T) {
	ctx, client := dial(t)
	applied, err := client.Apply(ctx, "name: orders\n", tidemark.DryRun())
	no(t, err)
	if applied.GetChanged() || applied.GetConnection().GetName() != "orders" {
		t.Fatal(applied)
	}
	_, err = client.Apply(ctx, "nothing")
	e := fails(t, codes.InvalidArgument, err)
	if e.Reason != "BAD_CONNECTION" || len(e.Fields) != 1 || e.Fields[0].Field != "yaml" {
		t.Fatalf("%+v", e)
	}
	connections, err := client.Connections(ctx)
	no(t, err)
	if len(connections) != 5 || connections[4].GetName() != "connection_4" {
		t.Fatal(connections)
	}
	_, err = client.StartSync(ctx, "busy")
	e = fails(t, codes.FailedPrecondition, err)
	if e.RetryAfter != 250*time.Millisecond || e.Metadata["sync_id"] != "sync_7" {
		t.Fatalf("%+v", e)
	}
	change, err := client.StateRollback(ctx, "orders", tidemark.Version(2))
	no(t, err)
	if !change.GetWritten() || change.GetMoves()[0].GetWhat() != "as 2 was" {
		t.Fatal(change)
	}
	versions, err := client.StateLog(ctx, "orders")
	no(t, err)
	states, err := client.StateShow(ctx, "orders", tidemark.At(tidemark.Version(2)))
	no(t, err)
	if len(versions) != 4 || states[0].GetVersion().GetVersion() != 2 {
		t.Fatal(versions, states)
	}
	report, err := client.Report(ctx, "orders")
	no(t, err)
	if report.GetReport().GetMetadata().GetSyncId() != "last of orders" {
		t.Fatal(report)
	}
	letters, err := client.DeadLetters(ctx, "orders", tidemark.OfTable("users"))
	no(t, err)
	if len(letters) != 1 || letters[0].GetTable() != "users" {
		t.Fatal(letters)
	}
}

func TestALostAnswerIsAskedForAgainUnderTheSameKey(t *testing.T) {
	ctx, client := dial(t)
	first, err := client.StartSync(ctx, "flaky")
	no(t, err)
	second, err := client.StartSync(ctx, "orders")
	no(t, err)
	if first.GetSyncId() == second.GetSyncId() || first.GetConnection() != "flaky" {
		t.Fatal(first, second)
	}
}

func TestAWatchGoesOnBehindItsLastEventAfterCuts(t *testing.T) {
	ctx, client := dial(t)
	watch := client.Watch(ctx, "sync_1", 0)
	var sequences []uint64
	for watch.Next() {
		sequences = append(sequences, watch.Event().GetSequence())
	}
	no(t, watch.Err())
	if !reflect.DeepEqual(sequences, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Fatal(sequences)
	}
	watch = client.Watch(ctx, "sync_old", 3)
	if watch.Next() {
		t.Fatal(watch.Event())
	}
	if e := fails(t, codes.OutOfRange, watch.Err()); e.Metadata["oldest"] != "41" {
		t.Fatalf("%+v", e)
	}
	ended, err := client.Wait(ctx, "sync_1")
	no(t, err)
	if ended.GetStatus() != tidemark.SyncCompleted {
		t.Fatal(ended)
	}
}

func TestTokenAndTLS(t *testing.T) {
	ctx, _ := dial(t)
	client, err := tidemark.Dial(ctx, os.Getenv("TIDEMARK_TEST_ADDRESS"), tidemark.WithToken("tm_a_b"))
	no(t, err)
	defer client.Close()
	server, err := client.Server(ctx)
	no(t, err)
	if server.GetPrincipal() != "Bearer tm_a_b" {
		t.Fatal(server)
	}
	address := os.Getenv("TIDEMARK_TEST_TLS_ADDRESS")
	trusting, err := tidemark.Dial(ctx, address, tidemark.WithCA(os.Getenv("TIDEMARK_TEST_CA")))
	no(t, err)
	_ = trusting.Close()
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	_, err = tidemark.Dial(short, "grpcs://"+address)
	if err == nil {
		t.Fatal("a certificate that nobody vouches for was trusted")
	}
}

func TestOtherMachinesAreNeverSpokenToInTheClear(t *testing.T) {
	ctx := context.Background()
	for address, words := range map[string]string{
		"grpc://example.org:443": "without TLS only this machine",
		"http://localhost:1":     "unknown kind of address",
		"localhost":              "there is no port",
	} {
		if _, err := tidemark.Dial(ctx, address); err == nil || !strings.Contains(err.Error(), words) {
			t.Error(address, err)
		}
	}
}

func TestEverythingIsDurableAfterFlush(t *testing.T) {
	ctx, client := dial(t)
	push, name := open(ctx, t, client, "plain")
	no(t, push.Define(tidemark.Table{Name: "orders", Columns: []tidemark.Column{
		{Name: "id", Type: "LONG", Key: true}, {Name: "total", Type: "decimal(12, 2)"}}}))
	for i := 0; i < 2500; i++ {
		no(t, push.Upsert("orders", tidemark.Row{"id": i}))
	}
	no(t, push.Update("orders", tidemark.Row{"id": 1}, tidemark.Before(tidemark.Row{"id": 0})))
	no(t, push.Delete("orders", tidemark.Row{"id": 2}))
	no(t, push.Truncate("users", tidemark.InSchema("shop")))
	if _, err := push.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	h := pushed(ctx, t, client, name)
	if len(h.Rows) != 2503 || h.Durable != 4 || h.Rows[2500][0] != "update" || len(h.Tables) != 1 {
		t.Fatal(len(h.Rows), h.Durable, h.Tables)
	}
	no(t, push.Close())
	fails(t, codes.FailedPrecondition, push.Upsert("orders", tidemark.Row{"id": 1}))
}

func TestCutsNeitherLoseNorDoubleARow(t *testing.T) {
	for _, connection := range []string{"cut-3", "cut-4"} {
		ctx, client := dial(t)
		push, name := open(ctx, t, client, connection)
		no(t, push.Define(tidemark.Table{Name: "orders", Columns: []tidemark.Column{
			{Name: "id", Key: true}}}))
		const rows = 12_000
		for i := 0; i < rows; i++ {
			no(t, push.Upsert("orders", tidemark.Row{"id": i}))
		}
		no(t, push.Checkpoint([]byte("done")))
		no(t, push.Close())
		h := pushed(ctx, t, client, name)
		if len(h.Rows) != rows || h.Streams < 4 || h.State != "done" || len(h.Tables) != 1 {
			t.Fatal(len(h.Rows), h.Streams, h.State)
		}
		for i, row := range h.Rows {
			if _, id := column(row, "id"); id != float64(i) {
				t.Fatal(i, row)
			}
		}
	}
}

func TestACutThatStaysIsAnError(t *testing.T) {
	ctx, client := dial(t)
	push, _ := open(ctx, t, client, "cut-1", tidemark.GiveUpAfter(500*time.Millisecond))
	no(t, push.Upsert("orders", tidemark.Row{"id": 1}))
	_, err := push.Flush(ctx)
	fails(t, codes.Unavailable, err)
}

func TestTheNextStreamGoesOnFromTheState(t *testing.T) {
	ctx, client := dial(t)
	push, name := open(ctx, t, client, "explicit", tidemark.ExplicitCheckpoints())
	no(t, push.Upsert("orders", tidemark.Row{"id": 1}))
	_, err := push.Flush(ctx)
	fails(t, codes.FailedPrecondition, err)
	no(t, push.Checkpoint([]byte("one")))
	if _, err := push.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	no(t, push.Upsert("orders", tidemark.Row{"id": 2})) // of no checkpoint: never durable
	push.Abort()
	push, name = open(ctx, t, client, "explicit", tidemark.ExplicitCheckpoints())
	if string(push.State()) != "one" {
		t.Fatal(string(push.State()))
	}
	no(t, push.Upsert("orders", tidemark.Row{"id": 3}))
	no(t, push.Checkpoint([]byte("two")))
	no(t, push.Close())
	if h := pushed(ctx, t, client, name); len(h.Rows) != 2 || h.State != "two" {
		t.Fatal(h)
	}
}

func TestBadRowsComeBackAndTheRestGoesOn(t *testing.T) {
	ctx, client := dial(t)
	push, name := open(ctx, t, client, "bad")
	for _, id := range []any{1, nil, 3} {
		no(t, push.Upsert("orders", tidemark.Row{"id": id, "name": "x"}))
	}
	no(t, push.Close())
	refused, count := push.RowErrors()
	if count != 1 || refused[0].Index != 1 || refused[0].Code != codes.InvalidArgument ||
		refused[0].Row["name"] != "x" {
		t.Fatalf("%+v", refused)
	}
	if h := pushed(ctx, t, client, name); len(h.Rows) != 2 {
		t.Fatal(h)
	}
}

func TestErrorsAtTheStartAndOfAnEndedContext(t *testing.T) {
	ctx, client := dial(t)
	_, err := client.Push(ctx, "denied", "p")
	fails(t, codes.PermissionDenied, err)
	busy, name := open(ctx, t, client, "busy") // asked to come back, and did
	no(t, busy.Upsert("orders", tidemark.Row{"id": 1}))
	no(t, busy.Close())
	if h := pushed(ctx, t, client, name); h.Streams != 2 {
		t.Fatal(h)
	}
	short, cancel := context.WithCancel(ctx)
	push, err := client.Push(short, "hold", t.Name())
	no(t, err)
	no(t, push.Upsert("orders", tidemark.Row{"id": 1}))
	cancel()
	if _, err := push.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	late, cancelLate := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancelLate()
	push, _ = open(ctx, t, client, "hold")
	no(t, push.Upsert("orders", tidemark.Row{"id": 1}))
	if _, err := push.Flush(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestUnacknowledgedMessagesAreBounded(t *testing.T) {
	ctx, client := dial(t)
	push, _ := open(ctx, t, client, "hold", tidemark.MaxUnacknowledgedBytes(1_000_000))
	rows := make(chan int)
	go func() {
		defer close(rows)
		text := strings.Repeat("x", 1000)
		for i := 0; push.Upsert("orders", tidemark.Row{"id": i, "text": text}) == nil; i++ {
			rows <- i
		}
	}()
	last := 0
	for quiet := false; !quiet; {
		select {
		case last = <-rows:
		case <-time.After(500 * time.Millisecond):
			quiet = true
		}
	}
	push.Abort() // the waiting call ends
	if _, more := <-rows; more || last < 500 || last > 1_500 {
		t.Fatal(last, more)
	}
}

func TestValuesHaveTheirFields(t *testing.T) {
	ctx, client := dial(t)
	push, name := open(ctx, t, client, "plain")
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	at := time.Date(1969, 12, 31, 23, 59, 59, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		value any
		kind  any
		held  any
	}{
		{nil, nil, nil}, {true, "bool", true}, {uint8(7), "int64", 7.0},
		{uint64(1) << 63, "decimal", "9223372036854775808"}, {0.5, "double", "0.5"},
		{"é", "string", "é"}, {[]byte{0, 255}, "bytes", "00ff"},
		{tidemark.Decimal("1.50"), "decimal", "1.50"},
		{huge, "decimal", "123456789012345678901234567890"},
		{tidemark.Date{Year: 1969, Month: 12, Day: 31}, "date_days", -1.0},
		{tidemark.TimeOfDay(time.Second), "time_us", 1e6},
		{at, "timestamp_us", -3601e6}, {tidemark.NaiveTime(at), "naive_timestamp_us", -1e6},
		{map[string]any{"a": 1}, "json", `{"a":1}`}, {json.RawMessage(`[1]`), "json", "[1]"},
	} {
		no(t, push.Upsert("values", tidemark.Row{"v": c.value}))
		if _, err := push.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		h := pushed(ctx, t, client, name)
		kind, value := column(h.Rows[len(h.Rows)-1], "v")
		if kind != c.kind || value != c.held {
			t.Errorf("%v: %v %v, expected %v %v", c.value, kind, value, c.kind, c.held)
		}
	}
	err := push.Upsert("values", tidemark.Row{"v": make(chan int)})
	if err == nil || !strings.Contains(err.Error(), `table values, column "v"`) {
		t.Error(err)
	}
	e := fails(t, codes.InvalidArgument, push.Upsert("values", tidemark.Row{
		"v": make([]byte, 5<<20)}))
	if e.Reason != "ROW_TOO_LARGE" {
		t.Error(e)
	}
}
