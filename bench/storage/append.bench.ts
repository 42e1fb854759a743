/**
 * How long does a group of log records take to become durable, and what does one record cost the processor?
 *
 * Expected: a 4 KB record costs one copy (0.15 us) and one CRC-32C (0.3 us), so under 1.5 us with everything
 * around it. A group costs one write and one fdatasync into blocks that were zeroed before, so its time is the
 * disk's and grows with its bytes only: a group of 256 should take a few times as long as one record, and give
 * a hundred times the records a second. A naive log that grows its file with each group also changes metadata
 * that every sync has to journal.
 *
 *   bun bench/storage/append.bench.ts [--small] [--directory DIR]
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { logRecordBytes } from "../../src/layout/log-record.ts";
import { crc32c } from "../../src/storage/checksum.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";

const PAYLOAD_BYTES = 4096;
const SEGMENT_BYTES = 64 * 1024 * 1024;
const small = process.argv.includes("--small");
const at = process.argv.indexOf("--directory");
const root = mkdtempSync(join(at > 0 ? process.argv[at + 1]! : tmpdir(), "engram-append-"));
const disk = new NativeDisk(2);
const payload = new Uint8Array(PAYLOAD_BYTES);
for (let index = 0; index < PAYLOAD_BYTES; index++) payload[index] = (index * 2654435761) >>> 24;

type Row = { name: string; group: number; groups: number; us: Float64Array; seconds: number };

function openLog(name: string): LocalLog {
  const directory = join(root, name);
  mkdirSync(directory);
  return LocalLog.create({
    disk,
    directory,
    topology: 1,
    stream: 0,
    segmentBytes: SEGMENT_BYTES,
    bufferBytes: 8 << 20,
  });
}

/** Microseconds of each group, appended to the appliance's log. */
function appliance(group: number, groups: number): Row {
  const log = openLog(`log-${group}`);
  const us = new Float64Array(groups);
  const recordBytes = logRecordBytes(PAYLOAD_BYTES);
  const start = Bun.nanoseconds();
  for (let index = 0; index < groups; index++) {
    // As the background thread would, between groups.
    if (index % 16 === 0) log.prepareNext();
    const before = Bun.nanoseconds();
    log.reserve(recordBytes * group);
    for (let record = 0; record < group; record++) log.append(1, 7, payload, 0, PAYLOAD_BYTES);
    log.write();
    log.sync();
    us[index] = (Bun.nanoseconds() - before) / 1000;
  }
  const seconds = (Bun.nanoseconds() - start) / 1e9;
  log.close();
  return { name: "appliance", group, groups, us, seconds };
}

/** The same into a file that grows. */
function naive(group: number, groups: number): Row {
  const file = disk.open(join(root, `naive-${group}`), "create");
  const us = new Float64Array(groups);
  const batch = new Uint8Array(group * PAYLOAD_BYTES);
  const start = Bun.nanoseconds();
  for (let index = 0; index < groups; index++) {
    const before = Bun.nanoseconds();
    for (let record = 0; record < group; record++) batch.set(payload, record * PAYLOAD_BYTES);
    disk.write(file, batch, 0, batch.length, index * batch.length);
    disk.sync(file);
    us[index] = (Bun.nanoseconds() - before) / 1000;
  }
  const seconds = (Bun.nanoseconds() - start) / 1e9;
  disk.close(file);
  return { name: "naive", group, groups, us, seconds };
}

/** Nanoseconds of `append` alone, staging, numbering and checksum included. */
function appendCost(records: number): number {
  const log = openLog("cost");
  const recordBytes = logRecordBytes(PAYLOAD_BYTES);
  const batch = 512;
  let ns = 0;
  for (let done = 0; done < records; done += batch) {
    log.reserve(recordBytes * batch);
    const before = Bun.nanoseconds();
    for (let record = 0; record < batch; record++) log.append(1, 7, payload, 0, PAYLOAD_BYTES);
    ns += Bun.nanoseconds() - before;
    log.write();
  }
  log.close();
  return ns / records;
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

try {
  console.log(`machine    ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores; ${root}`);
  console.log(
    `records    ${PAYLOAD_BYTES} bytes of payload; segments of ${SEGMENT_BYTES >> 20} MiB; no randomness`,
  );
  const records = small ? 4096 : 65_536;
  appendCost(small ? 1024 : 8192 * 2 - 8192);
  rmSync(join(root, "cost"), { recursive: true });
  console.log(`append     ${appendCost(records).toFixed(0)} ns a record (${records} records; at most 1,500)`);
  console.log("log        group   p50 us   p90 us   p99 us   max us   records/s");
  let sum = 0;
  for (const group of small ? [1, 64] : [1, 4, 16, 64, 256]) {
    const groups = small ? 30 : Math.max(200, Math.floor(2000 / Math.sqrt(group)));
    // Turn by turn, so that a disturbance of the machine meets both.
    for (const row of [appliance(group, groups), naive(group, groups)]) {
      const sorted = row.us.slice().sort();
      const cells = [0.5, 0.9, 0.99, 1].map((share) => percentile(sorted, share).toFixed(0).padStart(8));
      const rate = (group * row.groups) / (row.us.reduce((a, b) => a + b, 0) / 1e6);
      console.log(
        `${row.name.padEnd(10)} ${String(group).padStart(5)} ${cells.join(" ")} ${rate.toFixed(0).padStart(11)}`,
      );
      sum = crc32c(sum, payload, 0, group);
    }
    rmSync(join(root, `log-${group}`), { recursive: true });
    rmSync(join(root, `naive-${group}`));
  }
  console.log(`checksum   ${sum.toString(16)}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
