/** Binding of `native/notify.c`: one datagram to the service manager. */
import { errnoName, openShim } from "./library.ts";

const shim = openShim({ shim_notify_send: { args: ["cstring", "cstring"], returns: "i32" } });

/** @returns undefined, or the name of the errno that kept the datagram from being sent */
export function sendNotification(socketPath: string, state: string): string | undefined {
  const answer = shim.shim_notify_send(cText(socketPath) as never, cText(state) as never);
  return answer === 0 ? undefined : errnoName(-answer);
}

function cText(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
