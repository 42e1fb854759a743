/** An appliance that runs with a settings file and has done some work: what `tune` and pages about it need. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { answered } from "./appliance-client.ts";
import { ApplianceProcess, eventually } from "./appliance-process.ts";

export type SettingsFile = { readonly path: string; readonly text: string };

/** Settings as a person would write them down. @param settings by dotted path */
export function writeSettings(
  directory: string,
  settings: Readonly<Record<string, string | number | boolean>>,
): SettingsFile {
  const sections = new Map<string, string[]>();
  for (const [path, value] of Object.entries(settings)) {
    const [section, name] = [path.slice(0, path.lastIndexOf(".")), path.slice(path.lastIndexOf(".") + 1)];
    sections.set(section, [...(sections.get(section) ?? []), `${name} = ${JSON.stringify(value)}`]);
  }
  const text = `# The settings of a test.\n${[...sections].map(([name, lines]) => `[${name}]\n${lines.join("\n")}\n`).join("\n")}`;
  const path = join(directory, "config.toml");
  writeFileSync(path, text);
  return { path, text };
}

export function startWith(file: SettingsFile, data: string): Promise<ApplianceProcess> {
  return ApplianceProcess.start({ data, environment: { ENGRAM_CONFIG: file.path } });
}

/** Stores memories, waits for the graph, and recalls: as much as the history has to show. */
export async function work(
  appliance: ApplianceProcess,
  { memories, recalls }: { readonly memories: number; readonly recalls: number },
): Promise<void> {
  const { client } = appliance;
  for (let at = 0; at < memories; at += 500) {
    const batch = Array.from({ length: Math.min(500, memories - at) }, (_, index) => ({
      content: `note ${at + index} on topic ${(at + index) % 97} at place ${(at + index) % 31}`,
      ack: "wal" as const,
    }));
    answered(await client.rememberBatch(batch));
  }
  await eventually("all is in the graph", async () => (await client.spaces())[0]?.tail === 0);
  // A series, which is one of a class of spaces, grows from its first sample on: that has to be there before.
  answered(await client.recall({ query: "the first" }));
  answered(await client.remember({ content: "the first note" }));
  await eventually("the history has begun", async () => {
    const [recalled, remembered] = [
      await value(appliance, total("recall")),
      await value(appliance, total("remember")),
    ];
    return (recalled ?? 0) > 0 && (remembered ?? 0) > memories / 500;
  });
  for (let at = 0; at < recalls; at++) answered(await client.recall({ query: `topic ${at % 97} place` }));
  await eventually(
    "the history has it",
    async () => ((await value(appliance, `sum(increase(${series("recall")}[5m]))`)) ?? 0) > recalls * 0.8,
  );
}

/** Waits until the history has a sample of an operation: a series grows from its first sample on. */
export async function untilSampled(appliance: ApplianceProcess, operation: string): Promise<void> {
  await eventually(
    "the history has begun",
    async () => ((await value(appliance, total(operation))) ?? 0) > 0,
  );
}

function series(operation: string): string {
  return `engram_operations_total{operation="${operation}"}`;
}

function total(operation: string): string {
  return `sum(${series(operation)})`;
}

async function value(appliance: ApplianceProcess, query: string): Promise<number | undefined> {
  const reply = await fetch(`${appliance.url}/api/v1/query?${new URLSearchParams({ query })}`);
  const { data } = (await reply.json()) as { data: { result: { value: [number, string] }[] } };
  const [first] = data.result;
  return first === undefined ? undefined : Number(first.value[1]);
}
