import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { launchChromium, NO_CHROMIUM } from "../support/chromium.ts";
import { buildSlowSync, NO_SLOW_SYNC } from "../support/slow-sync.ts";

// In memory, so that only the delay makes a sync slow.
const SHM = "/dev/shm";
const skipped = NO_CHROMIUM ?? NO_SLOW_SYNC ?? (existsSync(SHM) ? undefined : "no /dev/shm");
if (skipped !== undefined) console.warn(`the page is not tried in a browser: ${skipped}`);
const WAIT_MS_MAX = 40_000;

/** The page as a person meets it: what the browser complained of is kept. */
class Visit {
  readonly page: Page;
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("requestfailed", (request) => {
      // A stream that the test ends by leaving is no failure.
      if (!request.url().includes("/stream/")) this.complaints.push(`failed: ${request.url()}`);
    });
  }

  static async open(browser: Browser, url: string): Promise<Visit> {
    const visit = new Visit(await browser.newPage());
    await visit.page.goto(url, { waitUntil: "load" });
    return visit;
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => element.textContent ?? "");
  }

  async until(selector: string, pattern: RegExp): Promise<string> {
    const deadline = performance.now() + WAIT_MS_MAX;
    for (;;) {
      const text = await this.text(selector);
      if (pattern.test(text)) return text;
      if (performance.now() > deadline)
        throw new Error(`${selector} says ${JSON.stringify(text)}, not ${pattern}`);
      await Bun.sleep(200);
    }
  }
}

type Node = NonNullable<Awaited<ReturnType<Page["accessibility"]["snapshot"]>>>;

function nodesOf(tree: Node | null): Node[] {
  return tree === null ? [] : [tree, ...(tree.children ?? []).flatMap(nodesOf)];
}

describe.skipIf(skipped !== undefined)("the page", () => {
  let browser: Browser;
  let appliance: ApplianceProcess;
  const directory = new ScratchDirectory("page");
  let data: string;
  const slowWhile = join(directory.path, "slow");

  const remember = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const reply = await fetch(`${appliance.url}/api/v1/memories/remember`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ content: `Ada keeps bees number ${at}` }),
      });
      expect(reply.status).toBe(201);
    }
  };

  beforeAll(async () => {
    data = mkdtempSync(join(SHM, "engram-page-"));
    appliance = await ApplianceProcess.start({
      data: join(data, "data"),
      settings: {
        "alerts.interval_s": 1,
        "alerts.patience": 0.01,
        "monitoring.slow_query_threshold_ms": 20,
      },
      environment: {
        LD_PRELOAD: buildSlowSync(directory.path),
        ENGRAM_TEST_SLOW_WHILE: slowWhile,
        ENGRAM_TEST_SLOW_MS: "30",
      },
    });
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await appliance?.stop();
    rmSync(data, { recursive: true, force: true });
    directory[Symbol.dispose]();
  });

  test("the page loads, fills its panels, updates, and the browser complains of nothing", async () => {
    await remember(20);
    const visit = await Visit.open(browser, appliance.url);
    await visit.until("#notice", /^updated/);
    await visit.until("#figure-memories", /^20$/);
    expect(await visit.text("#status")).toBe("ok");
    await visit.until("#counters", /task clock/);
    expect(await visit.text("#panel-false-memory .empty")).toContain("has not run yet");
    // Not before there is a sample to grow from.
    await remember(5);
    await visit.until("#figure-memories", /^25$/);
    await visit.until("#panel-rates .legend", /remember/);
    expect(await visit.page.$$eval("#panel-rates canvas", (found) => found.length)).toBe(1);
    await visit.until("#events", /formed/);
    expect(visit.complaints).toEqual([]);
    await visit.page.close();
  }, 90_000);

  test("the page shows an alert that was provoked, and that it ended", async () => {
    const visit = await Visit.open(browser, appliance.url);
    await visit.until("#alert-badge", /no alert/);
    writeFileSync(slowWhile, "");
    const writing = setInterval(() => void remember(2).catch(() => undefined), 100);
    try {
      const alert = await visit.until("#alerts", /EngramWalFlushSlow[\s\S]*firing/);
      expect(alert).toContain("since");
      await visit.until("#alert-badge", /firing/);
      rmSync(slowWhile);
      await visit.until("#slow", /remember/);
    } finally {
      clearInterval(writing);
    }
    expect(visit.complaints).toEqual([]);
    await visit.page.close();
  }, 150_000);

  test("the page is used with the keyboard, in either theme, and on a phone", async () => {
    const visit = await Visit.open(browser, appliance.url);
    await visit.until("#notice", /^updated/);
    const theme = (): Promise<string | undefined> =>
      visit.page.$eval(
        "html",
        (element) => (element as { dataset: Record<string, string> }).dataset["theme"],
      );
    const before = await theme();
    await visit.page.focus("#theme");
    await visit.page.keyboard.press("Enter");
    expect(await theme()).not.toBe(before);
    await visit.page.reload({ waitUntil: "load" });
    expect(await theme()).not.toBe(before);

    await visit.page.setViewport({ width: 360, height: 740 });
    await visit.until("#notice", /^updated/);
    // Nothing is wider than the screen; tables scroll in themselves.
    const widths = await visit.page.$eval(
      "html",
      (element) => [element.scrollWidth, element.clientWidth] as const,
    );
    expect(widths[0]).toBeLessThanOrEqual(widths[1]);

    await visit.page.keyboard.press("Tab");
    // The first stop leads past the head.
    const tree = await visit.page.accessibility.snapshot();
    const named = (role: string): (string | undefined)[] =>
      nodesOf(tree).flatMap((node) => (node.role === role ? [node.name] : []));
    expect(named("link")).toContain("Skip to the panels");
    expect(named("button").some((name) => name?.startsWith("change to the"))).toBe(true);
    for (const title of ["Operations", "Memory and tiers", "Mind", "Slow operations"]) {
      expect(named("heading")).toContain(title);
      expect(named("region")).toContain(title);
    }
    expect(visit.complaints).toEqual([]);
    await visit.page.close();
  }, 90_000);
});
