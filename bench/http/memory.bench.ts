/**
 * How much memory does the process take while it is empty, and for each vector it is given?
 *
 * Expected: Bun brings some 60 MiB, each further thread with the HTTP side 20, so the empty process with two API
 * workers should stay near 150 MiB. A memory of 768 dimensions is 3,072 bytes of exact f32, 776 of i8, some
 * 200 of graph links, 128 of header, bindings and its text with the word index, some 750: 5,000 bytes, 1.6 times the
 * raw vector.
 *
 *   bun bench/http/memory.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */

import { getRequest, runLoad } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, type Resident } from "../support/appliance.ts";
import { CLUSTERED_SIGMA, clustered, row } from "../support/clustered.ts";
import { store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, mebibytes, Report } from "../support/report.ts";

const SPACE = "memory";
const DIMENSIONS = 768;
const API_WORKERS = 2;
const SETTLE_MS = 3000;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall ? { first: 2000, last: 6000 } : { first: 50_000, last: 150_000 };

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/memory",
  arguments: given,
  server,
  parameters: {
    from: size.first,
    to: size.last,
    dimensions: DIMENSIONS,
    sigma: CLUSTERED_SIGMA,
    words: "10-25",
    api_workers: API_WORKERS,
  },
});

const text = (resident: Resident): string =>
  `${mebibytes(resident.totalBytes)} resident: ${mebibytes(resident.anonymousBytes)} anonymous, ` +
  `${mebibytes(resident.fileBytes)} of files, ${mebibytes(resident.sharedBytes)} shared`;

const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: { "thread_pools.api_workers": String(API_WORKERS) },
});
try {
  // Both workers have answered something, as a health check would make them.
  await runLoad({
    host: appliance.host,
    port: appliance.port,
    connections: 8,
    requests: 64,
    request: () => getRequest("/api/v1/system/health"),
  });
  const settleMs = isSmall ? 200 : SETTLE_MS;
  await Bun.sleep(settleMs);
  const empty = appliance.resident();
  report.line("empty", text(empty));

  const data = clustered({ seed, dimensions: DIMENSIONS, count: size.last, queries: 0 });
  const texts = new ZipfText(seed);
  let stored = 0;
  const grow = async (count: number): Promise<{ resident: Resident; memoryBytes: number }> => {
    const from = stored;
    const startedMs = performance.now();
    await store(appliance, SPACE, count - from, (index) => ({
      content: texts.text(10, 25),
      embedding: row(data.vectors, from + index, DIMENSIONS),
    }));
    stored = count;
    const facts = await untilIndexed(appliance, SPACE);
    const tookMs = performance.now() - startedMs;
    await Bun.sleep(settleMs);
    const resident = appliance.resident();
    report.line(
      `${count}`,
      `${text(resident)}; arenas and tables ${mebibytes(facts.memory_bytes)} mapped; stored and indexed in ${(tookMs / 1000).toFixed(1)} s`,
    );
    return { resident, memoryBytes: facts.memory_bytes };
  };
  const first = await grow(size.first);
  const last = await grow(size.last);
  const added = size.last - size.first;
  const grown = last.resident.totalBytes - first.resident.totalBytes;
  const raw = added * DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
  report.line(
    "growth",
    `${(grown / added).toFixed(0)} bytes a memory, of which ${((last.memoryBytes - first.memoryBytes) / added).toFixed(0)} in arenas and tables; the raw vector has ${raw / added}`,
  );
  report.figure("empty_bytes", empty.totalBytes);
  report.figure("bytes_a_memory", grown / added);

  report.target({
    name: `the empty process with ${API_WORKERS} API workers`,
    figure: empty.totalBytes / 1e6,
    unit: "MB",
    atMost: 250,
  });
  report.target({
    name: `growth from ${size.first} to ${size.last} memories, share of the raw f32 vectors`,
    figure: grown / raw,
    unit: "",
    atMost: 1.8,
  });
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();
