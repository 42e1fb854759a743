import { expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import { isJournal, type LogLevel, openLogSink } from "../../src/appliance/log-sink.ts";
import { settingsSchema } from "../../src/config/schema.ts";

const FIELDS = { request: "GET /x", trace_id: "4bf9", span_id: "00f0", space: "work", duration_ms: 1.5 };

function written(format: "plain" | "json", underJournald: boolean, level: LogLevel = "info") {
  const { logging } = settingsSchema.parse({ logging: { format, level } });
  let text = "";
  const write = (line: string) => {
    text += line;
  };
  const log = openLogSink(logging, { write, underJournald, now: () => 1_700_000_000_000 });
  return { log, text: () => text };
}

test("openLogSink writes plain lines with the request's trace behind the message", () => {
  const { log, text } = written("plain", false);
  log("warn", "slow", FIELDS);
  log("info", "started", { thread: "api-0" });
  log("debug", "not asked for");
  expect(text()).toBe(
    "2023-11-14T22:13:20.000Z warn slow trace_id=4bf9 span_id=00f0 space=work\n" +
      "2023-11-14T22:13:20.000Z info started\n",
  );
});

test("openLogSink writes one JSON object a line, with every field", () => {
  const { log, text } = written("json", false);
  log("error", "it\nbroke", FIELDS);
  expect(text().endsWith("\n")).toBe(true);
  expect(text().trimEnd()).not.toContain("\n");
  expect(JSON.parse(text())).toEqual({
    time: "2023-11-14T22:13:20.000Z",
    level: "error",
    message: "it\nbroke",
    ...FIELDS,
  });
});

test("openLogSink gives journald the priority of each line, in either format", () => {
  const plain = written("plain", true, "debug");
  plain.log("error", "first\nsecond", FIELDS);
  plain.log("debug", "third");
  expect(plain.text()).toBe("<3>first\n<3>second trace_id=4bf9 span_id=00f0 space=work\n<7>third\n");
  const json = written("json", true);
  json.log("warn", "m");
  expect(json.text()).toStartWith("<4>{");
  expect(JSON.parse(json.text().slice(3)).message).toBe("m");
});

test("isJournal believes JOURNAL_STREAM only for the stream that it names", () => {
  const descriptor = openSync(import.meta.path, "r");
  const { dev, ino } = fstatSync(descriptor);
  expect(isJournal(`${dev}:${ino}`, descriptor)).toBe(true);
  expect(isJournal(`${dev}:${ino + 1}`, descriptor)).toBe(false);
  expect(isJournal(undefined, descriptor)).toBe(false);
  closeSync(descriptor);
  expect(isJournal(`${dev}:${ino}`, descriptor)).toBe(false);
});
