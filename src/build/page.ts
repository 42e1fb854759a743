/**
 * Builds `dist/page.client`: the page at `/` as one file, with its style, its script and uPlot inside, so that it
 * needs nothing from anywhere else. The executable carries the file.
 *
 * Run it (`bun src/build/page.ts`), or call `buildPage()`; it takes some tens of milliseconds.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "../base/errors.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGE = join(ROOT, "src/page");
const CLIENT = join(ROOT, "dist/page.client");

/** Brings the page up to date; answers its path. @throws {OperatorError} `build-failed` */
export async function buildPage(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(PAGE, "main.ts")],
    target: "browser",
    minify: true,
    throw: false,
  });
  const [script] = built.outputs;
  if (!built.success || script === undefined) {
    throw new OperatorError({
      code: "build-failed",
      message: `Cannot build the page:\n${built.logs.map((entry) => String(entry)).join("\n")}`,
      remedy: "Correct what the messages name; where a package is missing: npm ci",
    });
  }
  const style = [join(ROOT, "node_modules/uplot/dist/uPlot.min.css"), join(PAGE, "page.css")]
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const parts: Readonly<Record<string, string>> = {
    style,
    // A closing tag in the script would end it.
    script: (await script.text()).replaceAll("</script", "<\\/script"),
  };
  const html = readFileSync(join(PAGE, "page.html"), "utf8").replaceAll(
    /\/\* (style|script) \*\//g,
    (_, name: string) => parts[name]!,
  );
  if (existsSync(CLIENT) && readFileSync(CLIENT, "utf8") === html) return CLIENT;
  mkdirSync(dirname(CLIENT), { recursive: true });
  // A rename, so that who starts meanwhile reads the one or the other.
  const fresh = `${CLIENT}.${process.pid}`;
  writeFileSync(fresh, html);
  renameSync(fresh, CLIENT);
  return CLIENT;
}

if (import.meta.main) await buildPage();
