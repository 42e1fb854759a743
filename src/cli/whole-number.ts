/** Whole numbers, as options give them. */
import { OperatorError } from "../base/errors.ts";
import { type CommandContext, optionText } from "./command.ts";

/** @throws {OperatorError} `usage` */
export function wholeNumber(text: string, flag: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OperatorError({
    code: "usage",
    message: `Cannot read ${flag} ${text}: expected a whole number`,
    remedy: "Write digits only",
  });
}

/** The whole number of an option within a range, or `standard` without it. @throws {OperatorError} `usage` */
export function wholeNumberIn(
  context: CommandContext,
  name: string,
  standard: number,
  [min, max]: readonly [number, number],
): number {
  const text = optionText(context, name);
  if (text === undefined) return standard;
  const value = wholeNumber(text, `--${name}`);
  if (value >= min && value <= max) return value;
  throw new OperatorError({
    code: "usage",
    message: `Cannot use --${name} ${text}`,
    remedy: `Give a whole number from ${min} to ${max}`,
  });
}
