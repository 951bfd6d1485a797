// Package tidemark is the client of a Tidemark server: connections, syncs, reports, state, and a
// resumable stream of changes.
package tidemark

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"tidemark.local/tidemark/internal/wire"
)

const messageBytesMax = 64 << 20

// Client speaks to one server. Safe for several goroutines. Errors are *Error.
//
// Calls that may be repeated are, while the server is UNAVAILABLE and the context (without a
// deadline: 30 seconds) lasts.
type Client struct {
	connection *grpc.ClientConn
	control    wire.ControlClient
	token      string
}

// DialOption changes how a server is spoken to.
type DialOption func(*dialOptions)

type dialOptions struct{ token, ca, cert, key string }

// WithToken sends a token, "tm_...", with every call.
func WithToken(token string) DialOption { return func(o *dialOptions) { o.token = token } }

// WithCA trusts the authorities of a PEM file; this means TLS.
func WithCA(file string) DialOption { return func(o *dialOptions) { o.ca = file } }

// WithCertificate is the client's own certificate and key, PEM files; this means TLS.
func WithCertificate(cert, key string) DialOption {
	return func(o *dialOptions) { o.cert, o.key = cert, key }
}

// Dial makes a client of the server at "unix:PATH", "HOST:PORT", "grpc://HOST:PORT" (both without
// TLS on this machine only) or "grpcs://HOST:PORT", and asks it whether it is there.
func Dial(ctx context.Context, address string, options ...DialOption) (*Client, error) {
	var o dialOptions
	for _, option := range options {
		option(&o)
	}
	target, transport, err := endpoint(address, &o)
	if err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(transport),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax),
			grpc.MaxCallSendMsgSize(messageBytesMax)),
		// A peer that went away without a word is noticed; servers accept a ping in five minutes.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 310 * time.Second, Timeout: 20 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("tidemark: %s: %w", address, err)
	}
	c := &Client{connection: connection, control: wire.NewControlClient(connection),
		token: o.token}
	if _, err := c.Server(ctx); err != nil {
		_ = connection.Close()
		return nil, err
	}
	return c, nil
}

// Close ends what runs.
func (c *Client) Close() error { return c.connection.Close() }

// endpoint is gRPC's name of an address, and how its bytes are protected.
func endpoint(address string, o *dialOptions) (string, credentials.TransportCredentials, error) {
	if (o.cert == "") != (o.key == "") {
		return "", nil, errors.New("tidemark: a certificate and its key come together")
	}
	scheme, target := "", address
	if at := strings.Index(address, "://"); at >= 0 {
		scheme, target = address[:at], address[at+3:]
	}
	if scheme != "" && scheme != "grpc" && scheme != "grpcs" {
		return "", nil, fmt.Errorf("tidemark: %s: unknown kind of address; write unix:PATH or "+
			"HOST:PORT", address)
	}
	wantsTLS := o.ca != "" || o.cert != "" || scheme == "grpcs"
	if strings.HasPrefix(target, "unix:") {
		if wantsTLS {
			return "", nil, fmt.Errorf("tidemark: %s: a unix socket has no TLS", address)
		}
		return target, insecure.NewCredentials(), nil
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil || host == "" {
		return "", nil, fmt.Errorf("tidemark: %s: there is no port; write unix:PATH or HOST:PORT",
			address)
	}
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if !local && scheme == "grpc" && !wantsTLS {
		return "", nil, fmt.Errorf("tidemark: %s: without TLS only this machine is spoken to; "+
			"write grpcs://HOST:PORT", address)
	}
	if local && !wantsTLS {
		return "passthrough:///" + target, insecure.NewCredentials(), nil
	}
	config, err := tlsConfig(o)
	if err != nil {
		return "", nil, err
	}
	return "dns:///" + target, credentials.NewTLS(config), nil
}

func tlsConfig(o *dialOptions) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, fmt.Errorf("tidemark: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tidemark: %s: there is no certificate in it", o.ca)
		}
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, fmt.Errorf("tidemark: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.token)
}

// repeat calls until it succeeds, fails for good, or the context ends.
func repeat[T any](ctx context.Context, c *Client,
	call func(context.Context) (T, error)) (T, error) {
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
	}
	r := retries{giveUpAfter: time.Hour}
	for repeated := false; ; repeated = true {
		answer, err := call(c.outgoing(ctx))
		if err == nil {
			return answer, nil
		}
		var failed *Error
		err = fromRPC(err)
		if !errors.As(err, &failed) {
			return answer, err
		}
		pause, err := r.pauseIf(failed.mayRepeat(repeated), err)
		if err != nil {
			return answer, err
		}
		if sleep(ctx, pause) != nil {
			return answer, failed // the server's word says more than "deadline exceeded"
		}
	}
}

// early: the stream ended with OK.
func early(err error) bool { return errors.Is(err, io.EOF) }
