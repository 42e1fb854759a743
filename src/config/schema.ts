/**
 * All settings: one zod schema, whose sections are declared in `sections/`.
 *
 * Names are those of the TOML file (`[wal] sync_mode`), so that a message, a file, an environment
 * variable (`ENGRAM_WAL__SYNC_MODE`) and the code all say the same word. Unknown keys are refused.
 */
import { z } from "zod";
import { assert } from "../base/assert.ts";
import { activationSection, associationSection } from "./sections/associating.ts";
import {
  forgettingSection,
  interferenceSection,
  primingSection,
  reconsolidationSection,
} from "./sections/fading.ts";
import { checkpointSection, dataSection, spacesSection, walSection } from "./sections/keeping.ts";
import { meaningSection } from "./sections/learning.ts";
import { loggingSection, memorySection, numaSection, threadPoolsSection } from "./sections/machine.ts";
import { embeddingSection, indexSection, recallSection } from "./sections/recalling.ts";
import { accessSection, limitsSection, serverSection } from "./sections/serving.ts";
import { otlpSection } from "./sections/telling.ts";
import { consolidationSection } from "./sections/thinking.ts";
import { alertsSection, monitoringSection } from "./sections/watching.ts";
import { type SettingFacts, settingFacts } from "./setting.ts";

export const settingsSchema = z.strictObject({
  server: serverSection.prefault({}),
  data: dataSection.prefault({}),
  spaces: spacesSection.prefault({}),
  access: accessSection.prefault({}),
  limits: limitsSection.prefault({}),
  embedding: embeddingSection.prefault({}),
  index: indexSection.prefault({}),
  recall: recallSection.prefault({}),
  forgetting: forgettingSection.prefault({}),
  interference: interferenceSection.prefault({}),
  priming: primingSection.prefault({}),
  reconsolidation: reconsolidationSection.prefault({}),
  association: associationSection.prefault({}),
  activation: activationSection.prefault({}),
  meaning: meaningSection.prefault({}),
  consolidation: consolidationSection.prefault({}),
  wal: walSection.prefault({}),
  checkpoint: checkpointSection.prefault({}),
  thread_pools: threadPoolsSection.prefault({}),
  numa: numaSection.prefault({}),
  memory: memorySection.prefault({}),
  logging: loggingSection.prefault({}),
  monitoring: monitoringSection.prefault({}),
  alerts: alertsSection.prefault({}),
  otlp: otlpSection.prefault({}),
});

/** The effective settings, as every module gets them: plain data, sent to workers as it is. */
export type Settings = z.output<typeof settingsSchema>;

export type SettingValue = string | number | boolean;

/** One setting of the schema. */
export type Setting = {
  /** dotted, as in `embedding.openai.url` */
  readonly path: string;
  readonly facts: SettingFacts;
  readonly default: SettingValue;
};

/** What a section is about, for the file and the reference. */
export const SECTION_SUMMARY: Readonly<Record<string, string>> = {
  server: "Where and how the HTTP API listens",
  data: "Where memories are kept",
  spaces: "Memory spaces",
  access: "Who may call the API",
  limits: "What one request may ask for",
  embedding: "Turning text into vectors",
  "embedding.openai": 'An OpenAI-compatible embedding server, used with embedding.provider = "openai"',
  index: "The vector index",
  recall: "Finding memories by meaning and words",
  forgetting: "How memories fade",
  interference: "How memories that are alike compete",
  priming: "How a use makes its neighbours easier to reach",
  reconsolidation: "How a memory that was recalled can be changed",
  association: "What memories are bound to each other, and why",
  activation: "Finding memories by what they are bound to",
  meaning: "Learning what words mean",
  consolidation: "Gathering memories into concepts",
  wal: "The log that makes writes durable",
  checkpoint: "Checkpoints, which bound the time a start takes",
  thread_pools: "Threads",
  numa: "Placement on NUMA nodes",
  memory: "How memory is taken from the system",
  logging: "Log lines",
  monitoring: "How the appliance watches itself",
  alerts: "Alerts: rules over the history, and who hears of them",
  otlp: "Metrics and traces for an OpenTelemetry receiver",
};

/** Every setting, in the order of the schema; the settings of a nested section come last in it. */
export const SETTINGS: readonly Setting[] = collect(settingsSchema, "");

const settingByPath = new Map(SETTINGS.map((setting) => [setting.path, setting]));

/** The setting at a dotted path; undefined where there is none. */
export function findSetting(path: string): Setting | undefined {
  return settingByPath.get(path);
}

/** The value at a dotted path of a settings object. */
export function settingValue(settings: Settings, path: string): SettingValue {
  let at: unknown = settings;
  for (const name of path.split(".")) at = (at as Record<string, unknown>)[name];
  assert(at !== undefined, "a declared setting has a value");
  return at as SettingValue;
}

function collect(schema: z.ZodType, path: string): Setting[] {
  const facts = settingFacts.get(schema as never);
  if (facts !== undefined) return [{ path, facts, default: schema.parse(undefined) as SettingValue }];
  const section = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema;
  assert(section instanceof z.ZodObject, `${path} is a setting with facts or a section`);
  const shape = section.shape as Record<string, z.ZodType>;
  return Object.entries(shape).flatMap(([name, child]) =>
    collect(child, path === "" ? name : `${path}.${name}`),
  );
}
