/**
 * Builds the pages that the executable carries, each as one file with its style and its script inside, so that it needs
 * nothing from anywhere else: `dist/page.client` is the page at `/`, `dist/profile.client` the report of a profile,
 * into which the command puts its data.
 *
 * Run it (`bun src/build/page.ts`), or call `buildPages()`; it takes some tens of milliseconds.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "../base/errors.ts";

const ROOT = join(import.meta.dir, "../..");

type PageSource = {
  readonly script: string;
  readonly html: string;
  readonly styles: readonly string[];
  readonly made: string;
};

const PAGES: readonly PageSource[] = [
  {
    script: "src/page/main.ts",
    html: "src/page/page.html",
    styles: ["node_modules/uplot/dist/uPlot.min.css", "src/page/page.css"],
    made: "dist/page.client",
  },
  {
    script: "src/page/profile/main.ts",
    html: "src/page/profile/report.html",
    styles: ["src/page/profile/report.css"],
    made: "dist/profile.client",
  },
];

/** Brings the pages up to date. @throws {OperatorError} `build-failed` */
export async function buildPages(): Promise<void> {
  for (const page of PAGES) await buildPage(page);
}

async function buildPage(page: PageSource): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(ROOT, page.script)],
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
  const parts: Readonly<Record<string, string>> = {
    style: page.styles.map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n"),
    // A closing tag in the script would end it.
    script: (await script.text()).replaceAll("</script", "<\\/script"),
  };
  const html = readFileSync(join(ROOT, page.html), "utf8").replaceAll(
    /\/\* (style|script) \*\//g,
    (_, name: string) => parts[name]!,
  );
  const made = join(ROOT, page.made);
  if (existsSync(made) && readFileSync(made, "utf8") === html) return;
  mkdirSync(dirname(made), { recursive: true });
  // A rename, so that who starts meanwhile reads the one or the other.
  const fresh = `${made}.${process.pid}`;
  writeFileSync(fresh, html);
  renameSync(fresh, made);
}

if (import.meta.main) await buildPages();
