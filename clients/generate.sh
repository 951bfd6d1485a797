#!/bin/sh
# After a change of the protos: writes what is committed of their code, for Python and Go.
# `.ci/prepare python clients` installs what this needs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build
PATH="$PATH:/usr/local/go/bin"
"$build/venv/bin/python" "$here/python/generate.py"
GOMODCACHE="$build/clients/go/mod" GOCACHE="$build/clients/go/cache" "$here/go/generate.sh"
