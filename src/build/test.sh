#!/bin/sh
# `npm test`: sets up what is missing, then runs every test with the Bun in node_modules.
#
#   --long   also the long forms (many kill cycles, every byte cut, the NUMA lab): ENGRAM_TEST_LONG=1
#
# Other arguments go to `bun test`: npm test -- test/config
set -eu
cd "$(dirname "$0")/../.."
. src/build/setup.sh

if [ "${1:-}" = --long ]; then
  shift
  ENGRAM_TEST_LONG=1
  export ENGRAM_TEST_LONG
fi
setup
name_optional
exec "$BUN" test "$@"
