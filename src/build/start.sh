#!/bin/sh
# `npm start`: from a fresh clone to a running appliance on 127.0.0.1:7432 with its data in ./data.
#
# Arguments go to `serve`: npm start -- --port 8000. Only $ENGRAM_CONFIG and ENGRAM_SECTION__KEY change
# settings here; the system's own configuration is left to the installed service.
set -eu
cd "$(dirname "$0")/../.."
. src/build/setup.sh

setup
name_optional
ENGRAM_CONFIG=${ENGRAM_CONFIG-}
export ENGRAM_CONFIG
exec dist/engram-appliance serve "$@"
