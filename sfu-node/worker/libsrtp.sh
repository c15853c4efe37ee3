#!/usr/bin/env bash
# libsrtp.sh PREFIX: installs a static libsrtp2 that does its cryptography in OpenSSL into PREFIX, from the distribution's
# source package. Debian's own binary uses NSS, which costs more than twice as much a forwarded packet (ADR 0002).
set -euo pipefail
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Source lists of our own, so that the machine's are left as they are; one-line and deb822 entries in a file each.
mkdir -p lists/partial parts
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  [ -f "$list" ] || continue
  case $list in
    *.sources) sed 's/^Types: .*/Types: deb-src/' "$list" >"parts/$(basename "$list")" ;;
    *.list) sed -n 's/^deb /deb-src /p' "$list" >"parts/$(basename "$list")" ;;
  esac
done
options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State::lists=$work/lists")
apt-get "${options[@]}" update -q
apt-get "${options[@]}" source -q --download-only libsrtp2

mkdir libsrtp2
tar -xf libsrtp2_*.orig.tar.* -C libsrtp2 --strip-components=1
cmake -G Ninja -S libsrtp2 -B build -DCMAKE_BUILD_TYPE=Release -DENABLE_OPENSSL=ON -DBUILD_SHARED_LIBS=OFF \
  -DLIBSRTP_TEST_APPS=OFF -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib
ninja -C build install
