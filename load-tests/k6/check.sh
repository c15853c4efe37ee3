#!/usr/bin/env bash
# The Go client's own checks: layout, vet, tests. 77 where there is no Go new enough to run them.
# k6 itself is not built here: it takes minutes the first time, and nothing of ours is in it but extension/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

wanted=$(sed -n 's/^go //p' go.mod)
found=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
if [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n 1)" != "$wanted" ]; then
  echo "not run: needs Go $wanted or newer (https://go.dev/dl), and there is ${found:-none}"
  exit 77
fi
unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
  echo "gofmt -w would change: $unformatted"
  exit 1
fi
go vet ./...
# The frozen vectors are no files of this module: its cache would not see them change.
go test -count=1 ./...
