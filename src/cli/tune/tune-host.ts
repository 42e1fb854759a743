/** The machine as a tuning plan looks at it, from the facts of the doctor. */
import { availableParallelism } from "node:os";
import { mapFact } from "../../base/fact.ts";
import type { Settings } from "../../config/schema.ts";
import type { HostFacts } from "../../operate/tune/plan.ts";
import { realHost } from "../doctor/host.ts";
import { gatherHostFacts } from "../doctor/host-facts.ts";

/** Vector instructions that the kernels of this program use, as the kernel names them in /proc/cpuinfo. */
const VECTOR_INSTRUCTIONS = ["avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"] as const;

export async function tuneHost(settings: Settings): Promise<HostFacts> {
  const facts = await gatherHostFacts(realHost, {
    dataDirectory: settings.data.dir,
    address: settings.server.host,
    port: settings.server.port,
  });
  return {
    cores: availableParallelism(),
    memoryBytes: facts.memoryTotalBytes,
    memoryAvailableBytes: facts.memoryAvailableBytes,
    numaNodes: mapFact(facts.numaNodes, (nodes) => nodes.length, "the kernel lists no nodes"),
    vectorInstructions: mapFact(
      facts.cpuFlags,
      (flags) => VECTOR_INSTRUCTIONS.filter((name) => flags.has(name)),
      "the processor lists no features",
    ),
    diskTurns: facts.dataDirectory.rotational,
    syncMedianMs: mapFact(facts.dataDirectory.sync, ({ medianMs }) => medianMs, "it was not measured"),
  };
}
