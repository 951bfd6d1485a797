package tidemark

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	"tidemark.local/tidemark/internal/wire"
)

// Watch follows a sync: for w.Next() { w.Event() }; w.Err(). Confined to one goroutine.
type Watch struct {
	client *Client
	ctx    context.Context
	cancel context.CancelFunc
	syncID string
	after  uint64
	stream wire.Control_WatchSyncClient
	event  *SyncEvent
	err    error
	ended  bool
	again  retries
}

// Watch gives the events of a sync behind a position (0: from the oldest kept), then live, until it
// has ended. After a cut it goes on behind the last event; OUT_OF_RANGE (Metadata["oldest"]) when
// that is no longer kept.
func (c *Client) Watch(ctx context.Context, syncID string, afterSequence uint64) *Watch {
	ctx, cancel := context.WithCancel(c.outgoing(ctx))
	return &Watch{client: c, ctx: ctx, cancel: cancel, syncID: syncID, after: afterSequence,
		again: retries{giveUpAfter: 5 * time.Minute}}
}

// Next waits for an event; false: the sync has ended, or Err tells why there are no more.
func (w *Watch) Next() bool {
	for w.err == nil && !w.ended {
		event, err := w.receive()
		if err == nil {
			w.event, w.after = event, event.GetSequence()
			w.ended = event.GetEnded() != nil
			w.again.progressed()
			return true
		}
		w.stream = nil
		if early(err) {
			err = &Error{Code: codes.Unavailable,
				Message: "the server ended the stream before the sync's end"}
		}
		if w.ctx.Err() != nil {
			w.err = w.ctx.Err()
			break
		}
		var pause time.Duration
		if pause, w.err = w.again.pause(fromRPC(err)); w.err == nil {
			w.err = sleep(w.ctx, pause)
		}
	}
	w.cancel()
	return false
}

func (w *Watch) receive() (*SyncEvent, error) {
	if w.stream == nil {
		stream, err := w.client.control.WatchSync(w.ctx, &wire.WatchSyncRequest{SyncId: w.syncID,
			AfterSequence: w.after})
		if err != nil {
			return nil, err
		}
		w.stream = stream
	}
	return w.stream.Recv()
}

// Event is what Next has found.
func (w *Watch) Event() *SyncEvent { return w.event }

// Err is nil when the sync has ended.
func (w *Watch) Err() error { return w.err }

// Close ends the watch before the sync's end.
func (w *Watch) Close() { w.cancel() }

// Wait returns the sync once it has ended.
func (c *Client) Wait(ctx context.Context, syncID string) (*Sync, error) {
	watch := c.Watch(ctx, syncID, 0)
	defer watch.Close()
	for watch.Next() {
		if ended := watch.Event().GetEnded(); ended != nil {
			return ended, nil
		}
	}
	return nil, watch.Err()
}
