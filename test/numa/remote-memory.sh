#!/bin/sh
# Runs inside the NUMA lab: moves the memory of a running appliance from node 0 to node 1, and asks the operator's tools
# before and after what is wrong.
#
#   remote-memory.sh BUN EXECUTABLE
#
# Prints one line `fact: value` each; remote-memory.test.ts judges them.
set -u
bun=$1
scratch=$(mktemp -d)
data=$scratch/data
port=${LAB_PORT:-7432}
url=http://127.0.0.1:$port

say() { printf '%s: %s\n' "$1" "$2"; }
# A copy of its own: what the machine outside builds meanwhile does not matter.
cp "$2" "$scratch/engram-appliance"
executable=$scratch/engram-appliance

ENGRAM_WAL__SEGMENT_SIZE_MB=8 ENGRAM_THREAD_POOLS__API_WORKERS=2 \
  "$executable" serve --data "$data" --port "$port" 2>"$scratch/log" &
process=$!
# It serves before the last of its threads has started.
started() {
  curl --silent --fail --max-time 20 "$url/readyz" >/dev/null &&
    [ "$(cat "/proc/$process/task"/*/comm 2>/dev/null | grep -cE '^(api|writer|collector)-[01]$')" -eq 6 ]
}
seconds=240
until started || [ "$seconds" -eq 0 ]; do
  sleep 1
  seconds=$((seconds - 1))
done

diagnosed() {
  mkdir "$scratch/$1"
  say "$1" "$("$bun" test/numa/diagnose.ts "$executable" "$url" "$scratch/$1" 15)"
}
diagnosed placed
say left_unmoved "$("$bun" test/numa/move-pages.ts "$process" 0 1)"
diagnosed misplaced

kill -TERM "$process"
wait "$process"
say exit "$?"
sed 's/^/log: /' "$scratch/log"
