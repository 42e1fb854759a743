/**
 * Stops asking a server that does not answer, and tries it again now and then.
 *
 *             failed() × FAILURES_TO_OPEN              allows(), after the pause
 *   closed ───────────────────────────────▶ open ───────────────────────────▶ half-open
 *     ▲                                      ▲                                    │  │
 *     │                                      └──────────── failed(), pause × 2 ───┘  │
 *     └──────────────────────────────── succeeded() ────────────────────────────────┘
 *
 * Half-open lets one request through; the others are turned away until it is known how that one ended.
 */
import type { Clock } from "../base/clock.ts";

export type CircuitState = "closed" | "open" | "half-open";

const FAILURES_TO_OPEN = 5;
const PAUSE_MS_FIRST = 1_000;
const PAUSE_MS_MAX = 30_000;

export class CircuitBreaker {
  readonly #clock: Clock;
  #state: CircuitState = "closed";
  #failures = 0;
  #pauseMs = PAUSE_MS_FIRST;
  #openUntilNs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** failures since the last success */
  get failures(): number {
    return this.#failures;
  }

  /** Whether a request may be sent now; in the open state the first after the pause becomes the trial. */
  allows(): boolean {
    if (this.#state === "closed") return true;
    if (this.#state === "half-open") return false;
    if (this.#clock.nowNs() < this.#openUntilNs) return false;
    this.#state = "half-open";
    return true;
  }

  /** ms until `allows` may say yes; 0 when it may now */
  waitMs(): number {
    if (this.#state === "closed") return 0;
    if (this.#state === "half-open") return this.#pauseMs;
    return Math.max(0, (this.#openUntilNs - this.#clock.nowNs()) / 1e6);
  }

  succeeded(): void {
    this.#state = "closed";
    this.#failures = 0;
    this.#pauseMs = PAUSE_MS_FIRST;
  }

  failed(): void {
    this.#failures++;
    if (this.#state === "half-open") this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    else if (this.#state === "open" || this.#failures < FAILURES_TO_OPEN) return;
    this.#state = "open";
    this.#openUntilNs = this.#clock.nowNs() + this.#pauseMs * 1e6;
  }

  /** The trial ended without a word on the server's health (it was called off): another may be made. */
  undecided(): void {
    if (this.#state !== "half-open") return;
    this.#state = "open";
    this.#openUntilNs = this.#clock.nowNs();
  }
}
