#!/bin/sh
# Runs inside the NUMA lab (a small virtual machine with systemd as its first process): installs the
# executable as an operator would, starts the unit, and asks systemd and the kernel what came of it.
#
#   lab-check.sh EXECUTABLE
#
# Prints one line `fact: value` each; unit.test.ts judges them. Everything is emulated, so it is patient.
set -u
executable=$1
unit=engram-appliance.service
url=http://127.0.0.1:7432

say() { printf '%s: %s\n' "$1" "$2"; }
property() { systemctl show --property="$1" --value "$unit"; }
status_of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(property MainPID)/status"; }
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
answers() { curl --silent --fail --max-time 5 "$url/livez" >/dev/null; }

"$executable" install >/dev/null || { say installed no; exit 1; }
say installed yes
say installed_again "$("$executable" install | grep -c '^unchanged')"

systemctl start "$unit"
say started "$?"
if [ "$(property ActiveState)" != active ]; then
  journalctl --unit="$unit" --no-pager --lines=50
  exit 1
fi
say status_text "$(property StatusText)"
say user "$(stat -c %U "/proc/$(property MainPID)")"
say capabilities "$(status_of CapEff)"
say no_new_privileges "$(status_of NoNewPrivs)"
say seccomp "$(status_of Seccomp)"
say open_files "$(sed -n 's/^Max open files *\([0-9]*\).*/\1/p' "/proc/$(property MainPID)/limits")"
say data_mode "$(stat -c '%U %a' /var/lib/engram-appliance)"
await 60 answers && say answers yes
curl --silent --max-time 60 "$url/api/v1/memories/remember" --header 'content-type: application/json' \
  --data '{"id":"bees","content":"Ada keeps bees behind the old mill"}' >/dev/null
say remembered "$(curl --silent --max-time 60 "$url/api/v1/memories/bees" | grep -c 'old mill')"
say health "$(curl --silent --max-time 60 "$url/api/v1/system/health" | tr -d '\n' | cut -c 1-3000)"

# A crash: systemd starts it again, and nothing acknowledged is gone.
before=$(property MainPID)
systemctl kill --signal=KILL "$unit"
restarted() { [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ] && answers; }
await 120 restarted && say restarted yes
say remembered_after_crash "$(curl --silent --max-time 60 "$url/api/v1/memories/bees" | grep -c 'old mill')"

# A hang: the signs of life stop, and the watchdog ends it.
before=$(property MainPID)
kill -STOP "$before"
await 180 restarted && say restarted_by_watchdog yes
say watchdog_result "$(journalctl --unit="$unit" --no-pager | grep -c 'Watchdog timeout')"

systemctl stop "$unit"
say stop_result "$(property Result) $(property ExecMainStatus)"
journalctl --unit="$unit" --no-pager --lines=60 | sed 's/^/journal: /'
