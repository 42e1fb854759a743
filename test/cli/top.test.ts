import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ApiUnderTest } from "../api/api-under-test.ts";
import { eventually } from "../support/appliance-process.ts";
import { run } from "./run-for-test.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const NO_PTY = typeof Bun.Terminal === "function" ? undefined : "this Bun opens no terminals";
if (NO_PTY !== undefined) console.warn(`top is not tried in a terminal: ${NO_PTY}`);

/** `top` in a terminal of its own. */
class TopInTerminal {
  /** all that it sent to the terminal, with ␛ for the escape character */
  shown = "";
  readonly #child: Bun.Subprocess;

  constructor(url: string, environment: Record<string, string> = {}) {
    const decoder = new TextDecoder();
    const words = [process.execPath, MAIN, "top", "--url", url, "--interval", "0.5"];
    // The shell says how the terminal was left.
    const line = `before=$(stty -g); "$@"; echo "status $?"; test "$before" = "$(stty -g)" && echo restored`;
    this.#child = Bun.spawn(["sh", "-c", line, "sh", ...words], {
      env: { PATH: process.env["PATH"] ?? "", TERM: "xterm-256color", ENGRAM_CONFIG: "", ...environment },
      terminal: {
        cols: 80,
        rows: 24,
        data: (_, bytes) => {
          this.shown += decoder.decode(bytes, { stream: true }).replaceAll("\x1b", "␛");
        },
      },
    });
  }

  until(pattern: RegExp): Promise<void> {
    return eventually(`the terminal shows ${pattern}`, () => pattern.test(this.shown));
  }

  press(keys: string): void {
    this.#child.terminal!.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.shown = "";
    this.#child.terminal!.resize(columns, rows);
  }

  async left(): Promise<string> {
    await this.#child.exited;
    await this.until(/status \d+\r\n/);
    return this.shown;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
    this.#child.terminal!.close();
  }
}

describe("top", () => {
  let api: ApiUnderTest;
  beforeAll(() => {
    api = new ApiUnderTest();
  });
  afterAll(() => api.close());

  test("top without a terminal prints one frame, as wide as $COLUMNS, without colours", async () => {
    const { exitCode, out } = await run(["top", "--url", api.url]);
    expect(exitCode).toBe(0);
    expect(out).toStartWith(`engram 0.0.0 at ${api.url}`);
    expect(out).toContain("\nOPERATIONS ");
    expect(out).toContain("memories -");
    expect(out).not.toContain("\x1b");
    expect(Math.max(...out.split("\n").map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(80);
    const wide = await run(["top", "--once", "--url", api.url], { environment: { COLUMNS: "120" } });
    expect(wide.out).toMatch(/^OPERATIONS .* MEMORY /m);
  });

  test("top --json prints what is known, for a script", async () => {
    const { out } = await run(["top", "--json", "--url", api.url]);
    expect(JSON.parse(out)).toMatchObject({
      url: api.url,
      version: "0.0.0",
      alerts: [],
      values: { rate: [], loop_delay: [], false_memories: [] },
    });
  });

  test("top refuses an interval that it can not keep, and an appliance that is not there", async () => {
    for (const interval of ["0", "soon", "", "1e9"]) {
      const { exitCode, err } = await run(["top", "--url", api.url, "--interval", interval]);
      expect([interval, exitCode]).toEqual([interval, 64]);
      expect(err).toContain("What helps: Give --interval a number from 0.5 to 3600");
    }
    const { exitCode, out, err } = await run(["top", "--url", "http://127.0.0.1:9"]);
    expect([exitCode, out]).toEqual([69, ""]);
    expect(err).toContain("Cannot reach the appliance");
  });

  describe.skipIf(NO_PTY !== undefined)("in a terminal", () => {
    test.each([
      ["q", "q"],
      ["Esc", "\x1b"],
      ["Ctrl-C", "\x03"],
    ])(
      "%s leaves, and the terminal is as it was",
      async (_, key) => {
        using top = new TopInTerminal(api.url);
        await top.until(/OPERATIONS/);
        expect(top.shown).toMatch(/␛\[\?1049h␛\[\?25l/);
        top.press(key);
        const shown = await top.left();
        expect(shown).toMatch(/␛\[\?25h␛\[\?1049lstatus 0\r\nrestored\r\n$/);
      },
      60_000,
    );

    test("top follows the size of the terminal, and keys", async () => {
      using top = new TopInTerminal(api.url, { NO_COLOR: "1" });
      await top.until(/OPERATIONS/);
      // One below the other, until there is room beside each other.
      expect(top.shown).not.toMatch(/OPERATIONS [^\r\n]* MEMORY/);
      expect(top.shown).not.toMatch(/␛\[[0-9;]*m/);
      top.resize(130, 40);
      await top.until(/OPERATIONS [^\r\n]* MEMORY/);
      top.press("?");
      await top.until(/sort by the next of/);
      top.press("q");
      await top.left();
    }, 60_000);

    test("top goes on where the appliance was lost, and says so", async () => {
      const other = new ApiUnderTest();
      using top = new TopInTerminal(other.url);
      await top.until(/OPERATIONS/);
      await other.close();
      await top.until(/No answer since \d\d:\d\d:\d\d UTC, trying again: Cannot reach/);
      top.press("q");
      expect(await top.left()).toContain("status 0");
    }, 60_000);
  });
});
