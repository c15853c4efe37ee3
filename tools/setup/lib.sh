# shellcheck shell=bash
# Sourced by ./veilcast: how set-up steps run, show progress and fail. Nothing here knows what a step does.

cache=${VEILCAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/veilcast}
logs=$cache/logs
mkdir -p "$logs"

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "✗ $*"
  exit 1
}

# step TITLE LOGNAME COMMAND…: runs it with its output in a log, and shows how long it has been going and its last line.
step() {
  local title=$1 log=$logs/$2.log
  shift 2
  local began=$SECONDS shown=0
  set -m # a process group of its own, so that an interrupt ends all of it
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  set +m
  # shellcheck disable=SC2064 # this pid, not a later one
  trap "kill -- -$pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    local took=$((SECONDS - began))
    if [ -t 2 ]; then
      printf '\r\033[K◌ %s  %s s  %s' "$title" "$took" "$(tail -n 1 "$log" | tr -d '\r\033' | cut -c1-80)" >&2
    elif ((took >= shown + 15)); then
      shown=$took
      say "◌ $title  $took s  $(tail -n 1 "$log" | cut -c1-100)"
    fi
  done
  trap - INT TERM
  [ -t 2 ] && printf '\r\033[K' >&2
  if wait "$pid"; then
    say "✓ $title  $((SECONDS - began)) s"
  else
    say "✗ $title failed after $((SECONDS - began)) s. The end of its log:"
    tail -n 20 "$log" | sed 's/^/    /' >&2
    say "  the whole log: $log"
    exit 1
  fi
}

# content_of PATH…: one hash over the names and bytes of all files below.
content_of() {
  find "$@" -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -name '*.tsbuildinfo' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}
