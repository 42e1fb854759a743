/** A real Chromium for tests of pages: Debian's package `chromium`, or Chrome, where one is installed. */
import puppeteer, { type Browser } from "puppeteer-core";

const PROGRAM = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find(Boolean);

/** Why there is none; undefined where there is one. */
export const NO_CHROMIUM: string | undefined = PROGRAM ? undefined : "no chromium (apt-get install chromium)";

export function launchChromium(): Promise<Browser> {
  if (!PROGRAM) throw new Error(NO_CHROMIUM);
  // Without its sandbox: tests run as root in containers, and open pages of our own only.
  return puppeteer.launch({
    executablePath: PROGRAM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu"],
  });
}
