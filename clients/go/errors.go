package tidemark

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FieldViolation is one field of a request that is wrong.
type FieldViolation struct {
	Field       string // a path in the request: "connection.yaml"
	Description string
}

// Error is a call that failed: errors.As(err, &e) finds it.
type Error struct {
	Code       codes.Code
	Message    string
	Reason     string            // why, for programs: "CONNECTION_BUSY"; may be empty
	Fields     []FieldViolation  // what is wrong in the request
	RetryAfter time.Duration     // 0: nothing was said
	Metadata   map[string]string // of the reason: {"expected": "17"}
}

func (e *Error) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("%s (%s): %s", e.Code, e.Reason, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// GRPCStatus makes status.Code and status.FromError work.
func (e *Error) GRPCStatus() *status.Status { return status.New(e.Code, e.Message) }

// fromRPC is the Error of what gRPC returned; an error of a context stays what it is.
func fromRPC(err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &Error{Code: st.Code(), Message: st.Message()}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = d.GetReason(), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Fields = append(e.Fields, FieldViolation{v.GetField(), v.GetDescription()})
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	return e
}

// mayRepeat tells whether a call that does no harm when it is made twice is worth another try.
// repeated: this was not the first, so that the first may still run.
func (e *Error) mayRepeat(repeated bool) bool {
	return e.Code == codes.Unavailable || e.Reason == "SERVER_BUSY" ||
		repeated && e.Reason == "IDEMPOTENT_CALL_RUNS"
}

// isCut tells whether the connection broke, or the server asks to come back.
func isCut(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case codes.Unavailable:
		return true
	case codes.Aborted:
		return e.Reason == "LEASE_LOST"
	case codes.ResourceExhausted:
		return e.Reason == "TOO_MANY_STREAMS" || e.Reason == "SERVER_BUSY"
	case codes.DeadlineExceeded:
		return e.Reason == "IDLE" || e.Reason == "START_TIMEOUT"
	case codes.Canceled, codes.Unknown, codes.Internal:
		return e.Reason == "" // gRPC's own words for a broken transport
	}
	return false
}
