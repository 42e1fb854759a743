/**
 * Golden files: what a format, a help text or a reply looked like when someone last read it.
 *
 * Refresh all of them with `ENGRAM_GOLDEN=refresh npm test`, then read the difference.
 */
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @param path of the golden file, which lies in a directory named `golden` */
export function expectGolden(path: string, text: string): void {
  if (process.env["ENGRAM_GOLDEN"] === "refresh") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  if (!existsSync(path)) throw new Error(`${path} is missing; make it with ENGRAM_GOLDEN=refresh npm test`);
  expect(text).toBe(readFileSync(path, "utf8"));
}
