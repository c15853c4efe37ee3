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

# The worker: the ordinary one where it can be downloaded, else our build; kept by version and recipe (ADR 0002).
setup_worker() {
  if [ -n "${MEDIASOUP_WORKER_BIN:-}" ]; then
    runs "$MEDIASOUP_WORKER_BIN" || fail "MEDIASOUP_WORKER_BIN names a worker that does not run here: $MEDIASOUP_WORKER_BIN"
    return
  fi
  local version place
  version=$(node -p 'require(process.argv[1]).version' "$root/node_modules/mediasoup/package.json")
  place=$cache/worker/$version-$(cd "$root/sfu-node/worker" && content_of ./*.sh ./*.txt shim)-$(uname -m)
  export MEDIASOUP_WORKER_BIN=$place/mediasoup-worker
  runs "$MEDIASOUP_WORKER_BIN" && return
  mkdir -p "$place"
  if ordinary_worker >"$logs/worker-download.log" 2>&1; then
    cp "$root/node_modules/mediasoup/worker/out/Release/mediasoup-worker" "$MEDIASOUP_WORKER_BIN"
    say '✓ media worker  downloaded'
    return
  fi
  say '  media worker  cannot be downloaded here; building it (about 5 minutes on 2 cores, once)'
  # shellcheck disable=SC2046 # a list of names
  install_packages 'the media worker' $(cat "$root/sfu-node/worker/packages.txt")
  step 'media worker' worker "$root/sfu-node/worker/build.sh" "$root/node_modules/mediasoup" "$place"
  runs "$MEDIASOUP_WORKER_BIN" || fail "the worker was built and does not run; its log: $logs/worker.log"
}

# Without MEDIASOUP_VERSION a worker that can run here leaves with 41 (its main.cpp).
runs() {
  [ -x "$1" ] || return 1
  env -u MEDIASOUP_VERSION "$1" >/dev/null 2>&1 && return 1
  [ $? = 41 ]
}

# mediasoup's own install step; PYTHON=false keeps it from going on to a build that needs the internet as well.
ordinary_worker() {
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

# k6 with our protocol in it, kept by its Go sources (ADR 0032).
setup_k6() {
  local sources=$root/load-tests/k6 place
  place=$cache/k6/$(cd "$sources" && content_of go.mod go.sum call channel crowd media wire extension)-$(uname -m)
  export VEILCAST_K6=$place/k6
  [ -x "$VEILCAST_K6" ] && return
  go_new_enough "$(sed -n 's/^go //p' "$sources/go.mod")"
  mkdir -p "$place"
  say '  k6 is built with our protocol in it (minutes the first time: its own packages; seconds after that)'
  step 'k6' k6 build_k6 "$sources/extension" "$VEILCAST_K6"
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
