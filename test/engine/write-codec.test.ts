import { expect, test } from "bun:test";
import { PayloadEncoder, RememberView } from "../../src/engine/write-codec.ts";

test("PayloadEncoder writes what RememberView reads, wherever in a buffer the payload lies", () => {
  const encoder = new PayloadEncoder();
  const vector = Float32Array.from({ length: 12 }, (_, i) => i / 3);
  const payload = encoder.remember({
    id: "ä",
    content: "x".repeat(70_000),
    metadataJson: undefined,
    tags: ["t"],
    timestampMs: 1.5,
    storedAtMs: 2,
    confidence: 0.25,
    vector,
    norm: 3,
    replaces: true,
    completesSlot: 0,
  });
  for (const shift of [0, 1, 3, 4]) {
    const moved = new Uint8Array(payload.byteLength + 8);
    moved.set(payload, shift);
    const view = new RememberView().open(moved.subarray(shift, shift + payload.byteLength));
    expect(view).toMatchObject({
      timestampMs: 1.5,
      storedAtMs: 2,
      confidence: 0.25,
      norm: 3,
      dimensions: 12,
      completesSlot: 0,
      replaces: true,
      idBytes: 2,
      tagCount: 1,
      contentBytes: 70_000,
    });
    const read = view.bytes.slice(view.vectorAt, view.vectorAt + 48);
    expect(new Float32Array(read.buffer)).toEqual(vector);
  }
});

test("RememberView refuses a payload that is shorter than its head says", () => {
  const payload = new PayloadEncoder().remember({
    id: "a",
    content: "b",
    metadataJson: undefined,
    tags: [],
    timestampMs: 0,
    storedAtMs: 0,
    confidence: 1,
    vector: new Float32Array(4),
    norm: 1,
    replaces: false,
  });
  expect(() => new RememberView().open(payload.slice(0, -4))).toThrow("as long as its head says");
});
