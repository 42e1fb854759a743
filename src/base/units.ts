/** Sizes and times as people read them. Inside the program a name carries its unit: bytes, ms, ns. */
export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

/** "1.5 GiB", "640 KiB", "12 bytes": three digits that mean something. */
export function formatBytes(bytes: number): string {
  const magnitude = Math.abs(bytes);
  if (magnitude >= 1024 * GIB) return `${digits(bytes / (1024 * GIB))} TiB`;
  if (magnitude >= GIB) return `${digits(bytes / GIB)} GiB`;
  if (magnitude >= MIB) return `${digits(bytes / MIB)} MiB`;
  if (magnitude >= KIB) return `${digits(bytes / KIB)} KiB`;
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

/** "850 ns", "1.25 ms", "3 min 20 s". */
export function formatNs(ns: number): string {
  const magnitude = Math.abs(ns);
  if (magnitude < 1e3) return `${digits(ns)} ns`;
  if (magnitude < 1e6) return `${digits(ns / 1e3)} µs`;
  if (magnitude < 1e9) return `${digits(ns / 1e6)} ms`;
  if (magnitude < 120e9) return `${digits(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  if (magnitude < 7200e9) return `${Math.trunc(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (magnitude < 172_800e9) return `${Math.trunc(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.trunc(minutes / 1440)} d ${Math.round((minutes % 1440) / 60)} h`;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
