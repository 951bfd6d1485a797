package tidemark

import (
	"context"
	"math/rand"
	"time"
)

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// retries says when to try again after a cut: pauses that grow, until there was no progress for too
// long.
type retries struct {
	giveUpAfter  time.Duration
	failingSince time.Time
	next         time.Duration
}

// progressed: something was acknowledged, or a stream began and nothing waits to be.
func (r *retries) progressed() { r.failingSince, r.next = time.Time{}, 0 }

// pause is how long to wait before the next try; or err, which trying again does not mend.
func (r *retries) pause(err error) (time.Duration, error) { return r.pauseIf(isCut(err), err) }

func (r *retries) pauseIf(again bool, err error) (time.Duration, error) {
	now := time.Now()
	if r.failingSince.IsZero() {
		r.failingSince = now
	}
	if !again || now.Sub(r.failingSince) > r.giveUpAfter {
		return 0, err
	}
	if r.next == 0 {
		r.next = firstPause
	}
	random := rand.New(rand.NewSource(now.UnixNano())) // Go 1.19 seeds its own alike everywhere
	pause := r.next/2 + time.Duration(random.Int63n(int64(r.next/2)))
	if r.next *= 2; r.next > longestPause {
		r.next = longestPause
	}
	if e, ok := err.(*Error); ok && e.RetryAfter > pause {
		pause = e.RetryAfter
	}
	return pause, nil
}

// sleep returns the context's error when that ends first.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
