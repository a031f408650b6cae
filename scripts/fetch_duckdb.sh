#!/usr/bin/env bash
# Puts DuckDB's header and shared library into build/peers/duckdb, for tests and benchmarks that compare with it.
# Usage: scripts/fetch_duckdb.sh [FOLDER]
#
# Versions and checksums are pinned; a file that does not match is not kept. Nothing here becomes part of larder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=1.4.4
readonly folder=${1:-build/peers/duckdb}
# npm package, SHA-256 of its archive, what to take from it
readonly library_package=@duckdb/node-bindings-linux-x64@1.4.4-r.4
readonly library_sha256=732fac4dc6b8f198870b9c4bb6ddf13544466daca00ad28ba2f1d80de5d7aa4b
readonly library_file=package/libduckdb.so
readonly header_package=duckdb@1.4.4
readonly header_sha256=5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed
readonly header_file=package/src/duckdb/src/include/duckdb.h

fail() { printf 'fetch_duckdb: %s\n' "$*" >&2; exit 1; }

if [ -f "$folder/version" ] && [ "$(cat "$folder/version")" = "$version" ]; then
  echo "duckdb: $version is in $folder"
  exit 0
fi
[ "$(uname -sm)" = "Linux x86_64" ] || fail "the pinned library is for Linux on x86_64, this is $(uname -sm)"
command -v npm >/dev/null || fail "npm is not installed"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# take PACKAGE SHA256 FILE: unpacks one file of a package into the scratch folder
take() {
  local archive
  archive=$(npm pack "$1" --silent --pack-destination "$scratch" | tail -1)
  archive=$scratch/$(basename "$archive")
  echo "$2  $archive" | sha256sum --check --status || fail "$1 is not the archive that was pinned"
  tar -xzf "$archive" -C "$scratch" "$3" package/LICENSE
}

take "$header_package" "$header_sha256" "$header_file"
take "$library_package" "$library_sha256" "$library_file"
mkdir -p "$folder/include" "$folder/lib"
cp "$scratch/$header_file" "$folder/include/duckdb.h"
cp "$scratch/$library_file" "$folder/lib/libduckdb.so"
cp "$scratch/package/LICENSE" "$folder/LICENSE"
echo "$version" >"$folder/version"
echo "duckdb: $version put into $folder"
