/**
 * The disk in trouble: full, and failing to sync. Nothing acknowledged is lost, nothing is lost silently, and what
 * can go on goes on.
 */
import { afterAll, expect, test } from "bun:test";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import {
  type ApplianceClient,
  answered,
  type MemoryReply,
  streamDetail,
} from "../support/appliance-client.ts";
import {
  ApplianceProcess,
  eventually,
  LONG,
  ScratchDirectory,
  StartRefused,
} from "../support/appliance-process.ts";
import { LASTING_SPACES, runLoad } from "./crash-load.ts";
import { CrashModel } from "./crash-model.ts";

const MIB = 1024 * 1024;
const run = (...command: string[]) => Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });

// --- a full disk --------------------------------------------------------------------------------------

/** A small file system of its own in memory; undefined where mounting is not allowed. */
class SmallDisk {
  readonly path: string;
  readonly #directory = new ScratchDirectory("small-disk");

  private constructor() {
    this.path = join(this.#directory.path, "disk");
  }

  static mount(sizeMib: number): SmallDisk | string {
    const disk = new SmallDisk();
    run("mkdir", disk.path);
    const mounted = run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m,mode=700`, "tmpfs", disk.path);
    if (mounted.exitCode === 0) return disk;
    disk[Symbol.dispose]();
    return mounted.stderr.toString().trim();
  }

  /** Takes every byte that is free. */
  fill(): void {
    const file = openSync(join(this.path, "filler"), "w");
    let bytes = MIB;
    while (bytes > 0) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
    closeSync(file);
  }

  free(): void {
    rmSync(join(this.path, "filler"), { force: true });
  }

  [Symbol.dispose](): void {
    run("umount", "-l", this.path);
    this.#directory[Symbol.dispose]();
  }
}

const probe = SmallDisk.mount(1);
const mountRefused = typeof probe === "string" ? probe : undefined;
if (typeof probe !== "string") probe[Symbol.dispose]();
if (mountRefused !== undefined)
  console.log(`skipped: a small file system can not be mounted: ${mountRefused}`);

test.concurrent.skipIf(mountRefused !== undefined)(
  "a full disk refuses writes and checkpoints, serves reads, and takes writes again once there is room",
  async () => {
    using disk = SmallDisk.mount(64) as SmallDisk;
    const start = {
      data: join(disk.path, "data"),
      settings: { "wal.segment_size_mb": 8, "checkpoint.interval_s": 1, "thread_pools.api_workers": 1 },
    };
    const stored = new Map<string, string>();
    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      const store = async (): Promise<number> => {
        const id = `m${stored.size}`;
        const content = `${id} ${"far and wide ".repeat(6000)}`;
        const reply = await client.remember({ id, content });
        if (reply.ok) stored.set(id, content);
        else expect(reply.body.code).toBe("disk-full");
        return reply.status;
      };
      for (let i = 0; i < 10; i++) expect(await store()).toBe(201);
      await checkpointed(client);

      disk.fill();
      let status = 201;
      for (let i = 0; status === 201 && i < 1000; i++) status = await store();
      expect(status).toBe(507);
      expect(stored.size).toBeGreaterThan(10);
      await expectAllStored(client, stored);
      // Refused, and nothing of it is there.
      expect((await client.get(`m${stored.size}`)).status).toBe(404);
      expect(answered(await client.recall({ query: "m3 far", mode: "words" })).memories[0]!.id).toBe("m3");
      await eventually(
        "a checkpoint fails for want of room",
        async () => (streamDetail(await client.health(), "checkpoints")["failures"] ?? 0) > 0,
      );
      expect(appliance.stderr).toContain("checkpoint-disk-full");
      const { parts } = await client.health();
      expect(parts["disk"]!.status).toBe("failed");
      expect(parts["checkpoints"]!.status).toBe("degraded");

      disk.free();
      await eventually("writes are taken again", async () => (await store()) === 201);
      const recovered = await client.health();
      expect(recovered.parts["disk"]!.status).not.toBe("failed");
      await checkpointed(client);
      for (let i = 0; i < 5; i++) expect(await store()).toBe(201);

      disk.fill();
      status = 201;
      for (let i = 0; status === 201 && i < 1000; i++) status = await store();
      expect(status).toBe(507);
      await appliance.kill();
    }
    // A start on a disk that is still full serves what is there, or says what helps.
    try {
      await using appliance = await ApplianceProcess.start(start);
      await expectAllStored(appliance.client, stored);
      await appliance.kill();
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      expect(error.stderr).toContain("What helps: Free disk space, then start again");
    }
    disk.free();
    await using appliance = await ApplianceProcess.start(start);
    await expectAllStored(appliance.client, stored);
    expect(await appliance.stop()).toBe(0);
  },
  120_000,
);

async function checkpointed(client: ApplianceClient): Promise<void> {
  await eventually("a checkpoint holds every record", async () => {
    const detail = streamDetail(await client.health(), "checkpoints");
    return detail["records_since"] === 0;
  });
}

async function expectAllStored(client: ApplianceClient, stored: ReadonlyMap<string, string>): Promise<void> {
  const listed = new Map(
    (await client.listAll(undefined, 50)).map((memory: MemoryReply) => [memory.id, memory]),
  );
  for (const [id, content] of stored) expect(listed.get(id)?.content === content, id).toBe(true);
  expect(listed.size).toBe(stored.size);
}

// --- a failing sync -----------------------------------------------------------------------------------

const compiler = Bun.which("cc");
const built = new ScratchDirectory("failing-sync");
afterAll(() => built[Symbol.dispose]());
const library = join(built.path, "failing-sync.so");
const compiled =
  compiler !== null &&
  run(compiler, "-shared", "-fPIC", "-o", library, join(import.meta.dir, "failing-sync.c")).exitCode === 0;
if (!compiled) console.log("skipped: there is no C compiler to make a failing fdatasync with");

/** Syncs of the log that fail; the first few are those of the start. */
const FAIL_AT = LONG ? Array.from({ length: 60 }, (_, i) => i + 1) : [1, 3, 9, 40];

test.concurrent.skipIf(!compiled)(
  "a failing sync of the log stops the process with its code, and loses nothing acknowledged",
  async () => {
    for (const failAt of FAIL_AT) {
      using directory = new ScratchDirectory("failing-sync");
      const where = `the sync ${failAt} fails`;
      const model = new CrashModel();
      const failing = {
        data: directory.data,
        settings: { "wal.segment_size_mb": 8, "thread_pools.api_workers": 2 },
        environment: {
          LD_PRELOAD: library,
          ENGRAM_TEST_FAIL_AT: String(failAt),
          ENGRAM_TEST_FAIL_PATH: "/log/",
        },
      };
      await using appliance = ApplianceProcess.spawn(failing);
      try {
        await appliance.serving();
        for (const { name, dimensions } of LASTING_SPACES) {
          model.attemptSpace(name, dimensions);
          const spec = dimensions > 0 ? { name, dimensions, embedder: "none" } : { name };
          answered(await appliance.client.createSpace(spec));
          model.spaceMade(name);
        }
        const { wrong } = await runLoad(appliance.client, model, new Random(failAt));
        expect(wrong.slice(0, 3), where).toEqual([]);
      } catch (error) {
        // It failed while it started, or while the spaces were made.
        if (!(error instanceof StartRefused) && !appliance.hasExited) await Bun.sleep(1000);
        if (!appliance.hasExited) throw error;
      }
      const status = await appliance.exited;
      expect(status, `${where}\n${appliance.stderr}`).toBe(74);
      expect(appliance.stderr, where).toMatch(/Code: (log-sync-failed|log-write-failed)/);
      expect(appliance.stderr, where).toContain("What helps: ");

      await using recovered = await ApplianceProcess.start({ data: directory.data });
      const found = new Set((await recovered.client.spaces()).map(({ name }) => name));
      const wrong = model.observeSpaces(found);
      for (const name of model.spaceNames)
        wrong.push(...model.observe(name, await recovered.client.listAll(name)));
      expect(wrong.slice(0, 3), where).toEqual([]);
    }
  },
  LONG ? 900_000 : 120_000,
);
