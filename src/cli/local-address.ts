/** Whether an appliance runs on this machine, by the address it is called at. */
import { networkInterfaces } from "node:os";

/** @param url of the appliance; a host name other than localhost counts as another machine */
export function isLocal(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || host.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}
