/**
 * The states of alerts over a restart: `<data>/alerts`, replaced as a whole whenever one changes and at the stop.
 *
 * A process that is killed loses nothing that fired or ended; one that was pending waits its whole time again.
 */
import { z } from "zod";
import type { Disk } from "../../storage/disk.ts";
import { readWholeFile, replaceWholeFile, type WholeFile } from "../../storage/whole-file.ts";
import type { SavedAlert } from "./alert-states.ts";

const fileSchema = z.object({
  savedAtMs: z.number(),
  alerts: z.array(
    z.object({
      rule: z.string(),
      labels: z.record(z.string(), z.string()),
      state: z.enum(["pending", "firing", "resolved"]),
      value: z.number(),
      activeAtMs: z.number(),
      firedAtMs: z.number().optional(),
      resolvedAtMs: z.number().optional(),
      isTold: z.boolean(),
    }),
  ),
});

export type AlertsFound =
  | { readonly state: "read"; readonly savedAtMs: number; readonly alerts: readonly SavedAlert[] }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly found: string };

export class KeptAlerts {
  readonly #file: WholeFile;

  constructor(disk: Disk, directory: string) {
    this.#file = { disk, directory, name: "alerts", what: "alerts", format: 1 };
  }

  /** @throws {DiskError} */
  save(alerts: readonly SavedAlert[], savedAtMs: number): void {
    replaceWholeFile(this.#file, { savedAtMs, alerts });
  }

  /** @throws {DiskError} */
  load(): AlertsFound {
    const found = readWholeFile(this.#file);
    if (found.state === "missing") return found;
    if (found.state === "newer") {
      return { state: "damaged", found: `its format ${found.format} is newer than this program` };
    }
    if (found.state === "damaged") return found;
    const parsed = fileSchema.safeParse(found.value);
    if (!parsed.success) return { state: "damaged", found: "it does not have the form of a file of alerts" };
    const alerts = parsed.data.alerts.map((each) => ({
      ...each,
      firedAtMs: each.firedAtMs,
      resolvedAtMs: each.resolvedAtMs,
      backSinceMs: undefined,
    }));
    return { state: "read", savedAtMs: parsed.data.savedAtMs, alerts };
  }
}
