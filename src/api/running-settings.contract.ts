/** What the calls about the running settings take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";

const value = z.union([z.string(), z.number(), z.boolean()]);

export const changeSettings = z
  .record(z.string(), value)
  .describe("new values by the name of their setting; only settings that are live");
export const checkedChangeSettings = new Contract(changeSettings);

export const settingReply = z.strictObject({
  name: z.string(),
  value: value.describe("what runs now"),
  default: value,
  live: z.boolean().describe("takes effect while the appliance runs; else at its next start"),
});
export const settingsReply = z.strictObject({ settings: z.array(settingReply) });
export const changedReply = z.strictObject({
  changed: z
    .array(z.strictObject({ name: z.string(), from: value, to: value }))
    .describe(
      "in force in every thread, until the next start; those that had the value already are left out",
    ),
});
