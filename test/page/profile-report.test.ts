/** The report of a profile in a browser: pictures, and a flame graph that shows where a planted loop burns. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { run } from "../cli/run-for-test.ts";
import { ApplianceProcess, PROGRAM, ScratchDirectory } from "../support/appliance-process.ts";
import { launchChromium, NO_CHROMIUM } from "../support/chromium.ts";

const skipped = NO_CHROMIUM ?? (PROGRAM.length === 1 ? "an executable takes no preloaded file" : undefined);
if (skipped !== undefined) console.warn(`the report of a profile is not tried in a browser: ${skipped}`);
const LOOP = "plantedBusyLoop";

describe.skipIf(skipped !== undefined)("the report of a profile", () => {
  const scratch = new ScratchDirectory("profile-report");
  const out = join(scratch.path, "report");
  let browser: Browser;
  let page: Page;
  let summary: string;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: { "thread_pools.api_workers": 1 },
      environment: { BUN_OPTIONS: `--preload ${join(import.meta.dir, "../support/planted-loop.ts")}` },
    });
    const running = run(["profile", "--url", appliance.url, "--duration", "8", "--out", out]);
    await Bun.sleep(2500);
    for (let i = 0; i < 20; i++) await appliance.client.remember({ content: `a note of number ${i}` });
    const ran = await running;
    expect([ran.exitCode, ran.err]).toEqual([0, expect.stringContaining("taking samples")]);
    summary = ran.out;
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => requests.push(request.url()));
    await page.setViewport({ width: 1400, height: 1000 });
    await page.goto(`file://${join(out, "report.html")}`, { waitUntil: "load" });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    scratch[Symbol.dispose]();
  });

  const frames = (): Promise<{ name: string; width: number; isFound: boolean }[]> =>
    page.$$eval(".flame-frame", (elements) =>
      elements.map((element) => ({
        name: element.getAttribute("data-name") ?? "",
        width: element.getBoundingClientRect().width,
        isFound: element.classList.contains("found"),
      })),
    );
  const text = (selector: string): Promise<string> =>
    page.$eval(selector, (element) => element.textContent ?? "");

  test("the flame graph shows the function in which the planted loop burns, wider than any other of its thread", async () => {
    await page.select("#thread", "api-0");
    const all = await frames();
    const burning = all.filter(({ name }) => name === LOOP);
    const whole = Math.max(...all.map(({ width }) => width));
    expect(burning.length).toBeGreaterThan(0);
    expect(burning.reduce((sum, { width }) => sum + width, 0)).toBeGreaterThan(whole * 0.5);
  });

  test("a search marks what it finds and says its share of the time", async () => {
    await page.select("#thread", "api-0");
    await page.focus("#flame");
    await page.keyboard.press("/");
    await page.keyboard.type("plantedbusy");
    const all = await frames();
    expect(all.filter(({ isFound }) => isFound).map(({ name }) => name)).toContain(LOOP);
    expect(all.filter(({ name, isFound }) => isFound && name !== LOOP)).toEqual([]);
    expect(Number.parseFloat(await text("#found"))).toBeGreaterThan(50);
    for (let i = 0; i < "plantedbusy".length; i++) await page.keyboard.press("Backspace");
    expect(await text("#found")).toBe("");
  });

  test("a frame zooms in to the whole width with mouse and keyboard, and out again", async () => {
    await page.select("#thread", "api-0");
    const widthOf = async (): Promise<number> =>
      Math.max(...(await frames()).filter(({ name }) => name === LOOP).map(({ width }) => width));
    const before = await widthOf();
    const whole = await page.$eval("#flame", (box) => box.getBoundingClientRect().width);
    await page.$eval(`.flame-frame[data-name="${LOOP}"]`, (element) => element.click());
    expect(await widthOf()).toBeCloseTo(whole, 0);
    expect(await text("#frame")).toContain(`${LOOP} (`);
    for (let i = 0; i < 30 && (await widthOf()) > before + 1; i++) await page.keyboard.press("Escape");
    expect(await widthOf()).toBeCloseTo(before, 0);
    // By keyboard alone: down from the root to the heaviest, and into it.
    await page.click("#reset");
    await page.keyboard.press("ArrowDown");
    const name = await page.evaluate('document.activeElement.getAttribute("data-name")');
    await page.keyboard.press("Enter");
    const zoomed = (await frames()).find((frame) => frame.name === name)!;
    expect(zoomed.width).toBeCloseTo(whole, 0);
  });

  test("the page shows latency, threads, memory and what is missing, and loads nothing from anywhere", async () => {
    expect(await text("#latency")).toContain("remember");
    expect(await text("#threads")).toContain("writer-0");
    expect(await text("#memory")).toContain("vectors");
    expect(await text("#machine")).toContain("Log appended");
    expect(await text("#cost")).toContain("of a core");
    expect((await page.$$(".dot")).length).toBeGreaterThan(3);
    expect((await page.$$(".bar .ran")).length).toBeGreaterThan(0);
    expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("the function is named as the bottleneck where threads get the cores they want", () => {
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    const hot = report.measured.hot_functions.find(({ thread }: { thread: string }) => thread === "api-0");
    expect(hot.name).toBe(LOOP);
    expect(hot.self).toBeGreaterThan(0.5);
    // Without native samples nobody knows whether it was in the function itself.
    if (hot.is_certain) expect(summary).toContain(`The function ${LOOP} takes most of api-0 (hot_function`);
  });
});
