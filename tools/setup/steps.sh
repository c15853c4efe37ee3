# shellcheck shell=bash
# shellcheck disable=SC2154 # root, cache and logs are set by ./veilcast and lib.sh
# Sourced by ./veilcast: what must be there before anything runs. Every step does nothing when its result is there already.

# Node 24 comes with the npm packages (ADR 0001); any npm can fetch them.
setup_npm() {
  if ! command -v npm >/dev/null; then
    install_packages 'npm' nodejs npm ca-certificates
  fi
  local wanted
  wanted=$(content_of "$root/package-lock.json")
  if [ "$(cat "$root/node_modules/.veilcast-lock" 2>/dev/null)" != "$wanted" ]; then
    step 'npm packages, with Node 24' npm npm_packages
    printf '%s' "$wanted" >"$root/node_modules/.veilcast-lock"
  fi
  export PATH=$root/node_modules/.bin:$PATH
  export NODE_COMPILE_CACHE=$cache/node # what was stripped and compiled is not done again (ADR 0009)
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= 24)) || fail "Node 24 or newer is needed and none came with the packages for this system ($(uname -sm)); this is Node $major. Install Node 24."
}

# Not `npm ci`: it refuses a lock file that lacks the optional binaries of platforms other than the one it was written on.
npm_packages() {
  cd "$root" && npm install --no-save --ignore-scripts --no-audit --no-fund
}

# The worker: mediasoup's with our patches, built once and kept by version and recipe (ADR 0002, 0037). `setup_worker quick` does not wait for
# the build where the ordinary worker can be downloaded.
setup_worker() {
  if [ -n "${MEDIASOUP_WORKER_BIN:-}" ]; then
    runs "$MEDIASOUP_WORKER_BIN" || fail "MEDIASOUP_WORKER_BIN names a worker that does not run here: $MEDIASOUP_WORKER_BIN"
    return
  fi
  local version place
  version=$(node -p 'require(process.argv[1]).version' "$root/node_modules/mediasoup/package.json")
  place=$cache/worker/$version-$(cd "$root/sfu-node/worker" && content_of ./*.sh ./*.txt patches shim)-$(uname -m)
  export MEDIASOUP_WORKER_BIN=$place/mediasoup-worker
  runs "$MEDIASOUP_WORKER_BIN" && return
  if [ "${1:-}" = quick ]; then
    ordinary_worker "$version" 'our patches, which halve its work under load, come with ./veilcast setup (about 5 minutes on 2 cores, once)' && return
  fi
  say '  media worker  is built with our patches (about 5 minutes on 2 cores, once)'
  if (build_worker "$place") && runs "$MEDIASOUP_WORKER_BIN"; then
    sed -n 's/^warning: /  media worker  /p' "$logs/worker.log" >&2
    return
  fi
  ordinary_worker "$version" 'the one with our patches could not be built, for the reason above' ||
    fail "no media worker could be built or downloaded; the logs: $logs/worker.log, $logs/worker-download.log"
}

# build_worker PLACE: leaves the worker there; ends this shell where it cannot.
build_worker() {
  # shellcheck disable=SC2046 # a list of names
  install_packages 'the media worker' $(cat "$root/sfu-node/worker/packages.txt")
  step 'media worker' worker "$root/sfu-node/worker/build.sh" "$root/node_modules/mediasoup" "$1"
}

# ordinary_worker VERSION WHY: takes mediasoup's own binary, downloaded once, and says why. Fails where it cannot be had.
ordinary_worker() {
  local kept
  kept=$cache/worker/$1-ordinary-$(uname -m)/mediasoup-worker
  if ! runs "$kept"; then
    download_worker >"$logs/worker-download.log" 2>&1 || return 1
    mkdir -p "$(dirname "$kept")"
    cp "$root/node_modules/mediasoup/worker/out/Release/mediasoup-worker" "$kept"
  fi
  export MEDIASOUP_WORKER_BIN=$kept
  say "  media worker  the ordinary one: $2"
}

# Without MEDIASOUP_VERSION a worker that can run here leaves with 41 (its main.cpp).
runs() {
  [ -x "$1" ] || return 1
  env -u MEDIASOUP_VERSION "$1" >/dev/null 2>&1 && return 1
  [ $? = 41 ]
}

# mediasoup's own install step; PYTHON=false keeps it from going on to a build that needs the internet as well.
download_worker() {
  cd "$root/node_modules/mediasoup" && PYTHON=false timeout 120 node npm-scripts.mjs postinstall && runs worker/out/Release/mediasoup-worker
}

# The TURN server of `up`; calls go on without it where the network lets them.
setup_turn() {
  command -v turnserver >/dev/null && return
  (install_packages 'the TURN server' coturn) || say '  TURN  coturn could not be installed; going on without it'
}

# The two web apps, rebuilt when a source of theirs changed.
setup_apps() {
  local wanted
  wanted=$(content_of "$root/package-lock.json" "$root"/packages/{protocol,sframe,e2ee,client,call-app,operator-app})
  [ "$(cat "$root/packages/call-app/dist/.veilcast-sources" 2>/dev/null)" = "$wanted" ] && return
  step 'call page and operator page' apps build_apps
  printf '%s' "$wanted" >"$root/packages/call-app/dist/.veilcast-sources"
}

build_apps() {
  cd "$root" && npm run build --workspace packages/call-app --workspace packages/operator-app
}

# Where k6 with our protocol in it is, or would be: kept by its Go sources (ADR 0032). The tests use one that a load run has built.
find_k6() {
  local sources=$root/load-tests/k6
  K6_BINARY=$cache/k6/$(cd "$sources" && content_of go.mod go.sum call channel crowd media wire extension)-$(uname -m)/k6
  export K6_BINARY
}

setup_k6() {
  local sources=$root/load-tests/k6
  find_k6
  [ -x "$K6_BINARY" ] && return
  go_new_enough "$(sed -n 's/^go //p' "$sources/go.mod")"
  mkdir -p "$(dirname "$K6_BINARY")"
  say '  k6 is built with our protocol in it (minutes the first time: its own packages; seconds after that)'
  step 'k6' k6 build_k6 "$sources/extension" "$K6_BINARY"
}

# go_new_enough VERSION: says what to install where there is no such Go.
go_new_enough() {
  local found
  found=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
  [ "$(printf '%s\n' "$1" "${found:-0}" | sort -V | head -n 1)" = "$1" ] ||
    fail "load runs need Go $1 or newer, and there is ${found:-none}: install it from https://go.dev/dl (Debian 12's is too old) and run this again."
}

# Written beside its place first: an interrupted build must not pass for one.
build_k6() {
  cd "$1" && go build -mod=mod -o "$2.part" . && mv "$2.part" "$2"
}

# What the tests drive: two browsers, a film maker, a store, a linter for these scripts, a laboratory of networks.
setup_test_tools() {
  install_packages 'the tests' chromium firefox-esr ffmpeg redis-server redis-tools shellcheck spin gcc libc6-dev \
    coturn iproute2 iptables libnetfilter-queue-dev procps
}
