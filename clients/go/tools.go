//go:build tools

// The generators of internal/wire, so that go.mod holds their versions.
package tidemark

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
