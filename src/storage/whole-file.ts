/**
 * Small files that are replaced as a whole: the data directory's own file and the checkpoints' manifests.
 *
 *   engram <what> <format> <crc32c, 8 hex digits> <bytes of the JSON that follows>\n
 *   { … }
 *
 * so `tail -n +2 FILE | jq` shows it. The checksum covers the first line up to it, and the JSON. The new one
 * is written under another name, synced, renamed over the old one, and the directory is synced: a crash leaves
 * the old file or the new one, and a name ending in `.new` that counts for nothing.
 */
import { crc32c } from "./checksum.ts";
import type { Disk } from "./disk.ts";

export type WholeFile = {
  readonly disk: Disk;
  readonly directory: string;
  readonly name: string;
  /** one word saying what the file is */
  readonly what: string;
  readonly format: number;
};

/** What reading found. */
export type WholeFileRead =
  | { readonly state: "read"; readonly value: unknown }
  | { readonly state: "missing" }
  | { readonly state: "newer"; readonly format: number }
  | { readonly state: "damaged"; readonly found: string };

/**
 * Replaces the file.
 *
 * @param renamed called once the new name is given and before that is durable: from here on it is not known
 *   which of the two a restart will find, should this throw
 * @throws {DiskError}
 */
export function replaceWholeFile(file: WholeFile, value: unknown, renamed?: () => void): void {
  const { disk, directory, name } = file;
  const making = `${directory}/${name}.new`;
  const body = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const opening = new TextEncoder().encode(`engram ${file.what} ${file.format} `);
  const crc = crc32c(crc32c(0, opening, 0, opening.length), body, 0, body.length);
  const line = new TextEncoder().encode(`${crc.toString(16).padStart(8, "0")} ${body.length}\n`);
  const handle = disk.open(making, "create");
  try {
    disk.write(handle, opening, 0, opening.length, 0);
    disk.write(handle, line, 0, line.length, opening.length);
    disk.write(handle, body, 0, body.length, opening.length + line.length);
    disk.sync(handle);
  } finally {
    disk.close(handle);
  }
  disk.rename(making, `${directory}/${name}`);
  renamed?.();
  disk.syncDirectory(directory);
}

/** Reads the file. @throws {DiskError} when the disk refuses */
export function readWholeFile(file: WholeFile): WholeFileRead {
  const { disk, directory, name } = file;
  const path = `${directory}/${name}`;
  if (!disk.exists(path)) return { state: "missing" };
  const handle = disk.open(path, "read");
  const bytes = new Uint8Array(disk.size(handle));
  try {
    disk.read(handle, bytes, 0, bytes.length, 0);
  } finally {
    disk.close(handle);
  }
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)));
  const match = /^(engram (\S+) (\d+) )([0-9a-f]{8}) (\d+)$/.exec(line);
  if (!match) return { state: "damaged", found: "its first line is not that of an engram file" };
  const [, opening, what, format, crcText, count] = match;
  const body = bytes.subarray(end + 1);
  if (body.length !== Number(count)) {
    return {
      state: "damaged",
      found: `it should hold ${count} bytes after its first line and holds ${body.length}`,
    };
  }
  const openingBytes = new TextEncoder().encode(opening);
  const crc = crc32c(crc32c(0, openingBytes, 0, openingBytes.length), body, 0, body.length);
  if (crc !== Number.parseInt(crcText!, 16)) return { state: "damaged", found: "its checksum is wrong" };
  if (what !== file.what) return { state: "damaged", found: `it is a file of another kind (${what})` };
  if (Number(format) > file.format) return { state: "newer", format: Number(format) };
  return { state: "read", value: JSON.parse(new TextDecoder().decode(body)) };
}
