# Sourced by the other scripts: installs what is missing and builds. Safe to run again; does nothing when all is there.
# Debian 12 and 13 and Ubuntu 24.04, by package name; elsewhere it names what to install.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BUILD_PACKAGES="g++ cmake ninja-build libfmt-dev libyaml-cpp-dev libeigen3-dev libcli11-dev nlohmann-json3-dev libxxhash-dev libsqlite3-dev"
TEST_PACKAGES="libgtest-dev libgmock-dev libbenchmark-dev python3 python3-yaml python3-jsonschema clang-format clang-tidy"
# Compilation for AMD targets. Without them everything else works, and the program says so.
AMD_PACKAGES="libamdhip64-dev libhiprtc-builtins5 libamd-comgr-dev"
# Opens the pages of fusetune report in their test, which is skipped without it and says so.
BROWSER_PACKAGES="chromium"

say() { printf '== %s\n' "$*"; }

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages required|optional PACKAGE...
install_packages() {
  local kind=$1 missing
  shift
  if ! command -v dpkg-query >/dev/null; then
    say "this system has no Debian packages; needed here: $*"
    return 0
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "missing ($kind): $missing"
    say "neither root nor sudo is at hand; run: apt-get install --no-install-recommends $missing"
    if [ "$kind" = required ]; then return 1; else return 0; fi
  fi
  say "installing $missing"
  # shellcheck disable=SC2086  # a list of names
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1; then return 0; fi
  as_root apt-get update -q >/dev/null 2>&1 || true
  # shellcheck disable=SC2086
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; then return 0; fi
  say "could not install: $missing"
  say "the command was: apt-get install --no-install-recommends $missing"
  if [ "$kind" = optional ]; then
    say "going on without: what needs them says so"
    return 0
  fi
  return 1
}

# build ON|OFF TARGET...: with the tests and benchmarks configured, or without.
build() {
  local tests=$1 log
  shift
  say "building $* (build/release)"
  log=$(mktemp)
  cmake --preset release "-DFUSETUNE_TESTS=$tests" "-DFUSETUNE_BENCHMARKS=$tests" >"$log" 2>&1 || {
    cat "$log"
    rm -f "$log"
    return 1
  }
  grep -h 'left out' "$log" || true
  rm -f "$log"
  cmake --build --preset release --target "$@"
}
