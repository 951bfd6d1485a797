#!/bin/sh
# Builds the package: build.sh MODULES FOLDER, where MODULES is a node_modules made from
# package-lock.json (it may be FOLDER/node_modules). FOLDER is then a package to install.
# Needs protoc and node.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
modules=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
rm -rf "$folder/src" "$folder/dist"
cp -R "$here/src" "$folder/src"
cp "$here/package.json" "$here/package-lock.json" "$here/tsconfig.json" "$here/README.md" "$folder/"
"$here/generate.sh" "$modules" "$folder/src/wire"
"$modules/.bin/tsc" -p "$folder/tsconfig.json"
