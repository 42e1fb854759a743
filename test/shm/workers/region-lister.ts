/** Answers with how many regions of a purpose this thread sees. */
import { listRegions } from "../../../src/shm/region-registry.ts";

declare const self: {
  onmessage: ((event: { data: { purpose: string } }) => void) | null;
  postMessage(count: number): void;
};

self.onmessage = ({ data: { purpose } }) => {
  self.postMessage(listRegions().filter((region) => region.purpose === purpose).length);
};
