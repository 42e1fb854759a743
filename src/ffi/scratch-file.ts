/** A nameless file for what is only needed for a moment: it goes with its descriptor, also when the process dies. */
import { rmSync } from "node:fs";
import { OPEN, openFile } from "./files.ts";

let made = 0;

/** @returns a descriptor to read and write. @throws {FileError} */
export function openScratchFile(directory: string): number {
  made += 1;
  const path = `${directory}/scratch-${process.pid}-${made}-${Bun.nanoseconds()}`;
  const file = openFile(path, OPEN.readWrite | OPEN.create | OPEN.truncate);
  rmSync(path);
  return file;
}
