import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirectory } from "../../src/storage/data-directory.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { Crash, FaultyDisk } from "./faulty-disk.ts";
import { chanceFrom } from "./log-model.ts";

const root = mkdtempSync(join(tmpdir(), "engram-data-"));
afterAll(() => rmSync(root, { recursive: true }));

const open = (disk: NativeDisk | FaultyDisk, path: string, pid = process.pid) =>
  new DataDirectory({ disk, path, pid, version: "0.1.0", nowMs: 1_800_000_000_000 });

describe("DataDirectory", () => {
  test("DataDirectory makes a missing directory for its owner alone, and knows its streams again", () => {
    const disk = new NativeDisk(2);
    const path = join(root, "a/b/data");
    const data = open(disk, path);
    expect(disk.permissions(path)).toBe(0o700);
    expect(data.openToOthers).toBe(false);
    expect(data.topology).toEqual({ generation: 0, streams: 0 });
    const next = data.beginTopology(2);
    expect(
      next.places.map((place) => disk.isDirectory(place.log) && disk.isDirectory(place.checkpoint)),
    ).toEqual([true, true]);
    next.commit();
    const stream = data.stream(1);
    data.close();
    const again = open(disk, path);
    expect(again.topology).toEqual({ generation: 1, streams: 2 });
    expect(again.stream(1)).toEqual(stream);
    again.close();
  });

  test("DataDirectory is refused to a second process, with the first one's pid", async () => {
    const path = join(root, "locked");
    const data = open(new NativeDisk(2), path);
    const program = `
      import { DataDirectory } from "${join(import.meta.dir, "../../src/storage/data-directory.ts")}";
      import { NativeDisk } from "${join(import.meta.dir, "../../src/storage/native-disk.ts")}";
      try {
        new DataDirectory({ disk: new NativeDisk(2), path: ${JSON.stringify(path)}, pid: process.pid, version: "0", nowMs: 0 });
        console.log("opened");
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, message: error.message, remedy: error.remedy }));
      }`;
    const run = async () => {
      const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
      return (await new Response(child.stdout).text()).trim();
    };
    const refused = JSON.parse(await run()) as { code: string; message: string; remedy: string };
    expect(refused.code).toBe("data-directory-locked");
    expect(refused.message).toContain(`process ${process.pid} uses it`);
    expect(refused.remedy).toContain(`kill ${process.pid}`);
    data.close();
    expect(await run()).toBe("opened");
  });

  test("DataDirectory says what stands in the way", () => {
    const disk = new NativeDisk(2);
    writeFileSync(join(root, "file"), "");
    expect(() => open(disk, join(root, "file"))).toThrow(
      expect.objectContaining({
        code: "data-directory-unusable",
        remedy: expect.stringContaining("directory"),
      }),
    );
    expect(() => open(disk, join(root, "file/data"))).toThrow(
      expect.objectContaining({ code: "data-directory-unusable" }),
    );
    expect(() => open(disk, "/proc/engram/data")).toThrow(
      expect.objectContaining({ code: "data-directory-unusable" }),
    );
  });

  test("DataDirectory refuses a newer format, a damaged file, and streams without the file that names them", () => {
    const disk = new FaultyDisk(chanceFrom(1));
    disk.makeDirectory("data");
    const data = open(disk, "data");
    data.beginTopology(1).commit();
    data.close();
    const text = new TextDecoder().decode(disk.contents("data/engram-data"));
    expect(text).toStartWith("engram data 1 ");
    for (let bit = 0; bit < text.length * 8; bit += 7) {
      const flipped = disk.copy();
      flipped.flipBit("data/engram-data", bit);
      expect(() => open(flipped, "data")).toThrow(
        expect.objectContaining({ code: "data-directory-damaged" }),
      );
    }
    const lost = disk.copy();
    lost.remove("data/engram-data");
    expect(() => open(lost, "data")).toThrow(expect.objectContaining({ code: "data-directory-damaged" }));
  });

  test("DataDirectory has the old streams or the new ones, whatever operation the machine stops at", () => {
    const settle = (disk: FaultyDisk, streams: number) => {
      const data = open(disk, "data");
      const next = data.beginTopology(streams);
      for (const place of next.places) {
        const file = disk.open(`${place.log}/made`, "create");
        disk.write(file, new Uint8Array([streams]), 0, 1, 0);
        disk.sync(file);
        disk.close(file);
        disk.syncDirectory(place.log);
      }
      next.commit();
      return data;
    };
    const before = new FaultyDisk(chanceFrom(2));
    before.makeDirectory("data");
    settle(before, 1);
    const whole = before.copy();
    settle(whole, 3);
    for (let operation = 1; operation <= whole.operationCount; operation++) {
      for (let variant = 0; variant < 5; variant++) {
        const disk = before.copy();
        disk.operationsLeft = operation;
        try {
          settle(disk, 3);
        } catch (error) {
          expect(error instanceof Crash || (error as Error).cause instanceof Crash).toBe(true);
        }
        const found = disk.afterPowerLoss(chanceFrom(operation * 10 + variant));
        const data = open(found, "data");
        const { streams } = data.topology;
        expect([1, 3]).toContain(streams);
        for (let stream = 0; stream < streams; stream++) {
          expect([...found.contents(`${data.stream(stream).log}/made`)]).toEqual([streams]);
        }
        expect(found.list("data/streams")).toEqual([String(data.topology.generation)]);
      }
    }
  });
});
