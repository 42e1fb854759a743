/** The table of settings: complete facts, defaults in range, and a reader that really reads. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SECTION_SUMMARY, SETTINGS, settingsSchema, settingValue } from "../../src/config/schema.ts";

const ROOT = join(import.meta.dir, "../..");

describe("SETTINGS", () => {
  test("SETTINGS names each setting once, in sections that say what they are about", () => {
    const paths = SETTINGS.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.length).toBeGreaterThan(40);
    for (const path of paths) {
      expect(SECTION_SUMMARY[path.slice(0, path.lastIndexOf("."))]).toBeString();
      expect(path).toMatch(/^[a-z_]+(\.[a-z0-9_]+)?\.([a-z0-9_]+|M)$/);
    }
  });

  test("SETTINGS say unit, range and what too low and too high look like", () => {
    for (const { path, facts } of SETTINGS) {
      expect(facts.about, path).toMatch(/^[A-Z].*[^.]$/);
      if (facts.kind !== "whole" && facts.kind !== "number") continue;
      expect(facts.unit, path).not.toBeEmpty();
      expect(facts.min, path).toBeLessThan(facts.max);
      expect(facts.tooLow, path).toMatch(/^[A-Z].{10,}[^.]$/);
      expect(facts.tooHigh, path).toMatch(/^[A-Z].{10,}[^.]$/);
    }
  });

  for (const { path, facts } of SETTINGS) {
    test(`SETTINGS ${path} is read by the module it names`, () => {
      const file = join(ROOT, facts.reader);
      expect(existsSync(file), `${facts.reader} does not exist`).toBeTrue();
      const text = readFileSync(file, "utf8");
      const names = path.split(".");
      for (const name of names.slice(-2)) {
        expect(new RegExp(`\\b${name}\\b`).test(text), `${facts.reader} does not mention ${name}`).toBeTrue();
      }
    });
  }
});

describe("settingsSchema", () => {
  test("settingsSchema gives every setting its default", () => {
    const settings = settingsSchema.parse({});
    for (const { path, default: standard } of SETTINGS) expect(settingValue(settings, path)).toBe(standard);
  });

  test("settingsSchema takes both ends of every range and refuses what lies beyond", () => {
    for (const { path, facts } of SETTINGS) {
      if (facts.kind !== "whole" && facts.kind !== "number") continue;
      const step = facts.kind === "whole" ? 1 : 0.01;
      expect(settingsSchema.safeParse(tableWith(path, facts.min)).success, path).toBeTrue();
      expect(settingsSchema.safeParse(tableWith(path, facts.max)).success, path).toBeTrue();
      expect(settingsSchema.safeParse(tableWith(path, facts.min - step)).success, path).toBeFalse();
      expect(settingsSchema.safeParse(tableWith(path, facts.max + step)).success, path).toBeFalse();
      expect(settingsSchema.safeParse(tableWith(path, Number.NaN)).success, path).toBeFalse();
      expect(settingsSchema.safeParse(tableWith(path, `${facts.min}`)).success, path).toBeFalse();
    }
  });

  test("settingsSchema refuses keys it does not know, at every depth", () => {
    for (const path of ["x", "server.x", "embedding.openai.x"]) {
      expect(settingsSchema.safeParse(tableWith(path, 1)).success, path).toBeFalse();
    }
  });
});

function tableWith(path: string, value: unknown): Record<string, unknown> {
  const [name, ...rest] = path.split(".");
  return { [name!]: rest.length === 0 ? value : tableWith(rest.join("."), value) };
}
