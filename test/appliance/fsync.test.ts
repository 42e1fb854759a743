/** Every answer with ack=fsync comes after an fdatasync of its record, as strace sees the process. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, LONG, ScratchDirectory } from "../support/appliance-process.ts";
import { judgeSyncs } from "./sync-trace.ts";

const STRACE = Bun.which("strace");
const WRITES = LONG ? 4000 : 300;
const CLIENTS = 16;

/** strace may be there and not be allowed to trace (ptrace_scope, a container). */
const traces =
  STRACE !== null && Bun.spawnSync([STRACE, "-o", "/dev/null", "true"], { stderr: "ignore" }).exitCode === 0;
if (!traces) console.log("skipped: strace is not there, or may not trace");

test.skipIf(!traces)(
  "an answer with ack=fsync comes after a sync of its record, and syncs are shared",
  async () => {
    using directory = new ScratchDirectory("fsync");
    const output = `${directory.path}/trace`;
    const filter = "trace=fdatasync,pwrite64,pwritev,pwritev2,sendto";
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { "wal.segment_size_mb": 8, "thread_pools.api_workers": 2 },
      // -D: strace is the grandchild, so that signals reach the appliance.
      under: [STRACE!, "-D", "-f", "-y", "-s", "1000000", "-e", filter, "-o", output],
    });
    const { client } = appliance;
    // Two dimensions keep the records small enough for strace to print them whole.
    answered(await client.createSpace({ name: "traced", dimensions: 2, embedder: "none" }));
    const ids: string[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < WRITES) {
        const index = next++;
        const embedding = new Float32Array([1, index]);
        const id = `<${letters(index)}>`;
        if (index % 20 === 3) {
          const second = `<${letters(index)}batch>`;
          const batch = [id, second].map((each) => ({ id: each, content: "two", embedding }));
          const { stored } = answered(await client.rememberBatch(batch, {}, "traced"));
          expect(stored).toBe(2);
          ids.push(second);
        } else {
          const { ack } = answered(await client.remember({ id, content: "one", embedding }, "traced"));
          expect(ack).toBe("fsync");
        }
        ids.push(id);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, work));
    expect(await appliance.stop()).toBe(0);

    const trace = readFileSync(output, "utf8");
    const verdict = judgeSyncs(trace, ids);
    console.log(`${verdict.answered} answers with ack=fsync, ${verdict.logSyncs} syncs of the log`);
    expect(verdict.answered).toBe(ids.length);
    expect(verdict.broken).toEqual([]);
    expect(verdict.logSyncs).toBeLessThan(WRITES);

    // The judge would have seen a promise without a sync: without the syncs, every answer is one.
    const unsynced = trace
      .split("\n")
      .map((line) => line.replaceAll("fdatasync", "sync_file"))
      .join("\n");
    expect(judgeSyncs(unsynced, ids).broken).toHaveLength(ids.length);
  },
  120_000,
);

/** Other letters for each number, none the beginning of another within its frame. */
function letters(number: number): string {
  return `id${number.toString(36).replace(/\d/g, (digit) => "ABCDEFGHIJ"[Number(digit)]!)}`;
}
