/** Threads that answer come before threads whose work may wait, as the kernel tells. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

/** Where the nice value stands in /proc/PID/stat, counted from behind the name. */
const NICE_AT = 16;

test("indexers and the background have a lower priority than API workers and writers", async () => {
  using scratch = new ScratchDirectory("priority");
  await using appliance = await ApplianceProcess.start({ data: scratch.data });
  const usual = niceOf(appliance.pid, "api-0")!;
  expect(niceOf(appliance.pid, "writer-0")).toBe(usual);
  for (const name of ["indexer-0", "background-0"]) {
    await eventually(`${name} is behind`, () => niceOf(appliance.pid, name) === Math.min(19, usual + 4));
  }
}, 60_000);

/** Undefined while there is no thread of this name. */
function niceOf(pid: number, name: string): number | undefined {
  const tasks = `/proc/${pid}/task`;
  for (const task of readdirSync(tasks)) {
    const stat = readFileSync(`${tasks}/${task}/stat`, "utf8");
    if (stat.includes(`(${name})`)) return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[NICE_AT]);
  }
  return undefined;
}
