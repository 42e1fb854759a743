/**
 * What `serve` needs from the composition in `main.ts`, so that the command knows signals, systemd and the
 * terminal, and nothing about threads; tests hand in an appliance of their own.
 */
import type { SettingChange } from "../config/live-settings.ts";
import type { LoadedSettings } from "../config/load.ts";
import type { Settings } from "../config/schema.ts";

export type RunningAppliance = {
  /** the base address of the API with the port that was really taken, such as http://127.0.0.1:7432 */
  readonly url: string;
  /** one line for `systemctl status`: what it holds and what it does */
  status(): string;
  /** whether every thread gave a sign of life lately; false lets systemd's watchdog run out */
  alive(): boolean;
  /**
   * makes of the running settings what these say, as far as they are live; the old ones stay where that fails
   * @returns what is in force now, and what will be at the next start
   */
  reload(
    settings: Settings,
  ): Promise<{ readonly changed: readonly SettingChange[]; readonly waiting: readonly SettingChange[] }>;
  /** takes no new work, finishes what is under way within `drainMs`, makes everything durable, ends the threads */
  stop(drainMs: number): Promise<void>;
  /** rejects when the appliance can not go on; never resolves before `stop` was called */
  readonly ended: Promise<void>;
};

export type StartReports = {
  /** called while starting, with what is being done ("replaying the log: 40 %") */
  readonly progress: (text: string) => void;
};

/** Resolves when the appliance answers requests. */
export type StartAppliance = (loaded: LoadedSettings, reports: StartReports) => Promise<RunningAppliance>;
