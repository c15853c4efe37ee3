#!/usr/bin/env bash
# patch.sh WORKER_DIR OUT_DIR: copies the worker's sources and applies ./patches in their order. The patches are for the sources whose checksum
# stands in patches/sources.sha256 alone; others are copied as they are, and it is said.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
cp -RL "$1"/{include,src,fbs,deps} "$out"
chmod -R u+w "$out"

found=$(cd "$out" && find include src fbs deps -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
if ! grep -q "^$found " "$here/patches/sources.sha256"; then
  echo "warning: no patches are applied: they are for $(cut -d' ' -f3- "$here/patches/sources.sha256"), and these sources are others ($found)"
  exit 0
fi
for each in "$here"/patches/*.patch; do
  echo "  $(basename "$each")"
  patch --directory="$out" --strip=1 --forward --fuzz=0 --no-backup-if-mismatch --silent <"$each"
done
