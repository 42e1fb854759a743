/** The life of `serve`: start, signs of life, signals, failure; with an appliance of the test's own. */
import { describe, expect, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import type { RunningAppliance } from "../../src/cli/serve-contract.ts";
import { run } from "./run-for-test.ts";

/** An appliance that records what was asked of it. */
function fakeAppliance() {
  const calls: string[] = [];
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const appliance: RunningAppliance = {
    url: "http://127.0.0.1:4242",
    status: () => "serving",
    alive: () => true,
    reload: async (settings) => {
      calls.push(`reload ef ${settings.index.ef_search}`);
      if (settings.index.ef_search === 99)
        throw new OperatorError({ code: "settings-kept", message: "no", remedy: "again" });
      const change = { path: "index.ef_search", from: 64, to: settings.index.ef_search };
      return { changed: [change], waiting: [{ path: "server.port", from: 1, to: 2 }] };
    },
    stop: async (drainMs) => {
      calls.push(`stop ${drainMs}`);
      ended.resolve();
    },
    ended: ended.promise,
  };
  return { appliance, calls, started, fail: ended.reject };
}

describe("serve", () => {
  test("serve prints the addresses, drains on SIGTERM within its bound, and ends with 0", async () => {
    const fake = fakeAppliance();
    const running = run(["serve", "--port", "4242"], {
      environment: { ENGRAM_SERVER__DRAIN_TIMEOUT_S: "3" },
      startAppliance: async ({ settings }) => {
        expect(settings.server.port).toBe(4242);
        queueMicrotask(fake.started.resolve);
        return fake.appliance;
      },
    });
    await fake.started.promise;
    await Bun.sleep(0);
    process.emit("SIGTERM", "SIGTERM");
    const { exitCode, err } = await running;
    expect(exitCode).toBe(0);
    expect(fake.calls).toEqual(["stop 3000"]);
    expect(err).toContain("http://127.0.0.1:4242/api/v1/docs");
    expect(err).toContain("http://127.0.0.1:4242/api/v1/system/health");
    expect(err).toContain("stopping on SIGTERM");
  });

  test("serve ends with the status of what failed, and says what helps", async () => {
    const fake = fakeAppliance();
    const running = run(["serve"], {
      startAppliance: async () => {
        queueMicrotask(() =>
          fake.fail(
            new OperatorError({ code: "config-invalid", message: "Cannot go on", remedy: "Mend it" }),
          ),
        );
        return fake.appliance;
      },
    });
    const { exitCode, err } = await running;
    expect(exitCode).toBe(78);
    expect(err).toContain("Cannot go on");
    expect(err).toContain("What helps: Mend it");
  });

  test("serve ends at once on a signal while it starts", async () => {
    const starting = Promise.withResolvers<void>();
    const running = run(["serve"], {
      startAppliance: () => {
        starting.resolve();
        return new Promise(() => {});
      },
    });
    await starting.promise;
    process.emit("SIGTERM", "SIGTERM");
    expect(await running).toMatchObject({
      exitCode: 0,
      err: "engram-appliance: stopped on SIGTERM while starting\n",
    });
  });

  test("serve does not start with wrong settings", async () => {
    const { exitCode, err } = await run(["serve", "--port", "99999"]);
    expect(exitCode).toBe(78);
    expect(err).toContain("server.port: expected");
    expect(err).toContain("(from --port)");
  });

  test("serve ends at once on a second signal while it drains", async () => {
    const fake = fakeAppliance();
    const running = run(["serve"], {
      startAppliance: async () => {
        queueMicrotask(fake.started.resolve);
        return { ...fake.appliance, stop: () => new Promise<void>(() => {}) };
      },
    });
    await fake.started.promise;
    await Bun.sleep(0);
    process.emit("SIGTERM", "SIGTERM");
    await Bun.sleep(1);
    process.emit("SIGINT", "SIGINT");
    const { exitCode, err } = await running;
    expect(exitCode).toBe(75);
    expect(err).toContain("cut short by a second SIGINT");
  });

  test("serve reads the settings again on SIGHUP, says what came of it, and goes on", async () => {
    const fake = fakeAppliance();
    const environment: Record<string, string> = { ENGRAM_INDEX__EF_SEARCH: "64" };
    const running = run(["serve"], {
      environment,
      startAppliance: async () => {
        queueMicrotask(fake.started.resolve);
        return fake.appliance;
      },
    });
    await fake.started.promise;
    await Bun.sleep(0);
    process.emit("SIGHUP", "SIGHUP");
    await Bun.sleep(10);
    process.emit("SIGTERM", "SIGTERM");
    const { exitCode, err } = await running;
    expect(exitCode).toBe(0);
    expect(fake.calls[0]).toBe("reload ef 64");
    expect(err).toContain(
      "settings read again; in force now: index.ef_search; at the next start: server.port\n",
    );
    expect(process.listenerCount("SIGHUP")).toBe(0);
  });

  test("serve goes on with the old settings where the new ones are not taken", async () => {
    const fake = fakeAppliance();
    const running = run(["serve"], {
      environment: { ENGRAM_INDEX__EF_SEARCH: "99" },
      startAppliance: async () => {
        queueMicrotask(fake.started.resolve);
        return fake.appliance;
      },
    });
    await fake.started.promise;
    await Bun.sleep(0);
    process.emit("SIGHUP", "SIGHUP");
    await Bun.sleep(10);
    process.emit("SIGTERM", "SIGTERM");
    const { exitCode, err } = await running;
    expect(exitCode).toBe(0);
    expect(err).toContain("the settings stay as they were\nno\n  What helps: again\n");
  });
});
