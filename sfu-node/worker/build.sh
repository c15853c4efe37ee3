#!/usr/bin/env bash
# build.sh MEDIASOUP_PACKAGE_DIR OUT_DIR: leaves OUT_DIR/mediasoup-worker with our patches, built against the libraries of Debian 12.
# Needs the packages in ./packages.txt. Prints what it does; the caller keeps the log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)

echo "libsrtp2 with OpenSSL"
srtp=()
if "$here/libsrtp.sh" "$out/libsrtp2"; then
  srtp=(-DSRTP_DIR="$out/libsrtp2")
else
  echo "warning: libsrtp2 could not be built with OpenSSL; using the distribution's, which forwards at less than half the speed"
fi

echo "patches"
rm -rf "$out/sources"
"$here/patch.sh" "$package/worker" "$out/sources"

echo "mediasoup-worker"
cmake -G Ninja -S "$here" -B "$out/build" -DWORKER_DIR="$out/sources" "${srtp[@]}"
ninja -C "$out/build"
cp "$out/build/mediasoup-worker" "$out/mediasoup-worker"
rm -rf "$out/build" "$out/sources"
