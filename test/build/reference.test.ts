/** The pages of docs/reference/ say what the program's tables say. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { referencePages } from "../../src/build/reference.ts";

const ROOT = join(import.meta.dir, "../..");

describe("referencePages", () => {
  for (const [path, text] of referencePages()) {
    test(`referencePages ${path} is fresh; else: npm run docs:reference`, () => {
      const found = existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), "utf8") : "";
      expect(found).toBe(text);
    });
  }

  test("referencePages names every setting, error and command once", () => {
    for (const text of referencePages().values()) {
      const titles = text.split("\n").filter((line) => line.startsWith("#"));
      expect(new Set(titles).size).toBe(titles.length);
    }
  });
});
