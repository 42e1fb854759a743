#!/bin/sh
# Runs inside the NUMA lab, a small virtual machine with two nodes: runs the tests that need several nodes, then the
# executable, and asks the kernel where its threads run and its pages lie.
#
#   lab-check.sh BUN EXECUTABLE SPACE_OF_NODE_0 SPACE_OF_NODE_1
#
# Prints one line `fact: value` each; lab.test.ts judges them. Everything is emulated, so it is patient.
set -u
bun=$1
space_0=$3
space_1=$4
data=$(mktemp -d)/data
port=${LAB_PORT:-7432}
url=http://127.0.0.1:$port
scratch=$(mktemp -d)

say() { printf '%s: %s\n' "$1" "$2"; }
# Waits until a command holds, at most so many seconds.
await() {
  seconds=$1
  shift
  while [ "$seconds" -gt 0 ]; do
    "$@" && return 0
    sleep 1
    seconds=$((seconds - 1))
  done
  return 1
}
answers() { curl --silent --fail --max-time 20 "$url/readyz" >/dev/null; }
named() { [ "$(cat "/proc/$process/task"/*/comm 2>/dev/null | grep -cE '^(api|writer|collector)-[01]$')" -eq 6 ]; }
health() { curl --silent --max-time 120 "$url/api/v1/system/health" | tr -d '\n'; }

# serve NAME [SETTING=VALUE …]: starts the appliance and waits until it is ready.
serve() {
  name=$1
  shift
  env ENGRAM_WAL__SEGMENT_SIZE_MB=8 ENGRAM_THREAD_POOLS__API_WORKERS=2 "$@" "$executable" serve --data "$data" --port "$port" 2>"$scratch/$name.log" &
  process=$!
  if ! await 240 answers; then
    sed 's/^/log: /' "$scratch/$name.log"
    exit 1
  fi
}
# stop NAME: ends it, and says how it ended.
stop() {
  kill -TERM "$process"
  wait "$process"
  say "$1_exit" "$?"
  sed "s/^/log: /" "$scratch/$1.log"
}

# KiB by the node that memory was asked of and the node it lies on, of this kind of page, as the kernel says.
#   placed FACT POLICY PAGE    POLICY as in numa_maps(5) without the node; PAGE: any | reserved
placed() {
  awk -v policy="$2" -v page="$3" '
    $2 ~ "^" policy ":" && (page == "any" || / huge /) {
      asked = substr($2, length(policy) + 2)
      kib = 4
      for (i = 3; i <= NF; i++) if ($i ~ /^kernelpagesize_kB=/) kib = substr($i, 19)
      for (i = 3; i <= NF; i++) if ($i ~ /^N[0-9]+=/) {
        split(substr($i, 2), on, "=")
        sum[asked " on " on[1]] += on[2] * kib
      }
    }
    END {
      printf "{"
      for (pair in sum) printf "%s\"%s\":%d", (count++ ? "," : ""), pair, sum[pair]
      print "}"
    }' "/proc/$process/numa_maps" >"$scratch/placed"
  say "$1" "$(cat "$scratch/placed")"
}

# remember SPACE FIRST COUNT BYTES: memories memory-FIRST and so on. Their contents are dots, which hold no word, so
# that emulated time goes into placement; their vectors differ.
remember() {
  awk -v first="$2" -v count="$3" -v bytes="$4" 'BEGIN {
    dots = "."
    while (length(dots) < bytes) dots = dots dots
    dots = substr(dots, 1, bytes)
    printf "{\"memories\":["
    for (i = first; i < first + count; i++) {
      printf "%s{\"id\":\"memory-%d\",\"content\":\"%s\",\"embedding\":[", (i > first ? "," : ""), i, dots
      for (j = 0; j < 768; j++) printf "%s%d", (j ? "," : ""), (j == i % 768 ? 1 : j == int(i / 768) ? 2 : 0)
      printf "]}"
    }
    printf "]}"
  }' >"$scratch/batch"
  curl --silent --max-time 240 "$url/api/v1/memories/remember/batch" --header "X-Memory-Space: $1" \
    --header 'content-type: application/json' --data-binary "@$scratch/batch" |
    tr -d '\n' | grep -o '"stored":[0-9]*,"failed":[0-9]*' >"$scratch/stored"
  say "remembered_${1}_$2" "$(cat "$scratch/stored")"
}
# 9 MB, so more than one chunk of contents (8 MiB), of which the second takes reserved huge pages.
remember_much() { for first in 0 15 30; do remember "$1" "$first" 15 200000; done; }
spaces() { curl --silent --max-time 120 "$url/api/v1/spaces" | tr -d '\n'; }
# What a memory's content has as a checksum, so that a restart can be seen to bring back all of it.
content() {
  curl --silent --max-time 120 "$url/api/v1/memories/$2" --header "X-Memory-Space: $1" | grep -o '\.\.*' | head -n 1 |
    cksum | cut -d ' ' -f 2
}
contents() {
  say "$1_spaces" "$(spaces)"
  say "$1_content_0" "$(content "$space_0" memory-44)"
  say "$1_content_1" "$(content "$space_1" memory-44)"
}

# The tests that skip themselves on a machine of one node.
"$bun" test test/shm/region-placement.test.ts test/runtime/placement.test.ts test/ffi/libnuma.test.ts \
  test/ffi/threads.test.ts test/ffi/pages.test.ts test/index/graph-placement.test.ts test/observe/lane-placement.test.ts --timeout 120000 >"$scratch/tests" 2>&1
say tests_exit "$?"
say tests_passed "$(sed -n 's/^ *\([0-9]*\) pass$/\1/p' "$scratch/tests")"
say tests_failed "$(sed -n 's/^ *\([0-9]*\) fail$/\1/p' "$scratch/tests")"
say tests_skipped "$(sed -n 's/^ *\([0-9]*\) skip$/\1/p' "$scratch/tests")"
grep -E 'skip|fail|error' "$scratch/tests" | sed 's/^/log: /'

# A copy of its own: what the machine outside builds meanwhile does not matter.
cp "$2" "$scratch/engram-appliance"
executable=$scratch/engram-appliance

serve local
say local_health "$(health)"
# It serves before the last of its threads has started, and a thread has its name a moment before its place.
await 120 named
sleep 2
# Threads of the runtime come and go meanwhile.
awk '/^Name:/ { name = $2 } /^Cpus_allowed_list:/ { print "cpus_" name ": " $2 }' "/proc/$process/task"/*/status 2>/dev/null
remember "$space_0" 100 1 100
remember "$space_1" 100 1 100
placed local_first prefer any
remember_much "$space_1"
placed local_after_1 prefer any
placed local_reserved_1 bind reserved
remember_much "$space_0"
placed local_after_0 prefer any
placed local_reserved_0 bind reserved
say local_filled_health "$(health)"
contents local
say doctor "$("$executable" doctor --json --data "$data" --port "$port" | tr -d '\n')"
stop local

serve interleaved ENGRAM_NUMA__STRATEGY=interleaved
say interleaved_health "$(health)"
placed interleaved_pages interleave any
placed interleaved_elsewhere prefer any
contents interleaved
stop interleaved

serve off ENGRAM_NUMA__ENABLED=false
say off_health "$(health)"
contents off
remember "$space_0" 60 1 100
remember "$space_1" 60 1 100
stop off

serve again
say again_health "$(health)"
placed again_pages prefer any
placed again_reserved bind reserved
contents again
stop again
say finished yes
