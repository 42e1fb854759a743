/** The writing thread of a history under test: as many ticks as it can, until it is told to stop. */
import { History } from "../../src/observe/history.ts";
import { ListSource, SMALL_SHAPE, valueFor } from "./history-fixture.ts";

declare const self: Worker;

self.onmessage = ({ data }: { data: { state: SharedArrayBuffer; stop: SharedArrayBuffer } }) => {
  const stop = new Int32Array(data.stop);
  const history = new History(SMALL_SHAPE, data.state, { hugePages: "off" });
  const source = new ListSource();
  for (let index = 0; index < 20; index++) source.add("made_up", { index: String(index) });
  history.open();
  self.postMessage("writing");
  let tick = 0;
  while (Atomics.load(stop, 0) === 0) {
    const timeMs = 1_000_000_000_000 + tick++ * 1000;
    for (let index = 0; index < 20; index++) source.values[index] = valueFor(index, timeMs);
    history.record(timeMs, source);
  }
  self.postMessage(tick);
};
