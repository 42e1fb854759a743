/** Reads back what a command wrote with `--out`. */
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { OperatorError } from "../base/errors.ts";

type Details = ConstructorParameters<typeof OperatorError>[0];

/** @param refusal what to say, given the problem @throws {OperatorError} as `refusal` has it */
export function readWritten<T>(file: string, schema: z.ZodType<T>, refusal: (problem: string) => Details): T {
  let problem: string;
  try {
    const checked = schema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    problem = `${issue!.path.join(".")}: ${issue!.message}`;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  throw new OperatorError(refusal(problem));
}
