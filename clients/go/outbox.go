package tidemark

import (
	"fmt"
	"sort"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"tidemark.local/tidemark/internal/wire"
)

const (
	messageRows    = 1_000
	messageBytes   = 256 << 10
	messageTime    = 50 * time.Millisecond // how long a row waits for others
	rowBytesMax    = 4<<20 - 4096          // the server's limit of a request, less its envelope
	stateBytesMax  = 1 << 20
	defaultUnacked = 64 << 20
)

// RowError is a row that became a dead letter of the destination; the rest went on.
type RowError struct {
	Table    string
	Row      Row // as it was pushed; nil when the message is no longer kept
	Code     codes.Code
	Reason   string
	Sequence uint64 // of the message
	Index    uint32 // of the row in the message, 0 the first
}

type entryKind int

const (
	rowsEntry entryKind = iota
	tableEntry
	checkpointEntry
)

// entry is one message without its number, which is written when it is sent.
type entry struct {
	ordinal  uint64 // 1, 2, 3, ... within this program; 0: a definition sent anew
	sequence uint64 // 1, 2, 3, ... within the producer's life
	body     []byte // a PushRequest without its sequence
	kind     entryKind
	table    uint32 // number of the defined table
}

type reportedRow struct {
	ordinal uint64
	index   uint32
}

// outbox holds what a producer has sent and not yet seen durable: messages, their numbers and their
// resending. No goroutines and no sockets here; its owner's lock guards it.
type outbox struct {
	start        *wire.PushStart
	explicit     bool
	limitBytes   int
	state        []byte
	stateVersion int64
	acknowledged uint64    // ordinal
	fillingSince time.Time // zero: no row waits in the message that is being filled

	entries             []*entry
	next                int // in entries: the first that this stream has not been given
	bytes               int // of entries
	rows                []*wire.Row
	rowsBytes           int // about
	rowsSinceCheckpoint bool
	ordinal             uint64
	durable             uint64 // sequence
	highestSent         uint64 // sequence, on any stream
	began               bool
	tables              map[string]uint32
	definitions         map[uint32][]byte // of durable definitions
	reported            map[reportedRow]bool
}

func newOutbox(connection, producer string, explicit bool, limitBytes int) *outbox {
	mode := wire.CheckpointMode_CHECKPOINT_MODE_EVERY_MESSAGE
	if explicit {
		mode = wire.CheckpointMode_CHECKPOINT_MODE_EXPLICIT
	}
	return &outbox{
		start:    &wire.PushStart{Connection: connection, Producer: producer, Checkpoints: mode},
		explicit: explicit, limitBytes: limitBytes, tables: map[string]uint32{},
		definitions: map[uint32][]byte{}, reported: map[reportedRow]bool{},
	}
}

// hasRoom false: all is sealed; add nothing before something was acknowledged. An error where that
// cannot happen.
func (o *outbox) hasRoom() (bool, error) {
	if o.bytes+o.rowsBytes < o.limitBytes {
		return true, nil
	}
	// Sealing tells how many bytes they really are.
	if err := o.seal(); err != nil || o.bytes < o.limitBytes {
		return err == nil, err
	}
	if o.explicit {
		for _, e := range o.entries {
			if e.kind == checkpointEntry {
				return false, nil
			}
		}
		return false, &Error{Code: codes.ResourceExhausted, Message: fmt.Sprintf("%d bytes of rows "+
			"without a checkpoint are more than the %d that may be unacknowledged; put checkpoints "+
			"more often, or raise MaxUnacknowledgedBytes", o.bytes, o.limitBytes)}
	}
	return false, nil
}

// row adds a row to the message that is being filled, and seals it when it is full.
func (o *outbox) row(kind wire.ChangeKind, table string, row Row, options *rowOptions) error {
	where := "table " + qualified(options.schema, table)
	added := &wire.Row{Schema: options.schema, Table: table, Kind: kind,
		OnErrorContinue: options.continueOnError}
	held, size, err := values(row, where)
	if err != nil {
		return err
	}
	added.Values = held
	size += len(table) + len(options.schema) + 8
	if options.before != nil {
		before, more, err := values(options.before, where+", before")
		if err != nil {
			return err
		}
		added.Before = before
		size += more
	}
	if !options.eventTime.IsZero() {
		added.EventTimeUs = proto.Int64(options.eventTime.UnixMicro())
	}
	if size > rowBytesMax/4 && proto.Size(added) > rowBytesMax {
		return &Error{Code: codes.InvalidArgument, Reason: "ROW_TOO_LARGE", Message: fmt.Sprintf(
			"%s: a row of %d bytes; a request holds at most %d", where, proto.Size(added), rowBytesMax)}
	}
	if o.rowsBytes > 0 && o.rowsBytes+size > messageBytes {
		if err := o.seal(); err != nil {
			return err
		}
	}
	o.rows = append(o.rows, added)
	o.rowsBytes += size
	o.rowsSinceCheckpoint = true
	if o.fillingSince.IsZero() {
		o.fillingSince = time.Now()
	}
	if len(o.rows) >= messageRows || o.rowsBytes >= messageBytes {
		return o.seal()
	}
	return nil
}

func qualified(schema, table string) string {
	if schema == "" {
		return table
	}
	return schema + "." + table
}

func (o *outbox) define(table Table) error {
	message, err := table.message()
	if err != nil {
		return err
	}
	if err := o.seal(); err != nil {
		return err
	}
	name := table.Schema + "\x00" + table.Name
	index, known := o.tables[name]
	if !known {
		index = uint32(len(o.tables))
		o.tables[name] = index
	}
	return o.add(tableEntry, index, &wire.PushRequest{Request: &wire.PushRequest_Table{
		Table: &wire.TableDefinition{Index: index, Table: message}}})
}

func (o *outbox) checkpoint(state []byte) error {
	if len(state) > stateBytesMax {
		return &Error{Code: codes.InvalidArgument,
			Message: fmt.Sprintf("a state of %d bytes; at most 1 MiB", len(state))}
	}
	if err := o.seal(); err != nil {
		return err
	}
	o.rowsSinceCheckpoint = false
	return o.add(checkpointEntry, 0, &wire.PushRequest{Request: &wire.PushRequest_Checkpoint{
		Checkpoint: &wire.PushCheckpoint{State: state}}})
}

// seal: nothing is added to the message that is being filled; it may be sent.
func (o *outbox) seal() error {
	if o.fillingSince.IsZero() {
		return nil
	}
	rows := o.rows
	o.rows, o.rowsBytes, o.fillingSince = nil, 0, time.Time{}
	return o.add(rowsEntry, 0, &wire.PushRequest{Request: &wire.PushRequest_Rows{
		Rows: &wire.Rows{Rows: rows}}})
}

// flushTarget seals; the ordinal that is acknowledged once all so far is durable.
func (o *outbox) flushTarget() (uint64, error) {
	if err := o.seal(); err != nil {
		return 0, err
	}
	if o.explicit && o.rowsSinceCheckpoint {
		return 0, &Error{Code: codes.FailedPrecondition, Message: "rows after the last checkpoint " +
			"become durable with the next one only; call Checkpoint before Flush"}
	}
	return o.ordinal, nil
}

func (o *outbox) add(kind entryKind, table uint32, message *wire.PushRequest) error {
	body, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	o.ordinal++
	sequence := o.durable
	if len(o.entries) > 0 {
		sequence = o.entries[len(o.entries)-1].sequence
	}
	o.entries = append(o.entries, &entry{o.ordinal, sequence + 1, body, kind, table})
	o.bytes += len(body)
	return nil
}

// nextMessage is the next message of this stream; nil: there is none yet.
func (o *outbox) nextMessage() []byte {
	if o.next >= len(o.entries) {
		return nil
	}
	e := o.entries[o.next]
	o.next++
	if e.sequence > o.highestSent {
		o.highestSent = e.sequence
	}
	out := make([]byte, 0, len(e.body)+11)
	out = protowire.AppendTag(out, 1, protowire.VarintType)
	out = protowire.AppendVarint(out, e.sequence)
	return append(out, e.body...)
}

// started: a stream begins. What is not durable goes out again, under numbers that go on from
// there; they may change, because definitions live as long as a stream and are sent anew first.
func (o *outbox) started(started *wire.Started) error {
	durable := started.GetDurableSequence()
	if o.began && durable < o.durable {
		return &Error{Code: codes.DataLoss, Reason: "ACKNOWLEDGED_LOST", Message: fmt.Sprintf(
			"the server acknowledged message %d and knows %d of them now: its destination was set "+
				"back; push from your source's beginning", o.durable, durable)}
	}
	if o.began && durable > o.highestSent {
		return &Error{Code: codes.Aborted, Reason: "FENCED", Message: fmt.Sprintf(
			"another program pushes as producer %s of %s", o.start.Producer, o.start.Connection)}
	}
	if o.began {
		o.drop(durable)
	}
	o.began, o.durable = true, durable
	o.state, o.stateVersion = started.GetState(), started.GetStateVersion()
	numbers := make([]int, 0, len(o.definitions))
	for number := range o.definitions {
		numbers = append(numbers, int(number))
	}
	sort.Ints(numbers)
	anew := make([]*entry, 0, len(numbers)+len(o.entries))
	for _, number := range numbers {
		body := o.definitions[uint32(number)]
		anew = append(anew, &entry{0, 0, body, tableEntry, uint32(number)})
		o.bytes += len(body)
	}
	o.entries = append(anew, o.entries...)
	for i, e := range o.entries {
		e.sequence = durable + 1 + uint64(i)
	}
	o.next = 0
	return nil
}

// acknowledge: every message up to sequence is durable.
func (o *outbox) acknowledge(sequence uint64, stateVersion int64) {
	o.drop(sequence)
	if sequence > o.durable {
		o.durable = sequence
	}
	if stateVersion > o.stateVersion {
		o.stateVersion = stateVersion
	}
	for row := range o.reported {
		if row.ordinal <= o.acknowledged {
			delete(o.reported, row)
		}
	}
}

func (o *outbox) drop(sequence uint64) {
	dropped := 0
	for _, e := range o.entries {
		if e.sequence > sequence {
			break
		}
		dropped++
		o.bytes -= len(e.body)
		if e.ordinal > o.acknowledged {
			o.acknowledged = e.ordinal
		}
		switch e.kind {
		case tableEntry:
			o.definitions[e.table] = e.body
		case checkpointEntry:
			var request wire.PushRequest
			if proto.Unmarshal(e.body, &request) == nil {
				o.state = request.GetCheckpoint().GetState()
			}
		}
	}
	for i := range o.entries[:dropped] {
		o.entries[i] = nil // or their bytes stay as long as the slice
	}
	o.entries = o.entries[dropped:]
	if o.next -= dropped; o.next < 0 {
		o.next = 0
	}
}

// rowError is the row that was refused; nil when it was reported already, before a cut.
func (o *outbox) rowError(e *wire.RowError) *RowError {
	out := &RowError{Table: e.GetTable(), Code: codes.Code(e.GetCode()), Reason: e.GetReason(),
		Sequence: e.GetSequence(), Index: e.GetIndex()}
	for _, held := range o.entries {
		if held.sequence != e.GetSequence() {
			continue
		}
		key := reportedRow{held.ordinal, e.GetIndex()}
		if o.reported[key] {
			return nil
		}
		o.reported[key] = true
		var request wire.PushRequest
		if proto.Unmarshal(held.body, &request) == nil {
			if rows := request.GetRows().GetRows(); int(e.GetIndex()) < len(rows) {
				out.Row = readRow(rows[e.GetIndex()])
			}
		}
	}
	return out
}
