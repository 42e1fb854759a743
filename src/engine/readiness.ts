/** Whether the engine can be asked for anything. */
import { RequestError } from "../base/errors.ts";

export type Readiness = { readonly ready: boolean; readonly stopping: boolean };

/** @throws {RequestError} `shutting-down`, `not-ready` */
export function mustBeReady({ ready, stopping }: Readiness): void {
  if (stopping) {
    throw new RequestError({
      code: "shutting-down",
      message: "The appliance is shutting down",
      retryAfterSeconds: 5,
    });
  }
  if (!ready) {
    throw new RequestError({
      code: "not-ready",
      message: "The appliance is recovering its data",
      retryAfterSeconds: 1,
    });
  }
}
