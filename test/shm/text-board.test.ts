import { describe, expect, test } from "bun:test";
import { makeTextBoard, TextBoardReader, TextBoardWriter } from "../../src/shm/text-board.ts";

describe("TextBoard", () => {
  test("TextBoardReader reads what was written last, and nothing before", () => {
    const board = makeTextBoard(64);
    const reader = new TextBoardReader(board);
    const writer = new TextBoardWriter(board);
    expect(reader.read()).toBe("");
    expect(writer.write("größer")).toBe(true);
    expect(reader.read()).toBe("größer");
    expect(writer.write("x".repeat(65))).toBe(false);
    expect(reader.read()).toBe("größer");
  });

  test("TextBoardReader sees whole texts only, while another thread writes", async () => {
    const board = makeTextBoard(64 * 1024);
    const stop = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL("./text-board-worker.ts", import.meta.url).href);
    try {
      worker.postMessage({ board, stop });
      const reader = new TextBoardReader(board);
      const seen = new Set<string>();
      const endMs = performance.now() + 10_000;
      while (seen.size < 20 && performance.now() < endMs) {
        const text = reader.read();
        if (text !== "" && text !== text[0]!.repeat(text.length)) throw new Error("a text is torn");
        seen.add(text);
        await Bun.sleep(0);
      }
      expect(seen.size).toBeGreaterThanOrEqual(20);
    } finally {
      Atomics.store(stop, 0, 1);
      worker.terminate();
    }
  });
});
