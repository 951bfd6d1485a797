package tidemark

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tidemark.local/tidemark/internal/wire"
)

// The messages that calls answer with; proto/tidemark/v1/control.proto says what they hold.
type (
	ApplyResponse    = wire.ApplyConnectionResponse
	CheckResponse    = wire.CheckConnectionResponse
	ConnectionRecord = wire.ConnectionRecord
	DeadLetter       = wire.StoredLetter
	PlanResponse     = wire.PlanConnectionResponse
	Plugin           = wire.Plugin
	Report           = wire.GetReportResponse
	Server           = wire.Server
	SourceTable      = wire.SourceTable
	StateBody        = wire.StateBody
	StateChange      = wire.StateChange
	StateVersion     = wire.StateVersionRecord
	Sync             = wire.Sync
	SyncEvent        = wire.SyncEvent
	SyncStatus       = wire.SyncStatus
	VerifyResult     = wire.VerifyResult
)

// How a sync stands.
const (
	SyncQueued    = wire.SyncStatus_SYNC_STATUS_QUEUED
	SyncRunning   = wire.SyncStatus_SYNC_STATUS_RUNNING
	SyncCompleted = wire.SyncStatus_SYNC_STATUS_COMPLETED
	SyncPartial   = wire.SyncStatus_SYNC_STATUS_PARTIAL
	SyncFailed    = wire.SyncStatus_SYNC_STATUS_FAILED
)

const pageSize = 1_000

func newKey() string {
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		panic(err) // the system has no randomness
	}
	return hex.EncodeToString(key[:])
}

// CallOption changes one call; each says for which calls it is.
type CallOption func(*callOptions)

type callOptions struct {
	dryRun          bool
	expectedVersion uint64
	full, now       bool
	tables          []string
	since           *timestamppb.Timestamp
	entry           *string
	at              *wire.HistoryPoint
	table, status   string
	repair          bool
}

func gather(options []CallOption) *callOptions {
	var o callOptions
	for _, option := range options {
		option(&o)
	}
	return &o
}

// DryRun shows what would change and writes nothing: Apply, StateRollback, StateReset.
func DryRun() CallOption { return func(o *callOptions) { o.dryRun = true } }

// ExpectedVersion is the version that is replaced; another one is ABORTED: Apply, Delete.
func ExpectedVersion(v uint64) CallOption { return func(o *callOptions) { o.expectedVersion = v } }

// Full reads every table from its beginning: StartSync.
func Full() CallOption { return func(o *callOptions) { o.full = true } }

// Tables restricts to names or globs: StartSync, Verify.
func Tables(names ...string) CallOption { return func(o *callOptions) { o.tables = names } }

// Since asks only for changes since then: StartSync.
func Since(t time.Time) CallOption { return func(o *callOptions) { o.since = timestamppb.New(t) } }

// Now does not wait for the open commit group: StopSync.
func Now() CallOption { return func(o *callOptions) { o.now = true } }

// Entry is "" for the state of the whole connection, or a table: the calls of state.
func Entry(entry string) CallOption { return func(o *callOptions) { o.entry = &entry } }

// At is a point of the history: StateShow.
func At(point Point) CallOption { return func(o *callOptions) { o.at = point.point } }

// OfTable and WithStatus ("new", "replayed", "discarded") filter: DeadLetters.
func OfTable(table string) CallOption { return func(o *callOptions) { o.table = table } }

// WithStatus filters: DeadLetters.
func WithStatus(status string) CallOption { return func(o *callOptions) { o.status = status } }

// Repair makes a sync of just the differences: Verify.
func Repair() CallOption { return func(o *callOptions) { o.repair = true } }

// Point is a point of a state's history.
type Point struct{ point *wire.HistoryPoint }

// Version is the point of a version.
func Version(v int64) Point {
	return Point{&wire.HistoryPoint{Point: &wire.HistoryPoint_Version{Version: v}}}
}

// AfterSync is the point after a sync.
func AfterSync(syncID string) Point {
	return Point{&wire.HistoryPoint{Point: &wire.HistoryPoint_SyncId{SyncId: syncID}}}
}

// Time is the point of a time.
func Time(t time.Time) Point {
	return Point{&wire.HistoryPoint{Point: &wire.HistoryPoint_Time{Time: timestamppb.New(t)}}}
}

// Server tells version, limits, and who the caller is to it.
func (c *Client) Server(ctx context.Context) (*Server, error) {
	return repeat(ctx, c, func(ctx context.Context) (*Server, error) {
		return c.control.GetServer(ctx, &wire.GetServerRequest{})
	})
}

// Apply creates or replaces a connection: the text of a connection file. DryRun, ExpectedVersion.
func (c *Client) Apply(ctx context.Context, yaml string,
	options ...CallOption) (*ApplyResponse, error) {
	o := gather(options)
	request := &wire.ApplyConnectionRequest{Yaml: yaml, DryRun: o.dryRun,
		ExpectedVersion: o.expectedVersion, IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*ApplyResponse, error) {
		return c.control.ApplyConnection(ctx, request)
	})
}

// Connections are sorted by name.
func (c *Client) Connections(ctx context.Context) ([]*ConnectionRecord, error) {
	return pages(ctx, c, func(ctx context.Context, token string) ([]*ConnectionRecord, string,
		error) {
		page, err := c.control.ListConnections(ctx, &wire.ListConnectionsRequest{
			PageSize: pageSize, PageToken: token})
		return page.GetConnections(), page.GetNextPageToken(), err
	})
}

// Connection is one connection.
func (c *Client) Connection(ctx context.Context, name string) (*ConnectionRecord, error) {
	return repeat(ctx, c, func(ctx context.Context) (*ConnectionRecord, error) {
		return c.control.GetConnection(ctx, &wire.GetConnectionRequest{Name: name})
	})
}

// Delete forgets a connection; destination, state and reports stay. ExpectedVersion.
func (c *Client) Delete(ctx context.Context, name string, options ...CallOption) error {
	request := &wire.DeleteConnectionRequest{Name: name, IdempotencyKey: newKey(),
		ExpectedVersion: gather(options).expectedVersion}
	_, err := repeat(ctx, c, func(ctx context.Context) (*wire.DeleteConnectionResponse, error) {
		return c.control.DeleteConnection(ctx, request)
	})
	return err
}

// Pause: no sync begins by schedule until it is resumed.
func (c *Client) Pause(ctx context.Context, name string) (*ConnectionRecord, error) {
	request := &wire.PauseConnectionRequest{Name: name, IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*ConnectionRecord, error) {
		return c.control.PauseConnection(ctx, request)
	})
}

// Resume also closes the circuit breaker.
func (c *Client) Resume(ctx context.Context, name string) (*ConnectionRecord, error) {
	request := &wire.ResumeConnectionRequest{Name: name, IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*ConnectionRecord, error) {
		return c.control.ResumeConnection(ctx, request)
	})
}

// Check tries the configuration against source and destination.
func (c *Client) Check(ctx context.Context, name string) (*CheckResponse, error) {
	return repeat(ctx, c, func(ctx context.Context) (*CheckResponse, error) {
		return c.control.CheckConnection(ctx, &wire.CheckConnectionRequest{Name: name})
	})
}

// Plan is what the next sync would change at the destination.
func (c *Client) Plan(ctx context.Context, name string) (*PlanResponse, error) {
	return repeat(ctx, c, func(ctx context.Context) (*PlanResponse, error) {
		return c.control.PlanConnection(ctx, &wire.PlanConnectionRequest{Name: name})
	})
}

// SourceTables are the tables the source offers.
func (c *Client) SourceTables(ctx context.Context, name string) ([]*SourceTable, error) {
	answer, err := repeat(ctx, c, func(ctx context.Context) (*wire.ListTablesResponse, error) {
		return c.control.ListTables(ctx, &wire.ListTablesRequest{Connection: name})
	})
	return answer.GetTables(), err
}

// Plugins are sorted by id.
func (c *Client) Plugins(ctx context.Context) ([]*Plugin, error) {
	return pages(ctx, c, func(ctx context.Context, token string) ([]*Plugin, string, error) {
		page, err := c.control.ListPlugins(ctx, &wire.ListPluginsRequest{
			PageSize: pageSize, PageToken: token})
		return page.GetPlugins(), page.GetNextPageToken(), err
	})
}

// StartSync begins a sync now, or queues it behind the server's limit. Full, Tables, Since.
func (c *Client) StartSync(ctx context.Context, connection string,
	options ...CallOption) (*Sync, error) {
	o := gather(options)
	request := &wire.StartSyncRequest{Connection: connection, Full: o.full, Tables: o.tables,
		Since: o.since, IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*Sync, error) {
		return c.control.StartSync(ctx, request)
	})
}

// StopSync ends a sync after its open commit group, or at once: Now.
func (c *Client) StopSync(ctx context.Context, syncID string, options ...CallOption) (*Sync, error) {
	request := &wire.StopSyncRequest{SyncId: syncID, Now: gather(options).now,
		IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*Sync, error) {
		return c.control.StopSync(ctx, request)
	})
}

// Sync is one sync as it is.
func (c *Client) Sync(ctx context.Context, syncID string) (*Sync, error) {
	return repeat(ctx, c, func(ctx context.Context) (*Sync, error) {
		return c.control.GetSync(ctx, &wire.GetSyncRequest{SyncId: syncID})
	})
}

// Syncs are those of a connection ("": of every one), newest first, at most `limit` (0: all).
func (c *Client) Syncs(ctx context.Context, connection string, limit int) ([]*Sync, error) {
	var syncs []*Sync
	for token := ""; ; {
		request := &wire.ListSyncsRequest{Connection: connection, PageSize: pageSize,
			PageToken: token}
		page, err := repeat(ctx, c, func(ctx context.Context) (*wire.ListSyncsResponse, error) {
			return c.control.ListSyncs(ctx, request)
		})
		if err != nil {
			return nil, err
		}
		syncs = append(syncs, page.GetSyncs()...)
		if limit > 0 && len(syncs) >= limit {
			return syncs[:limit], nil
		}
		if token = page.GetNextPageToken(); token == "" {
			return syncs, nil
		}
	}
}

// Report is the Sync Status Report of the last ended sync of a connection.
func (c *Client) Report(ctx context.Context, connection string) (*Report, error) {
	return repeat(ctx, c, func(ctx context.Context) (*Report, error) {
		return c.control.GetReport(ctx, &wire.GetReportRequest{Connection: connection})
	})
}

// ReportOf is the Sync Status Report of a sync.
func (c *Client) ReportOf(ctx context.Context, syncID string) (*Report, error) {
	return repeat(ctx, c, func(ctx context.Context) (*Report, error) {
		return c.control.GetReport(ctx, &wire.GetReportRequest{SyncId: syncID})
	})
}

// StateLog is the history, newest version first. Entry.
func (c *Client) StateLog(ctx context.Context, connection string,
	options ...CallOption) ([]*StateVersion, error) {
	o := gather(options)
	return pages(ctx, c, func(ctx context.Context, token string) ([]*StateVersion, string, error) {
		page, err := c.control.ListStateVersions(ctx, &wire.ListStateVersionsRequest{
			Connection: connection, Entry: o.entry, PageSize: pageSize, PageToken: token})
		return page.GetVersions(), page.GetNextPageToken(), err
	})
}

// StateShow is the states with their bodies, now or at a point of the history. Entry, At.
func (c *Client) StateShow(ctx context.Context, connection string,
	options ...CallOption) ([]*StateBody, error) {
	o := gather(options)
	answer, err := repeat(ctx, c, func(ctx context.Context) (*wire.GetStateResponse, error) {
		return c.control.GetState(ctx, &wire.GetStateRequest{Connection: connection,
			Entry: o.entry, At: o.at})
	})
	return answer.GetStates(), err
}

// StateRollback goes back to a point by a new version; none is removed. Entry, DryRun.
func (c *Client) StateRollback(ctx context.Context, connection string, to Point,
	options ...CallOption) (*StateChange, error) {
	o := gather(options)
	request := &wire.RollbackStateRequest{Connection: connection, Entry: o.entry, To: to.point,
		DryRun: o.dryRun, IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*StateChange, error) {
		return c.control.RollbackState(ctx, request)
	})
}

// StateReset begins again from nothing at the next sync. Entry, DryRun.
func (c *Client) StateReset(ctx context.Context, connection string,
	options ...CallOption) (*StateChange, error) {
	o := gather(options)
	request := &wire.ResetStateRequest{Connection: connection, Entry: o.entry, DryRun: o.dryRun,
		IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*StateChange, error) {
		return c.control.ResetState(ctx, request)
	})
}

// StateExport is the JSON text of `tidemark state export`.
func (c *Client) StateExport(ctx context.Context, connection string) (string, error) {
	answer, err := repeat(ctx, c, func(ctx context.Context) (*wire.ExportStateResponse, error) {
		return c.control.ExportState(ctx, &wire.ExportStateRequest{Connection: connection})
	})
	return answer.GetJson(), err
}

// DeadLetters are rows that could not be written, oldest first. OfTable, WithStatus.
func (c *Client) DeadLetters(ctx context.Context, connection string,
	options ...CallOption) ([]*DeadLetter, error) {
	o := gather(options)
	return pages(ctx, c, func(ctx context.Context, token string) ([]*DeadLetter, string, error) {
		page, err := c.control.ListDeadLetters(ctx, &wire.ListDeadLettersRequest{
			Connection: connection, Table: o.table, Status: o.status, PageSize: pageSize,
			PageToken: token})
		return page.GetLetters(), page.GetNextPageToken(), err
	})
}

// ReplayDeadLetters is a sync of its own and waits for its end; no ids: every letter that is new.
func (c *Client) ReplayDeadLetters(ctx context.Context, connection string,
	ids ...int64) (*wire.ReplayDeadLettersResponse, error) {
	request := &wire.ReplayDeadLettersRequest{Connection: connection, Ids: ids,
		IdempotencyKey: newKey()}
	return repeat(ctx, c, func(ctx context.Context) (*wire.ReplayDeadLettersResponse, error) {
		return c.control.ReplayDeadLetters(ctx, request)
	})
}

// DiscardDeadLetters tells how many were discarded.
func (c *Client) DiscardDeadLetters(ctx context.Context, connection string,
	ids ...int64) (uint32, error) {
	request := &wire.DiscardDeadLettersRequest{Connection: connection, Ids: ids,
		IdempotencyKey: newKey()}
	answer, err := repeat(ctx, c,
		func(ctx context.Context) (*wire.DiscardDeadLettersResponse, error) {
			return c.control.DiscardDeadLetters(ctx, request)
		})
	return answer.GetDiscarded(), err
}

// Verify compares source and destination; the context is its only deadline. Tables, Repair.
func (c *Client) Verify(ctx context.Context, connection string,
	options ...CallOption) (*VerifyResult, error) {
	o := gather(options)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.control.Verify(c.outgoing(ctx), &wire.VerifyRequest{Connection: connection,
		Tables: o.tables, Repair: o.repair})
	for err == nil {
		var response *wire.VerifyResponse
		if response, err = stream.Recv(); err == nil && response.GetResult() != nil {
			return response.GetResult(), nil
		}
	}
	if early(err) {
		return nil, &Error{Code: codes.Internal,
			Message: "the server ended Verify without a result"}
	}
	return nil, fromRPC(err)
}

type page[T any] struct {
	entries []T
	next    string
}

// pages reads a list to its last page.
func pages[T any](ctx context.Context, c *Client,
	get func(context.Context, string) ([]T, string, error)) ([]T, error) {
	var all []T
	for token := ""; ; {
		got, err := repeat(ctx, c, func(ctx context.Context) (page[T], error) {
			entries, next, err := get(ctx, token)
			return page[T]{entries, next}, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, got.entries...)
		if token = got.next; token == "" {
			return all, nil
		}
	}
}
