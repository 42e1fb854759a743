/**
 * What a running appliance was really granted, by NUMA node and kind of page: asked of its health, because only it
 * knows its regions. The key is read from $ENGRAM_KEY_FILE where the appliance wants one.
 */
import { z } from "zod";
import { type Fact, known, unavailable } from "../../base/fact.ts";
import { callAppliance } from "../appliance-client.ts";
import type { CommandContext } from "../command.ts";
import type { Finding } from "./decide.ts";

const pagesSchema = z.object({ base: z.number(), transparent: z.number(), reserved: z.number() });
const healthSchema = z.object({
  parts: z.object({
    memory: z.object({
      detail: z.object({
        mapped_bytes_by_node: z.record(z.string(), pagesSchema),
        refused: z.record(z.string(), z.number()).optional(),
      }),
    }),
  }),
});

export type GrantedMemory = {
  /** bytes by kind of page, by node: "0"; "0,1" where regions are spread; "unbound" */
  readonly byNode: Readonly<Record<string, z.output<typeof pagesSchema>>>;
  /** what was asked for and not given, with its errno, and to how many regions */
  readonly refused: Readonly<Record<string, number>>;
};

/** Asks the appliance that the settings name. */
export async function askGrantedMemory(context: CommandContext): Promise<Fact<GrantedMemory>> {
  try {
    const answer = healthSchema.safeParse(await callAppliance(context, "GET", "/api/v1/system/health"));
    if (!answer.success) return unavailable("what listens there does not answer as this appliance does");
    const { mapped_bytes_by_node, refused } = answer.data.parts.memory.detail;
    return known({ byNode: mapped_bytes_by_node, refused: refused ?? {} });
  } catch (error) {
    return unavailable(error instanceof Error ? error.message : String(error));
  }
}

export function grantedMemoryFinding(granted: Fact<GrantedMemory>): Finding {
  const area = "memory granted";
  if (!("value" in granted)) return { area, status: "unavailable", evidence: granted.unavailable };
  const { byNode, refused } = granted.value;
  const nodes = Object.entries(byNode).map(([node, pages]) => {
    const kinds = Object.entries(pages).filter(([, bytes]) => bytes > 0);
    const name = node === "unbound" ? "unbound" : node.includes(",") ? `nodes ${node}` : `node ${node}`;
    return `${name}: ${kinds.map(([kind, bytes]) => `${mib(bytes)} ${kind}`).join(", ")}`;
  });
  const refusals = Object.entries(refused).map(([what, count]) => `${what} (${count} regions)`);
  const evidence = [...nodes, ...(refusals.length > 0 ? [`refused ${refusals.join(", ")}`] : [])].join("; ");
  // Huge pages that ran out are the common case, and the regions do without them: no cause for a warning.
  const refusedPlace = Object.keys(refused).find((what) => /^(binding|locking):/.test(what));
  if (refusedPlace === undefined) return { area, status: "ok", evidence };
  return {
    area,
    status: "warn",
    evidence,
    consequence: "Some regions do not lie on the node they belong to, or may be swapped out",
    remedy: "Look at cpuset (AllowedMemoryNodes=), RLIMIT_MEMLOCK and CAP_IPC_LOCK of the service",
  };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
