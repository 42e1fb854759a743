/** The machine a measurement ran on, in one line: what its figures depend on. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

export function machineText(): string {
  const list = cpus();
  const model = list[0]?.model ?? "unknown processor";
  const flags = processorFlags();
  const simd = ["avx2", "avx512f", "avx512_bf16", "avx512_vnni", "asimd", "bf16"].filter((flag) =>
    flags.has(flag),
  );
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${list.length} x ${model} (${simd.join(" ")}), ${gib} GiB, ${process.platform} ${process.arch}, Bun ${Bun.version}`;
}

function processorFlags(): Set<string> {
  try {
    const line = readFileSync("/proc/cpuinfo", "utf8").match(/^(?:flags|Features)\s*:\s*(.*)$/m);
    return new Set((line?.[1] ?? "").split(" "));
  } catch {
    return new Set();
  }
}
