/**
 * Reads the region whose address is published, again and again, inside epochs. A region that was freed too
 * early faults; one that was reused shows another mark than its own address.
 */
import { EpochReader } from "../../../src/shm/epochs.ts";
import { viewMemory } from "../../../src/shm/region.ts";

export type EpochJob = {
  readonly epochs: SharedArrayBuffer;
  readonly readerIndex: number;
  /** one f64: the address of the region; 0 says stop */
  readonly published: SharedArrayBuffer;
};

export type EpochReport = { readonly reads: number; readonly wrong: number };

declare const self: {
  onmessage: ((event: { data: EpochJob }) => void) | null;
  postMessage(report: EpochReport): void;
};

self.onmessage = ({ data: { epochs, readerIndex, published } }) => {
  const reader = new EpochReader(epochs, readerIndex);
  const addresses = new BigInt64Array(published);
  let reads = 0;
  let wrong = 0;
  for (let isDone = false; !isDone; ) {
    reader.inside(() => {
      const address = Number(Atomics.load(addresses, 0));
      if (address === 0) {
        isDone = true;
        return;
      }
      const marks = new Float64Array(viewMemory(address, 65_536));
      for (let i = 0; i < marks.length; i += 512) if (marks[i] !== address) wrong += 1;
      reads += 1;
    });
  }
  self.postMessage({ reads, wrong });
};
