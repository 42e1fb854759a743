/**
 * How one setting is declared: its zod schema, and beside it everything a person needs to set it well.
 *
 * The facts live in a zod registry, so that the schema stays the only list of settings: the command
 * `config show`, the file that `config init` writes and `docs/reference/configuration.md` all walk it.
 * Every setting names the module that reads it, and a test opens that module and looks: a setting
 * that nothing reads fails the build. Settings are read when the appliance starts; those that are `live` can change
 * while it runs (`live-settings.ts`).
 */
import { z } from "zod";
import { assert } from "../base/assert.ts";

/** What every setting says about itself. */
type About = {
  /** one sentence: what it sets */
  readonly about: string;
  /** the module that reads it, as a path from the repository root */
  readonly reader: string;
  /** takes effect while the appliance runs; else at its next start */
  readonly live?: true;
};

export type NumberFacts = About & {
  readonly kind: "whole" | "number";
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** what one sees when it is set too low, and too high */
  readonly tooLow: string;
  readonly tooHigh: string;
  /** how the default comes about, where it depends on the machine */
  readonly defaultText?: string;
};

export type ChoiceFacts = About & {
  readonly kind: "choice";
  /** each value, and what it does */
  readonly choices: Readonly<Record<string, string>>;
};

export type ToggleFacts = About & { readonly kind: "toggle"; readonly on: string; readonly off: string };

export type TextFacts = About & {
  readonly kind: "text";
  /** the form of the text, such as "a path" */
  readonly form: string;
};

export type SettingFacts = NumberFacts | ChoiceFacts | ToggleFacts | TextFacts;

/** Facts by schema; `eachSetting` in `schema.ts` reads them. */
export const settingFacts = z.registry<SettingFacts>();

type NumberOptions = Omit<NumberFacts, "kind"> & { readonly default: number | (() => number) };

/** A whole number. Its default lies in its range, which is asserted here. */
export function whole(options: NumberOptions) {
  const { default: standard, ...facts } = options;
  const standardValue = typeof standard === "function" ? standard() : standard;
  assert(Number.isInteger(standardValue), "the default of a whole number is whole");
  assert(standardValue >= facts.min && standardValue <= facts.max, "a default lies in its range");
  return z
    .int()
    .min(facts.min)
    .max(facts.max)
    .default(standardValue)
    .register(settingFacts, { kind: "whole", ...facts });
}

/** A number with decimals. */
export function decimal(options: NumberOptions) {
  const { default: standard, ...facts } = options;
  const standardValue = typeof standard === "function" ? standard() : standard;
  assert(standardValue >= facts.min && standardValue <= facts.max, "a default lies in its range");
  return z
    .number()
    .min(facts.min)
    .max(facts.max)
    .default(standardValue)
    .register(settingFacts, { kind: "number", ...facts });
}

/** One of a few words. */
export function choice<const C extends Readonly<Record<string, string>>>(
  options: Omit<ChoiceFacts, "kind" | "choices"> & {
    readonly choices: C;
    readonly default: keyof C & string;
  },
) {
  const { default: standard, ...facts } = options;
  type Word = keyof C & string;
  const words = Object.keys(facts.choices) as Word[];
  assert(words.length >= 2, "a choice has at least two values");
  const schema = z.enum(words).default(standard as never);
  settingFacts.add(schema, { kind: "choice", ...facts });
  // Zod's own type of an enum over a generic key does not resolve to the words; this is the same schema.
  return schema as unknown as z.ZodDefault<z.ZodEnum<{ [W in Word]: W }>>;
}

/** On or off. */
export function toggle(options: Omit<ToggleFacts, "kind"> & { readonly default: boolean }) {
  const { default: standard, ...facts } = options;
  return z
    .boolean()
    .default(standard)
    .register(settingFacts, { kind: "toggle", ...facts });
}

/** A line of text. `pattern` and `patternText` refuse what can not be meant. */
export function text(
  options: Omit<TextFacts, "kind"> & {
    readonly default: string;
    readonly pattern?: RegExp;
    readonly patternText?: string;
  },
) {
  const { default: standard, pattern, patternText, ...facts } = options;
  const line = z.string().max(4096);
  const checked =
    pattern === undefined ? line : line.regex(pattern, { error: `expected ${patternText ?? facts.form}` });
  return checked.default(standard).register(settingFacts, { kind: "text", ...facts });
}
