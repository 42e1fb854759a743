/** Answers each ring of bell 0 with a ring of bell 1. */
import { Doorbell } from "../../../src/shm/doorbell.ts";

export type BellJob = { readonly bells: SharedArrayBuffer; readonly roundCount: number };

declare const self: { onmessage: ((event: { data: BellJob }) => void) | null };

self.onmessage = ({ data: { bells, roundCount } }) => {
  const mine = new Doorbell(bells, 0);
  const theirs = new Doorbell(bells, 1);
  let seen = 0;
  for (let round = 0; round < roundCount; round++) {
    while (mine.read() === seen) mine.wait(seen, 1000);
    seen = (seen + 1) | 0;
    theirs.ring();
  }
};
