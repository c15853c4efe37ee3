# shellcheck shell=bash
# Sourced by ./veilcast: packages of the operating system. Knows Debian and its relatives; names what is missing elsewhere.

# missing_packages NAME…: those that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || printf '%s ' "$name"
  done
}

# install_packages WHY NAME…: installs what is missing, as root or through sudo.
install_packages() {
  local why=$1
  shift
  if ! command -v apt-get >/dev/null; then
    fail "$why needs these packages (Debian's names): $*. This system has no apt-get; install their like and run this again."
  fi
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "$why needs root once, for: apt-get install $missing"
    say "  $why needs root for: apt-get install $missing"
    as_root=(sudo)
    sudo -v || fail "sudo was refused; as root: apt-get install $missing"
  fi
  # shellcheck disable=SC2086 # a list of names
  step "system packages: $missing" system-packages apt_install "${as_root[*]}" $missing
}

# apt_install PREFIX NAME…: PREFIX is empty or `sudo`.
apt_install() {
  local prefix=$1
  shift
  $prefix apt-get update -q
  $prefix env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
