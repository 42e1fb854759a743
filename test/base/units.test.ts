import { expect, test } from "bun:test";
import { formatBytes, formatNs, GIB, KIB, MIB } from "../../src/base/units.ts";

test("formatBytes writes three digits that mean something", () => {
  const cases: [number, string][] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1.5 * KIB, "1.5 KiB"],
    [640 * KIB, "640 KiB"],
    [12 * MIB, "12 MiB"],
    [1.25 * GIB, "1.25 GiB"],
    [3 * 1024 * GIB, "3 TiB"],
  ];
  for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
});

test("formatNs chooses the unit that is read most easily", () => {
  const cases: [number, string][] = [
    [850, "850 ns"],
    [1250, "1.25 µs"],
    [1_250_000, "1.25 ms"],
    [59.9e9, "59.9 s"],
    [200e9, "3 min 20 s"],
    [3 * 3600e9 + 120e9, "3 h 2 min"],
    [50 * 3600e9, "2 d 2 h"],
  ];
  for (const [ns, text] of cases) expect(formatNs(ns)).toBe(text);
});
