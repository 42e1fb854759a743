# What `npm start` and `npm test` have in common; sourced by start.sh and test.sh from the repository root.
#
# Brings node_modules up to date with package-lock.json, sets BUN to the Bun inside it, and builds the
# native library and the executable when they are stale. Once all is there, no network is needed.

say() { printf '%s\n' "engram-appliance: $*" >&2; }
fail() {
  say "$1"
  printf '%s\n' "  What helps: $2" >&2
  exit "${3:-69}"
}

# A copy of the lock inside node_modules says what was installed from it; npm's own record, written last, does
# as well where someone ran npm by hand.
dependencies_are_fresh() {
  [ -e node_modules/.bin/bun ] || return 1
  cmp -s package-lock.json node_modules/.engram-lock && return 0
  [ node_modules/.package-lock.json -nt package-lock.json ]
}

install_dependencies() {
  say "installing dependencies from package-lock.json"
  # No install scripts: Bun's binary comes as a package of its own, and usearch is compiled by build/native.ts.
  if command -v npm >/dev/null 2>&1; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
      fail "npm ci failed" "read its messages above; the first start needs the package registry"
  elif command -v bun >/dev/null 2>&1; then
    bun install --ignore-scripts --no-save >&2 || fail "bun install failed" "read its messages above"
  else
    fail "neither npm nor bun is installed" "apt-get install npm"
  fi
  cp package-lock.json node_modules/.engram-lock
}

# The bun package's own install script would put the platform's binary in place of its stub; so do we, with
# the first of the platform's packages that runs here.
link_bun() {
  if [ -x node_modules/.bin/bun ] && node_modules/.bin/bun --version >/dev/null 2>&1; then return 0; fi
  for candidate in node_modules/@oven/bun-*/bin/bun; do
    "$candidate" --version >/dev/null 2>&1 || continue
    mkdir -p node_modules/bun/bin node_modules/.bin
    ln -f "$candidate" node_modules/bun/bin/bun.exe
    ln -sf ../bun/bin/bun.exe node_modules/.bin/bun
    return 0
  done
  return 1
}

setup() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the appliance runs on Linux" "use a Linux machine" 71
  dependencies_are_fresh || install_dependencies
  link_bun || fail "no Bun in node_modules runs on this machine ($(uname -m))" "rm -rf node_modules, then again"
  BUN=$PWD/node_modules/.bin/bun
  PATH=$PWD/node_modules/.bin:$PATH
  export PATH
  "$BUN" src/build/build.ts || exit $?
}

# Named, not needed: without it the appliance runs on one node.
name_optional() {
  for directory in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /lib/*-linux-gnu /usr/lib/*-linux-gnu; do
    [ -e "$directory/libnuma.so.1" ] && return 0
  done
  say "libnuma.so.1 is missing; NUMA is reported as unavailable (apt-get install libnuma1)"
}
