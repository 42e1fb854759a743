/**
 * What a thread does while the appliance is profiled: samples its own JavaScript from when main says so until it says
 * stop, and hands main what it saw. Most threads hear of it in a message; a home writer, which hears none, looks at the
 * process's facts in its loop.
 */
import { ScriptSampler } from "../observe/script-sampler.ts";
import { tellMain } from "./thread-messages.ts";

export class ThreadProfile {
  readonly #sampler = new ScriptSampler();
  #run = 0;
  #refusal: string | undefined;

  /** @param run the number of the profile that is under way; 0 for none */
  follow(run: number): void {
    if (run === this.#run) return;
    if (this.#run !== 0) {
      const script = this.#refusal ?? this.#sampler.stop();
      tellMain({ type: "profile-part", run: this.#run, script });
    }
    this.#run = run;
    this.#refusal = undefined;
    if (run === 0) return;
    try {
      this.#sampler.start();
    } catch (error) {
      // Not to be profiled is no reason for a thread to fail.
      this.#refusal = error instanceof Error ? error.message : String(error);
    }
  }
}
