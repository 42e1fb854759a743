/** What was meant by a mistyped name. */
import { describe, expect, test } from "bun:test";
import { editDistance, nearestName } from "../../src/config/nearest-name.ts";

describe("editDistance", () => {
  test("editDistance counts insertions, deletions, replacements and swaps of neighbours", () => {
    expect(editDistance("", "")).toBe(0);
    expect(editDistance("port", "")).toBe(4);
    expect(editDistance("port", "port")).toBe(0);
    expect(editDistance("prot", "port")).toBe(1);
    expect(editDistance("por", "port")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("ca", "abc")).toBe(3);
  });

  test("editDistance is the same both ways", () => {
    const words = ["sync_mode", "sync_mod", "snyc_mode", "flush", "", "mode_sync"];
    for (const a of words) for (const b of words) expect(editDistance(a, b)).toBe(editDistance(b, a));
  });
});

describe("nearestName", () => {
  test("nearestName finds a slip of the fingers and nothing that is another word", () => {
    const names = ["server.port", "server.host", "wal.sync_mode"];
    expect(nearestName("server.prot", names)).toBe("server.port");
    expect(nearestName("WAL.SYNC_MODE", names)).toBe("wal.sync_mode");
    expect(nearestName("colour", names)).toBeUndefined();
  });
});
