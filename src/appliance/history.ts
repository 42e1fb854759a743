/**
 * The history as the appliance keeps it: fed once a second by the first collector, saved every few minutes and when the
 * appliance stops. A process that is killed loses what it recorded since it saved last. Whatever goes wrong with
 * the file is told to the log, and is no reason to stop: memories do not depend on it.
 */
import { SpaceTable } from "../engine/space-table.ts";
import { History } from "../observe/history.ts";
import { loadHistory, saveHistory } from "../observe/history-file.ts";
import { HISTORY_SHAPE } from "../observe/history-layout.ts";
import { FamilySource } from "../observe/history-source.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { Boot } from "./boot.ts";
import { tellMain } from "./thread.ts";
import { openSnapshots } from "./watch.ts";

const SAVE_MS = 5 * 60_000;

export type KeptHistory = {
  /** Records this second. */
  readonly tick: () => void;
  /** Saves for the next process. */
  readonly close: () => void;
};

export function openHistory(boot: Boot): KeptHistory {
  const history = new History(HISTORY_SHAPE, boot.shared.history, {
    hugePages: "off",
    node: boot.place.node,
    lock: false,
  });
  const place = { disk: new NativeDisk(1), directory: boot.dataDirectory };
  const snapshots = openSnapshots(boot, new SpaceTable(boot.shared.spaceTable));
  const source = new FamilySource(() => snapshots.take());
  let savedAtMs = Date.now();
  let refused = 0;
  let isClockBehind = false;

  const attempt = (what: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      warn(`Cannot ${what} the history of metrics: ${error instanceof Error ? error.message : error}`);
    }
  };
  attempt("load", () => {
    const found = loadHistory(history, place, Date.now());
    if (found.state !== "damaged") return;
    warn(
      `The history of metrics begins anew: its file was damaged (${found.found}) and is kept as ${found.keptAs}`,
    );
  });
  history.open();

  const save = (): void => {
    savedAtMs = Date.now();
    attempt("save", () => saveHistory(history, place, savedAtMs));
  };
  const tick = (): void => {
    const nowMs = Date.now();
    const isRecorded = history.record(nowMs, source);
    if (!isRecorded && !isClockBehind)
      warn("The clock was set back: metrics are kept again once it has caught up");
    isClockBehind = !isRecorded;
    if (history.seriesRefused > refused) {
      refused = history.seriesRefused;
      warn(
        `The history keeps ${HISTORY_SHAPE.seriesCountMax} series of metrics at most: ${refused} are left out`,
      );
    }
    if (nowMs - savedAtMs >= SAVE_MS || nowMs < savedAtMs) save();
  };
  return { tick, close: save };
}

function warn(text: string): void {
  tellMain({ type: "log", level: "warn", text });
}
