/** Judging a host: facts of machines that are well, short of something, or silent. */
import { describe, expect, test } from "bun:test";
import { known, unavailable } from "../../src/base/fact.ts";
import { decideFindings, type Finding, worstStatus } from "../../src/cli/doctor/decide.ts";
import { grantedMemoryFinding } from "../../src/cli/doctor/granted-memory.ts";
import { type Host, realHost } from "../../src/cli/doctor/host.ts";
import { gatherHostFacts, type HostFacts } from "../../src/cli/doctor/host-facts.ts";
import { findingLines } from "../../src/cli/doctor.ts";
import { settingsSchema } from "../../src/config/schema.ts";
import { run } from "./run-for-test.ts";

const SETTINGS = settingsSchema.parse({});

const NODE = { memoryBytes: known(1), hugePagesReserved: known(0), hugePagesFree: known(0) };

/** A server with two nodes on which everything is as it should be. */
const WELL: HostFacts = {
  architecture: "x64",
  kernel: known("6.1.0-44-amd64"),
  cpuModel: known("Xeon"),
  cpuCount: known(32),
  cpuFlags: known(new Set(["avx2", "fma", "avx512f", "constant_tsc", "nonstop_tsc"])),
  clockSource: known("tsc"),
  clockSynchronised: known(true),
  memoryTotalBytes: known(64 * 2 ** 30),
  memoryAvailableBytes: known(60 * 2 ** 30),
  swapUsedBytes: known(0),
  mapCountMax: known(1_000_000),
  numaNodes: known([
    {
      node: 0,
      cpus: "0-15",
      memoryBytes: known(32 * 2 ** 30),
      hugePagesReserved: known(64),
      hugePagesFree: known(60),
    },
    {
      node: 1,
      cpus: "16-31",
      memoryBytes: known(32 * 2 ** 30),
      hugePagesReserved: known(0),
      hugePagesFree: known(0),
    },
  ]),
  numaBalancing: known(false),
  libnuma: known("/usr/lib/libnuma.so.1"),
  hugePagesReserved: known(64),
  hugePagesFree: known(64),
  transparentHugePages: known("madvise"),
  openFilesSoft: known(65_536),
  openFilesHard: known(65_536),
  lockedMemorySoftBytes: known(Number.POSITIVE_INFINITY),
  perfEventParanoid: known(2),
  hardwareCounters: known(true),
  dataDirectory: {
    path: "/srv/memories",
    exists: true,
    mode: known(0o700),
    ownerId: known(1000),
    userId: 1000,
    writable: true,
    fileSystem: known("ext4"),
    bytesFree: known(500 * 2 ** 30),
    rotational: known(false),
    sync: known({ medianMs: 0.2, maxMs: 3, samples: 64 }),
  },
  listenError: undefined,
};

function finding(area: string, change: Partial<HostFacts>, settings = SETTINGS): Finding {
  const found = decideFindings({ ...WELL, ...change }, settings).find((one) => one.area === area);
  if (found === undefined) throw new Error(`no finding about ${area}`);
  return found;
}

describe("decideFindings", () => {
  test("decideFindings finds nothing wrong with a machine that is well", () => {
    const findings = decideFindings(WELL, SETTINGS);
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(worstStatus(findings)).toBe("ok");
  });

  test("decideFindings gives consequence and remedy with every warning and failure", () => {
    const poor: HostFacts = {
      ...WELL,
      kernel: known("4.19.0"),
      cpuFlags: known(new Set<string>()),
      clockSynchronised: known(false),
      memoryAvailableBytes: known(2 ** 30),
      mapCountMax: known(65_530),
      numaBalancing: known(true),
      libnuma: unavailable("libnuma.so.1 is in no library directory"),
      hugePagesFree: known(0),
      transparentHugePages: known("never"),
      openFilesSoft: known(1024),
      lockedMemorySoftBytes: known(8 * 2 ** 20),
      perfEventParanoid: known(3),
      hardwareCounters: known(false),
      dataDirectory: {
        ...WELL.dataDirectory,
        mode: known(0o755),
        fileSystem: known("tmpfs"),
        bytesFree: known(2 ** 30),
        sync: known({ medianMs: 12, maxMs: 30, samples: 64 }),
      },
      listenError: "EADDRINUSE",
    };
    const settings = settingsSchema.parse({ memory: { lock: true, huge_pages: "require" } });
    const findings = decideFindings(poor, settings);
    const wrong = findings.filter(({ status }) => status === "warn" || status === "fail");
    expect(wrong.length).toBeGreaterThan(14);
    for (const { area, consequence, remedy } of wrong) {
      expect(consequence, area).toBeString();
      expect(remedy, area).toBeString();
    }
    expect(worstStatus(findings)).toBe("fail");
  });

  test("decideFindings never judges what could not be measured", () => {
    const silent = Object.fromEntries(
      Object.entries(WELL).map(([name, fact]) => [
        name,
        typeof fact === "object" && "value" in fact ? unavailable("not told") : fact,
      ]),
    ) as unknown as HostFacts;
    const findings = decideFindings(silent, SETTINGS);
    expect(finding("kernel", silent)).toEqual({
      area: "kernel",
      status: "unavailable",
      evidence: "not told",
    });
    expect(worstStatus(findings)).not.toBe("fail");
  });

  test("decideFindings fails where reserved huge pages are required and none is free", () => {
    const settings = settingsSchema.parse({ memory: { huge_pages: "require" } });
    expect(finding("huge pages", { hugePagesFree: known(0) }, settings).status).toBe("fail");
    expect(finding("huge pages", { hugePagesFree: known(0) }).status).toBe("ok");
  });

  test("decideFindings names the package that brings libnuma, and worries only with several nodes", () => {
    const missing = { libnuma: unavailable("gone") };
    expect(finding("libnuma", missing)).toMatchObject({ status: "warn" });
    expect(finding("libnuma", missing).remedy).toContain("libnuma1");
    const oneNode = { ...missing, numaNodes: known([{ ...NODE, node: 0, cpus: "0" }]) };
    expect(finding("libnuma", oneNode).status).toBe("ok");
  });

  test("decideFindings names each node's processors, memory and huge pages", () => {
    expect(finding("numa nodes", {}).evidence).toBe(
      "node 0: cpus 0-15, 32.0 GiB, 60 of 64 huge pages free; node 1: cpus 16-31, 32.0 GiB",
    );
  });

  test("decideFindings fails where the data directory can not be written or made", () => {
    const data = { ...WELL.dataDirectory, writable: false };
    expect(finding("data directory", { dataDirectory: data }).status).toBe("fail");
    expect(finding("data directory", { dataDirectory: { ...data, exists: false } }).remedy).toContain(
      "mkdir -p",
    );
  });

  test("decideFindings fails where four log segments do not fit on the disk", () => {
    const data = { ...WELL.dataDirectory, bytesFree: known(255 * 2 ** 20) };
    expect(finding("disk space", { dataDirectory: data }).status).toBe("fail");
  });

  test("decideFindings tells a port in use from an address that is not there", () => {
    expect(finding("port", { listenError: "EADDRINUSE" }).status).toBe("warn");
    expect(finding("port", { listenError: "EADDRNOTAVAIL" }).status).toBe("fail");
  });
});

describe("grantedMemoryFinding", () => {
  const MIB = 2 ** 20;

  test("grantedMemoryFinding names what was granted by node and page, and warns of a refused node only", () => {
    const byNode = {
      "0": { base: 2 * MIB, transparent: 0, reserved: 8 * MIB },
      "0,1": { base: MIB, transparent: 0, reserved: 0 },
    };
    expect(grantedMemoryFinding(known({ byNode, refused: { "reservedPages: ENOMEM": 3 } }))).toEqual({
      area: "memory granted",
      status: "ok",
      evidence:
        "node 0: 2.0 MiB base, 8.0 MiB reserved; nodes 0,1: 1.0 MiB base; refused reservedPages: ENOMEM (3 regions)",
    });
    expect(grantedMemoryFinding(known({ byNode, refused: { "binding: EINVAL": 1 } })).status).toBe("warn");
    expect(grantedMemoryFinding(unavailable("gone")).status).toBe("unavailable");
  });
});

describe("gatherHostFacts", () => {
  test("gatherHostFacts reads a kernel's files, and says why it could not", async () => {
    const files: Record<string, string> = {
      "/proc/sys/kernel/osrelease": "6.1.0",
      "/proc/cpuinfo":
        "processor\t: 0\nmodel name\t: X\nflags\t\t: avx2 fma\nprocessor\t: 1\nmodel name\t: X\n",
      "/proc/meminfo":
        "MemTotal:       100 kB\nMemAvailable:    40 kB\nSwapTotal:       10 kB\nSwapFree:         4 kB",
      "/proc/self/limits":
        "Limit   Soft   Hard   Units\nMax open files            1024                 unlimited            files",
      "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
      "/sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:  100 kB",
      "/sys/devices/system/node/node0/cpulist": "0-1",
      "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "8",
      "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages": "3",
    };
    const host: Host = {
      ...realHost,
      read: (path) => (files[path] === undefined ? unavailable(`${path}: ENOENT`) : known(files[path])),
      list: () => known(["node0", "online", "possible"]),
      exists: (path) => path === "/" || path === "/srv",
      writable: () => false,
      stat: () => known({ mode: 0o755, uid: 0, device: 0x801 }),
      fileSystem: () => known({ type: 0xef53, bytes: 10, bytesFree: 5 }),
      ask: (program) => unavailable(`${program}: ENOENT`),
      listenError: async () => "EACCES",
      userId: 7,
      architecture: "x64",
    };
    const facts = await gatherHostFacts(host, { dataDirectory: "/srv/a/b", address: "127.0.0.1", port: 1 });
    expect(facts).toMatchObject({
      cpuCount: known(2),
      memoryAvailableBytes: known(40 * 1024),
      swapUsedBytes: known(6 * 1024),
      openFilesSoft: known(1024),
      openFilesHard: known(Number.POSITIVE_INFINITY),
      lockedMemorySoftBytes: unavailable("/proc/self/limits names no Max locked memory"),
      transparentHugePages: known("madvise"),
      perfEventParanoid: unavailable("/proc/sys/kernel/perf_event_paranoid: ENOENT"),
      clockSynchronised: unavailable("timedatectl: ENOENT"),
      numaNodes: known([
        {
          node: 0,
          cpus: "0-1",
          memoryBytes: known(100 * 1024),
          hugePagesReserved: known(8),
          hugePagesFree: known(3),
        },
      ]),
      listenError: "EACCES",
    });
    expect(facts.dataDirectory).toMatchObject({
      exists: false,
      writable: false,
      fileSystem: known("ext4"),
      rotational: unavailable("device 8:1 is no block device of this kernel"),
    });
  });
});

describe("doctor", () => {
  test("doctor looks at this machine, as text and as JSON, and changes nothing", async () => {
    const words = ["doctor", "--data", import.meta.dir, "--port", "0"];
    const { exitCode, out } = await run(words);
    const json = JSON.parse((await run([...words, "--json"])).out) as { status: string; findings: Finding[] };
    expect(exitCode).toBe(json.status === "fail" ? 1 : 0);
    expect(json.findings.map(({ area }) => area)).toContain("disk");
    for (const { area } of json.findings) expect(out).toContain(area);
    expect(json.findings.find(({ area }) => area === "disk")?.evidence).toMatch(
      /syncs 4 KiB in \d+\.\d\d ms/,
    );
  });

  test("findingLines puts consequence and remedy below the finding", () => {
    const lines = findingLines([{ area: "x", status: "warn", evidence: "e", consequence: "c", remedy: "r" }]);
    expect(lines).toBe(
      "warn x  e\n        c\n        What helps: r\n\n0 ok, 1 warnings, 0 failures, 0 unavailable\n",
    );
  });
});
