/**
 * Are 1,000 clients at once all answered, and what do they cost in memory?
 *
 * Expected: a connection costs Bun some kilobytes and the kernel as much, so 1,000 of them some 10 MiB. They share
 * what two cores do: 3,000-6,000 recalls a second, so each waits some 0.2-0.3 s for its turn, none for ever.
 *
 * All connect at the same time; each then sends its next recall when it has the answer to the last.
 *
 *   bun bench/http/connections.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */

import { failures, runLoad } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { recallRequest, store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, mebibytes, Report } from "../support/report.ts";

const SPACE = "connections";
const GROWTH_MIB_MAX = 256;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall
  ? { clients: 100, memories: 2000, requests: 1000, rounds: 2 }
  : { clients: 1000, memories: 20_000, requests: 20_000, rounds: 3 };

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/connections",
  arguments: given,
  server,
  parameters: {
    clients: size.clients,
    memories: size.memories,
    requests: size.requests,
    rounds: size.rounds,
  },
});

const directory = benchDirectory();
const appliance = await Appliance.start({ directory: directory.path, command });
try {
  const texts = new ZipfText(seed);
  await store(appliance, SPACE, size.memories, () => ({ content: texts.text(10, 25) }));
  await untilIndexed(appliance, SPACE);
  const requests = Array.from({ length: 1000 }, () => recallRequest(SPACE, { query: texts.text(3, 8) }));

  const before = appliance.resident().totalBytes;
  let peak = before;
  let failed = 0;
  let unanswered = 0;
  for (let round = 1; round <= size.rounds; round++) {
    const answers = new Uint32Array(size.clients);
    let isOver = false;
    const sampling = (async () => {
      while (!isOver) {
        peak = Math.max(peak, appliance.resident().totalBytes);
        await Bun.sleep(50);
      }
    })();
    const result = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: size.clients,
      requests: size.requests,
      request: (index) => requests[index % requests.length]!,
      onReply: (_index, _status, _body, _latencyMs, connection) => {
        answers[connection] = answers[connection]! + 1;
      },
    });
    isOver = true;
    await sampling;
    failed += failures(result);
    unanswered += answers.filter((count) => count === 0).length;
    report.line(
      `round ${round}`,
      `${size.clients} clients: ${result.perSecond.toFixed(0)} recalls/s, ${JSON.stringify(result.statuses)}; ${report.percentiles(`round_${round}_ms`, result.latenciesMs)}`,
    );
    report.line(
      "",
      `answers a client ${Math.min(...answers)} to ${Math.max(...answers)}; resident ${mebibytes(appliance.resident().totalBytes)}`,
    );
  }
  await Bun.sleep(isSmall ? 100 : 2000);
  const after = appliance.resident().totalBytes;
  report.line("memory", `${mebibytes(before)} before, ${mebibytes(peak)} at most, ${mebibytes(after)} after`);

  report.target({ name: "requests that failed", figure: failed, unit: "", atMost: 0 });
  report.target({ name: "clients that were never answered", figure: unanswered, unit: "", atMost: 0 });
  report.target({
    name: `memory taken at most by ${size.clients} clients`,
    figure: (peak - before) / 2 ** 20,
    unit: "MiB",
    atMost: GROWTH_MIB_MAX,
  });
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();
