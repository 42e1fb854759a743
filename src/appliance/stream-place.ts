/** Where a log stream lies in the data directory; `storage/data-directory.ts` makes these directories. */
import type { StreamPlace } from "../storage/data-directory.ts";

export function streamPlace(dataDirectory: string, topology: number, stream: number): StreamPlace {
  const directory = `${dataDirectory}/streams/${topology}/${stream}`;
  return { topology, stream, log: `${directory}/log`, checkpoint: `${directory}/checkpoint` };
}
