/** What is said when a port can not be listened on. */
import { OperatorError } from "../base/errors.ts";

/** @param where.setting the setting that names the port */
export function listenFailed(
  where: { readonly host: string; readonly port: number; readonly setting: string },
  cause: unknown,
): OperatorError {
  const { host, port, setting } = where;
  const isTaken = (cause as { code?: unknown }).code === "EADDRINUSE";
  return new OperatorError({
    code: "listen-failed",
    message: `Cannot listen on ${host}:${port}: ${isTaken ? "the port is taken" : cause instanceof Error ? cause.message : String(cause)}`,
    remedy: isTaken
      ? `See who holds it: ss -ltnp sport = :${port}; or set ${setting}`
      : `Set server.host to an address of this machine, and ${setting} to a free port`,
    cause,
  });
}
