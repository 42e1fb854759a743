/**
 * Prints as JSON what the tools of an executable name of a running appliance.
 *
 *   bun diagnose.ts EXECUTABLE URL DIRECTORY SECONDS
 */
import { diagnose } from "../operate/diagnosis.ts";

const [executable, url, directory, seconds] = process.argv.slice(2);

const run = async (words: readonly string[]) => {
  const child = Bun.spawn([executable!, ...words], { stdout: "pipe", stderr: "pipe" });
  const [exitCode, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode, out, err };
};

console.log(JSON.stringify(await diagnose(url!, { run, directory: directory!, seconds: Number(seconds) })));
