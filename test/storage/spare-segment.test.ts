import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalLog } from "../../src/storage/local-log.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { appendRecord, expectRecords, makeRecord, type Written } from "./log-model.ts";

const root = mkdtempSync(join(tmpdir(), "engram-spare-"));
afterAll(() => rmSync(root, { recursive: true }));

test("prepareSpare makes segments in one thread while the log takes them in another", async () => {
  const segmentBytes = 65_536;
  const settings = {
    disk: new NativeDisk(1),
    directory: root,
    topology: 1,
    stream: 0,
    segmentBytes,
    bufferBytes: 65_536,
  };
  const log = LocalLog.create(settings);
  const program = `
    import { prepareSpare } from "${join(import.meta.dir, "../../src/storage/log-segment.ts")}";
    import { NativeDisk } from "${join(import.meta.dir, "../../src/storage/native-disk.ts")}";
    const disk = new NativeDisk(1);
    let made = 0;
    let stopping = false;
    self.onmessage = () => { stopping = true; };
    while (!stopping) {
      if (!disk.exists(${JSON.stringify(`${root}/spare`)})) {
        prepareSpare(disk, ${JSON.stringify(root)}, ${segmentBytes});
        made++;
        postMessage(made);
      }
      await Bun.sleep(0);
    }`;
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: "application/typescript" })));
  let made = 0;
  worker.onmessage = (event: MessageEvent<number>) => {
    made = event.data;
  };
  const written = new Map<number, Written>();
  while (made < 15) {
    for (let index = 0; index < 10; index++) {
      const record = makeRecord(log.appendedSequence + 1, 2, 20_000);
      written.set(appendRecord(log, record), record);
    }
    log.write();
    log.sync();
    await Bun.sleep(0);
  }
  worker.postMessage("stop");
  worker.terminate();
  log.close();
  expect(expectRecords(LocalLog.open(settings), written)).toBe(written.size);
}, 30_000);
