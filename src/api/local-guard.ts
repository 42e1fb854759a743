/**
 * Who may call an API that needs no key: programs on this machine, and no web page.
 *
 * A page in a browser on this machine can reach 127.0.0.1 too. Two ways are closed here:
 *   - DNS rebinding: the page's own name is made to resolve to 127.0.0.1, so that the browser takes us for its
 *     server. Its requests then carry its name in `Host`, which is refused.
 *   - a request across origins, which a browser sends and only hides the answer of. It carries `Origin`, or
 *     `Sec-Fetch-Site`, and is refused unless it comes from a page of our own (the docs page).
 */
import { RequestError } from "../base/errors.ts";

const LOOPBACK_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i;

/** @throws {RequestError} `host-refused`, `origin-refused` */
export function guardLocalRequest(request: Request): void {
  const headers = request.headers;
  const host = headers.get("host") ?? "";
  if (!LOOPBACK_HOST.test(host)) {
    throw new RequestError({
      code: "host-refused",
      message: "The request names another host than the loopback address",
      at: "Host",
      expected: "127.0.0.1, localhost or [::1]",
      received: host === "" ? "absent" : JSON.stringify(host.slice(0, 128)),
    });
  }
  const origin = headers.get("origin");
  if (origin !== null && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw originRefused("Origin", origin);
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") throw originRefused("Sec-Fetch-Site", site);
}

/** Whether listening on `host` reaches this machine only. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i.test(host);
}

function originRefused(at: string, received: string): RequestError {
  return new RequestError({
    code: "origin-refused",
    message: "The request comes from a web page of another origin",
    at,
    expected: "absent, or the origin of the appliance itself",
    received: JSON.stringify(received.slice(0, 128)),
  });
}
