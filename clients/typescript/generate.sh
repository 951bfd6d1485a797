#!/bin/sh
# Writes src/wire from the protos: generate.sh MODULES [FOLDER], where MODULES is a node_modules
# made from package-lock.json and FOLDER stands for src/wire. Needs protoc and node.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=$1
out=${2:-$here/src/wire}
mkdir -p "$out"
protoc --proto_path="$here/../../proto" \
  --plugin=protoc-gen-ts_proto="$modules/.bin/protoc-gen-ts_proto" --ts_proto_out="$out" \
  --ts_proto_opt=env=node,esModuleInterop=true,forceLong=bigint,oneof=unions-value \
  --ts_proto_opt=outputServices=generic-definitions,outputJsonMethods=false \
  --ts_proto_opt=removeEnumPrefix=true,annotateFilesWithVersion=false,unrecognizedEnum=false \
  google/rpc/error_details.proto tidemark/v1/connector.proto tidemark/v1/control.proto \
  tidemark/v1/ingest.proto
