/** What systemd is told, and when nothing is. */
import { describe, expect, test } from "bun:test";
import { sendNotification } from "../../src/ffi/notify.ts";
import { openSystemdNotify, watchdogIntervalMs } from "../../src/runtime/systemd-notify.ts";

function recorder(environment: Record<string, string>, alive = () => true) {
  const sent: string[] = [];
  const notify = openSystemdNotify({
    environment,
    alive,
    processId: 42,
    send: (path, state) => {
      sent.push(`${path} ${state}`);
      return undefined;
    },
  });
  return { notify, sent };
}

describe("openSystemdNotify", () => {
  test("openSystemdNotify sends lines that systemd understands", () => {
    const { notify, sent } = recorder({ NOTIFY_SOCKET: "/run/x" });
    notify.ready("serving\nREADY=0");
    notify.status("12 memories");
    notify.extendTimeout(1.5);
    notify.stopping("draining");
    notify.close();
    expect(sent).toEqual([
      "/run/x READY=1\nSTATUS=serving READY=0",
      "/run/x STATUS=12 memories",
      "/run/x EXTEND_TIMEOUT_USEC=1500000",
      "/run/x STOPPING=1\nSTATUS=draining",
    ]);
  });

  test("openSystemdNotify is silent without a service manager", () => {
    for (const environment of [{}, { NOTIFY_SOCKET: "" }, { NOTIFY_SOCKET: "vsock:2:1234" }]) {
      const { notify, sent } = recorder(environment as Record<string, string>);
      notify.ready("x");
      notify.close();
      expect(notify.active).toBeFalse();
      expect(sent).toEqual([]);
    }
  });

  test("openSystemdNotify gives signs of life only while the appliance is alive", async () => {
    let isAlive = true;
    const { notify, sent } = recorder({ NOTIFY_SOCKET: "@x", WATCHDOG_USEC: "4000" }, () => isAlive);
    while (sent.length < 3) await Bun.sleep(1);
    isAlive = false;
    await Bun.sleep(0);
    const countBefore = sent.length;
    await Bun.sleep(20);
    notify.close();
    expect(sent.length).toBe(countBefore);
    expect(new Set(sent)).toEqual(new Set(["@x WATCHDOG=1"]));
  });

  test("openSystemdNotify counts what could not be sent, with the reason", () => {
    const notify = openSystemdNotify({
      environment: { NOTIFY_SOCKET: "/run/x" },
      alive: () => true,
      processId: 1,
      send: () => "ECONNREFUSED",
    });
    notify.ready("x");
    notify.close();
    expect(notify.failures()).toEqual({ count: 1, last: "ECONNREFUSED" });
  });
});

describe("watchdogIntervalMs", () => {
  test("watchdogIntervalMs is half of what systemd waits, for this process only", () => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000" }, 1)).toBe(15_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "2" }, 1)).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }, 1)).toBe(15_000);
    expect(watchdogIntervalMs({}, 1)).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "soon" }, 1)).toBeUndefined();
  });
});

describe("sendNotification", () => {
  test("sendNotification answers the errno where nobody listens or the address is none", () => {
    expect(sendNotification("/nonexistent/notify", "READY=1")).toBe("ENOENT");
    expect(sendNotification("@engram-test-nobody-listens", "READY=1")).toBe("ECONNREFUSED");
    expect(sendNotification("relative", "READY=1")).toBe("EINVAL");
    expect(sendNotification(`/${"x".repeat(200)}`, "READY=1")).toBe("E2BIG");
  });
});
