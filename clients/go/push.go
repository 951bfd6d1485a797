package tidemark

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tidemark.local/tidemark/internal/wire"
)

const rowErrorsKept = 1_000

// PushOption changes how changes are pushed.
type PushOption func(*pushOptions)

type pushOptions struct {
	explicit    bool
	limitBytes  int
	giveUpAfter time.Duration
	onRowError  func(RowError)
	onWarning   func(table, text string)
}

// ExplicitCheckpoints: rows between two checkpoints appear together or not at all.
func ExplicitCheckpoints() PushOption { return func(o *pushOptions) { o.explicit = true } }

// MaxUnacknowledgedBytes: calls block while more is sent and not durable. Default: 64 MiB.
func MaxUnacknowledgedBytes(n int) PushOption { return func(o *pushOptions) { o.limitBytes = n } }

// GiveUpAfter: a cut is an error after this long without progress. Default: five minutes.
func GiveUpAfter(d time.Duration) PushOption { return func(o *pushOptions) { o.giveUpAfter = d } }

// OnRowError takes the rows that became dead letters, on a goroutine of the push; it must not push.
func OnRowError(f func(RowError)) PushOption { return func(o *pushOptions) { o.onRowError = f } }

// OnWarning takes the server's warnings; the table may be empty.
func OnWarning(f func(table, text string)) PushOption {
	return func(o *pushOptions) { o.onWarning = f }
}

// RowOption says more about one row.
type RowOption func(*rowOptions)

type rowOptions struct {
	schema          string
	before          Row
	continueOnError bool
	eventTime       time.Time
}

// InSchema names the table's schema.
func InSchema(schema string) RowOption { return func(o *rowOptions) { o.schema = schema } }

// Before is the old key of a row whose key changes.
func Before(key Row) RowOption { return func(o *rowOptions) { o.before = key } }

// ContinueOnError makes a bad row a dead letter whatever the table's on_error says.
func ContinueOnError() RowOption { return func(o *rowOptions) { o.continueOnError = true } }

// EventTime is when the change happened at its source.
func EventTime(t time.Time) RowOption { return func(o *rowOptions) { o.eventTime = t } }

// Push is a producer's stream of changes, resumed by itself. Rows are durable when Flush or Close
// has returned nil. Safe for several goroutines; rows come in the order of the calls.
type Push struct {
	client   *Client
	options  pushOptions
	ctx      context.Context
	cancel   context.CancelFunc
	finished chan struct{}

	mutex     sync.Mutex
	changed   *sync.Cond
	outbox    *outbox
	retries   retries
	failure   error
	began     bool // a first stream has begun
	closing   bool // half-close after the last message
	done      bool
	rowErrors []RowError
	refused   int
}

// Push opens a stream of changes into a connection; ctx is its life. The server's first answer has
// come when it returns.
func (c *Client) Push(ctx context.Context, connection, producer string,
	options ...PushOption) (*Push, error) {
	p := &Push{client: c, finished: make(chan struct{}), options: pushOptions{
		limitBytes: defaultUnacked, giveUpAfter: 5 * time.Minute}}
	for _, option := range options {
		option(&p.options)
	}
	p.changed = sync.NewCond(&p.mutex)
	p.outbox = newOutbox(connection, producer, p.options.explicit, p.options.limitBytes)
	p.retries.giveUpAfter = p.options.giveUpAfter
	p.ctx, p.cancel = context.WithCancel(ctx)
	go p.run()
	go p.wakeAt(p.ctx)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for !p.began && !p.done {
		p.changed.Wait()
	}
	if p.failure != nil {
		p.cancel()
		return nil, p.failure
	}
	return p, nil
}

// wakeAt wakes whoever waits when the context ends.
func (p *Push) wakeAt(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-p.finished:
	}
	p.mutex.Lock()
	p.changed.Broadcast()
	p.mutex.Unlock()
}

// Upsert: a full row; a column that is not given becomes NULL.
func (p *Push) Upsert(table string, row Row, options ...RowOption) error {
	return p.row(wire.ChangeKind_CHANGE_KIND_UPSERT, table, row, options)
}

// Update: the key and the changed columns; Before(key) where the key changes.
func (p *Push) Update(table string, row Row, options ...RowOption) error {
	return p.row(wire.ChangeKind_CHANGE_KIND_UPDATE, table, row, options)
}

// Delete: the row with this key.
func (p *Push) Delete(table string, key Row, options ...RowOption) error {
	return p.row(wire.ChangeKind_CHANGE_KIND_DELETE, table, key, options)
}

// Truncate: rows of the table that are not written again are deleted.
func (p *Push) Truncate(table string, options ...RowOption) error {
	return p.row(wire.ChangeKind_CHANGE_KIND_TRUNCATE, table, nil, options)
}

// Define declares a table, or adds columns to it. Rows need no definition; keys and types do.
func (p *Push) Define(table Table) error {
	return p.locked(func() error { return p.outbox.define(table) })
}

// Checkpoint: everything before may be committed with this state, which the next stream is given.
func (p *Push) Checkpoint(state []byte) error {
	return p.locked(func() error { return p.outbox.checkpoint(state) })
}

// Flush waits until all so far is durable; the state version that says so.
func (p *Push) Flush(ctx context.Context) (int64, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.check(); err != nil {
		return 0, err
	}
	target, err := p.outbox.flushTarget()
	if err != nil {
		return 0, err
	}
	p.changed.Broadcast()
	waiting := make(chan struct{})
	defer close(waiting)
	go func() {
		select {
		case <-ctx.Done():
			p.mutex.Lock()
			p.changed.Broadcast()
			p.mutex.Unlock()
		case <-waiting:
		}
	}()
	for p.outbox.acknowledged < target {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		p.changed.Wait()
		if err := p.check(); err != nil {
			return 0, err
		}
	}
	return p.outbox.stateVersion, nil
}

// Close sends what is left, waits until all is durable, and ends the stream.
func (p *Push) Close() error {
	p.mutex.Lock()
	if p.failure == nil && !p.closing {
		if err := p.outbox.seal(); err != nil {
			p.mutex.Unlock()
			return err
		}
	}
	p.closing = true
	p.changed.Broadcast()
	for !p.done {
		p.changed.Wait()
	}
	failure := p.failure
	p.mutex.Unlock()
	p.cancel()
	<-p.finished
	return failure
}

// Abort ends the stream at once: what is not acknowledged may or may not be durable.
func (p *Push) Abort() {
	p.cancel()
	<-p.finished
}

// State is that of the last durable checkpoint; empty: none yet.
func (p *Push) State() []byte {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.outbox.state
}

// StateVersion is the newest one that was acknowledged; 0: none yet.
func (p *Push) StateVersion() int64 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.outbox.stateVersion
}

// RowErrors are the first 1,000 rows that became dead letters, and how many there were in all; none
// with OnRowError.
func (p *Push) RowErrors() ([]RowError, int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]RowError(nil), p.rowErrors...), p.refused
}

func (p *Push) row(kind wire.ChangeKind, table string, row Row, options []RowOption) error {
	var o rowOptions
	for _, option := range options {
		option(&o)
	}
	return p.locked(func() error { return p.outbox.row(kind, table, row, &o) })
}

// locked waits for room, adds something and wakes the sender where there is something to do.
func (p *Push) locked(add func() error) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.check(); err != nil {
		return err
	}
	for {
		room, err := p.outbox.hasRoom()
		if err != nil {
			return err
		}
		if room {
			break
		}
		p.changed.Broadcast()
		p.changed.Wait()
		if err := p.check(); err != nil {
			return err
		}
	}
	waiting, filling := len(p.outbox.entries), !p.outbox.fillingSince.IsZero()
	err := add()
	if !filling || len(p.outbox.entries) != waiting {
		p.changed.Broadcast()
	}
	return err
}

func (p *Push) check() error {
	if p.failure != nil {
		return p.failure
	}
	if p.closing || p.done {
		return &Error{Code: codes.FailedPrecondition, Message: "the push is closed"}
	}
	return p.ctx.Err()
}

// run is the goroutine that reads, stream after stream.
func (p *Push) run() {
	defer close(p.finished)
	var err error
	for done := false; !done && err == nil; {
		done, err = p.stream()
	}
	p.mutex.Lock()
	p.failure, p.done = err, true
	p.changed.Broadcast()
	p.mutex.Unlock()
}

// stream is one call; true once there is nothing more to do.
func (p *Push) stream() (bool, error) {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	err := p.call(ctx, cancel)
	if p.ctx.Err() != nil {
		return true, p.ctx.Err()
	}
	p.mutex.Lock()
	if p.closing && p.began && len(p.outbox.entries) == 0 {
		p.mutex.Unlock()
		return true, nil
	}
	pause, err := p.retries.pause(err)
	p.mutex.Unlock()
	if err != nil {
		return true, err
	}
	return false, sleep(p.ctx, pause)
}

// call runs one call to its end, which is never nil: even an end in order is one that came early
// where something is left to do.
func (p *Push) call(ctx context.Context, cancel context.CancelFunc) error {
	stream, err := p.client.connection.NewStream(p.client.outgoing(ctx),
		&wire.Ingest_ServiceDesc.Streams[0], wire.Ingest_Push_FullMethodName,
		grpc.ForceCodec(encodedCodec{}))
	if err != nil {
		return fromRPC(err)
	}
	begun := make(chan struct{})
	sent := make(chan struct{})
	ended := false // under the mutex
	go func() {
		defer close(sent)
		p.send(stream, begun, &ended)
	}()
	defer func() {
		cancel()
		p.mutex.Lock()
		ended = true
		p.changed.Broadcast()
		p.mutex.Unlock()
		<-sent
	}()
	for {
		var response wire.PushResponse
		if err := stream.RecvMsg(&response); err != nil {
			if early(err) {
				return &Error{Code: codes.Unavailable,
					Message: "the server ended the stream before its end"}
			}
			return fromRPC(err)
		}
		if err := p.take(&response, begun); err != nil {
			return err
		}
	}
}

func (p *Push) take(response *wire.PushResponse, begun chan struct{}) error {
	p.mutex.Lock()
	switch r := response.GetResponse().(type) {
	case *wire.PushResponse_RowError:
		refused := p.outbox.rowError(r.RowError)
		if refused == nil || p.options.onRowError == nil {
			p.keep(refused)
			p.mutex.Unlock()
			return nil
		}
		p.mutex.Unlock()
		p.options.onRowError(*refused)
		return nil
	case *wire.PushResponse_Warning:
		p.mutex.Unlock()
		if p.options.onWarning != nil {
			p.options.onWarning(r.Warning.GetTable(), r.Warning.GetText())
		}
		return nil
	}
	defer p.mutex.Unlock()
	defer p.changed.Broadcast()
	switch r := response.GetResponse().(type) {
	case *wire.PushResponse_Started:
		if err := p.outbox.started(r.Started); err != nil {
			return err
		}
		p.began = true
		select {
		case <-begun: // a second Started changes nothing
		default:
			close(begun)
		}
		if len(p.outbox.entries) > 0 {
			return nil // a stream that is cut again and again is no progress
		}
	case *wire.PushResponse_Acknowledged:
		p.outbox.acknowledge(r.Acknowledged.GetSequence(), r.Acknowledged.GetStateVersion())
	case *wire.PushResponse_Ended:
		p.outbox.acknowledge(r.Ended.GetDurableSequence(), r.Ended.GetStateVersion())
	}
	p.retries.progressed()
	return nil
}

func (p *Push) keep(refused *RowError) {
	if refused == nil {
		return
	}
	p.refused++
	if len(p.rowErrors) < rowErrorsKept {
		p.rowErrors = append(p.rowErrors, *refused)
	}
}

// send is the goroutine that writes one stream. Its errors are those that the reader gets.
func (p *Push) send(stream grpc.ClientStream, begun chan struct{}, ended *bool) {
	start, err := proto.Marshal(&wire.PushRequest{Request: &wire.PushRequest_Start{
		Start: p.outbox.start}})
	if err != nil || stream.SendMsg(encoded(start)) != nil {
		return
	}
	select {
	case <-begun:
	case <-stream.Context().Done():
		return
	}
	for {
		message, closeIt := p.nextMessage(ended)
		if closeIt {
			_ = stream.CloseSend()
			return
		}
		if message == nil || stream.SendMsg(encoded(message)) != nil {
			return
		}
	}
}

// nextMessage waits for a message. nil: the stream has ended, or (true) is to be half-closed.
func (p *Push) nextMessage(ended *bool) ([]byte, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for !*ended && p.ctx.Err() == nil {
		if message := p.outbox.nextMessage(); message != nil {
			return message, false
		}
		if !p.outbox.fillingSince.IsZero() {
			left := time.Until(p.outbox.fillingSince.Add(messageTime))
			if left <= 0 {
				if p.outbox.seal() != nil {
					return nil, false
				}
				continue
			}
			timer := time.AfterFunc(left, func() {
				p.mutex.Lock()
				p.changed.Broadcast()
				p.mutex.Unlock()
			})
			p.changed.Wait()
			timer.Stop()
			continue
		}
		if p.closing {
			return nil, true
		}
		p.changed.Wait()
	}
	return nil, false
}

// encoded is a message that is bytes already, so that what is kept is what is counted.
type encoded []byte

type encodedCodec struct{}

func (encodedCodec) Name() string { return "proto" }

func (encodedCodec) Marshal(v any) ([]byte, error) {
	if bytes, ok := v.(encoded); ok {
		return bytes, nil
	}
	return nil, fmt.Errorf("%T is no encoded message", v)
}

func (encodedCodec) Unmarshal(bytes []byte, v any) error {
	message, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", v)
	}
	return proto.Unmarshal(bytes, message)
}
