import { describe, expect, test } from "bun:test";
import {
  B_DEFAULT,
  encodeLengthByte,
  inverseDocumentFrequency,
  K1_DEFAULT,
  LENGTH_OF_BYTE,
  makeNormTable,
  scoreBound,
  scorePosting,
} from "../../src/index/bm25.ts";

describe("encodeLengthByte", () => {
  test("encodeLengthByte keeps lengths up to 39 and never falls as lengths grow", () => {
    for (let length = 0; length < 40; length++) expect(LENGTH_OF_BYTE[encodeLengthByte(length)]).toBe(length);
    let before = 0;
    for (let length = 0; length < 100_000; length++) {
      const byte = encodeLengthByte(length);
      expect(byte).toBeGreaterThanOrEqual(before);
      before = byte;
    }
  });

  test("encodeLengthByte loses at most an eighth of a length", () => {
    for (let length = 1; length < 2 ** 31; length = Math.ceil(length * 1.01)) {
      const kept = LENGTH_OF_BYTE[encodeLengthByte(length)]!;
      expect(kept).toBeLessThanOrEqual(length);
      expect(kept).toBeGreaterThan(length * (7 / 8));
    }
    expect(encodeLengthByte(2 ** 31 - 1)).toBe(255);
    expect(encodeLengthByte(2 ** 40)).toBe(255);
  });

  test("encodeLengthByte undoes LENGTH_OF_BYTE for every byte", () => {
    for (let byte = 0; byte < 256; byte++) expect(encodeLengthByte(LENGTH_OF_BYTE[byte]!)).toBe(byte);
  });
});

describe("scores", () => {
  test("scorePosting is the BM25 of the textbook for lengths that are kept exactly", () => {
    const norms = makeNormTable(12);
    const idf = inverseDocumentFrequency({ memoryCount: 1_000, withTermCount: 10 });
    for (const [frequency, length] of [
      [1, 5],
      [3, 30],
      [7, 39],
    ] as const) {
      const norm = norms[encodeLengthByte(length)]!;
      const textbook =
        (idf * frequency * (K1_DEFAULT + 1)) /
        (frequency + K1_DEFAULT * (1 - B_DEFAULT + (B_DEFAULT * length) / 12));
      expect(scorePosting(idf * (K1_DEFAULT + 1), frequency, norm)).toBeCloseTo(textbook, 5);
    }
  });

  test("scoreBound is above every score of its list", () => {
    const norms = makeNormTable(20);
    const bound = scoreBound(2, 9, norms[encodeLengthByte(4)]!);
    for (let frequency = 1; frequency <= 9; frequency++) {
      for (let length = 4; length < 200; length++) {
        expect(scorePosting(2, frequency, norms[encodeLengthByte(length)]!)).toBeLessThanOrEqual(bound);
      }
    }
  });

  test("inverseDocumentFrequency is above 0 whatever the counts, and higher for rarer terms", () => {
    expect(inverseDocumentFrequency({ memoryCount: 100, withTermCount: 1 })).toBeGreaterThan(
      inverseDocumentFrequency({ memoryCount: 100, withTermCount: 50 }),
    );
    expect(inverseDocumentFrequency({ memoryCount: 100, withTermCount: 100 })).toBeGreaterThan(0);
    expect(inverseDocumentFrequency({ memoryCount: 3, withTermCount: 5 })).toBeGreaterThan(0);
    expect(inverseDocumentFrequency({ memoryCount: 0, withTermCount: 0 })).toBeGreaterThan(0);
  });
});
