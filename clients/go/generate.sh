#!/bin/sh
# Writes internal/wire from the protos: generate.sh [FOLDER], where FOLDER stands for this one.
# Needs go and protoc; the generators come in the versions of go.mod.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
proto=$here/../../proto
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd "$here" && GOBIN="$bin" go install -mod=readonly \
  google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc)
package=tidemark.local/tidemark/internal/wire
mapping=""
for name in connector control ingest; do
  mapping="$mapping --go_opt=Mtidemark/v1/$name.proto=$package"
  mapping="$mapping --go-grpc_opt=Mtidemark/v1/$name.proto=$package"
done
PATH="$bin:$PATH" protoc --proto_path="$proto" \
  --go_out="$out" --go_opt=module=tidemark.local/tidemark \
  --go-grpc_out="$out" --go-grpc_opt=module=tidemark.local/tidemark $mapping \
  tidemark/v1/connector.proto tidemark/v1/control.proto tidemark/v1/ingest.proto
