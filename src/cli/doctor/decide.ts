/**
 * Judges the facts of a host: a pure function from what was measured to findings, each with its evidence
 * and the command that helps.
 *
 *   ok           as it should be
 *   warn         it works, slower or less safely than it could
 *   fail         the appliance would not start, or would lose what it promises
 *   unavailable  could not be measured, with the reason; never judged
 */

import { type Fact, factValue } from "../../base/fact.ts";
import type { Settings } from "../../config/schema.ts";
import type { DataDirectoryFacts, HostFacts } from "./host-facts.ts";

export type FindingStatus = "ok" | "warn" | "fail" | "unavailable";

export type Finding = {
  readonly area: string;
  readonly status: FindingStatus;
  /** what was seen, with figures */
  readonly evidence: string;
  /** what it means for the appliance; absent where all is well */
  readonly consequence?: string;
  /** a command, or what to set */
  readonly remedy?: string;
};

const GIB = 2 ** 30;
const SLOW_SYNC_MS = 5;
const FREE_BYTES_LOW = 10 * GIB;
const MEMORY_BYTES_LOW = 2 * GIB;
const MAP_COUNT_LOW = 262_144;
/** File descriptors beside connections: segments, checkpoints, threads, the runtime. */
const OTHER_FILES = 1024;
/** File systems on which fdatasync is not durability, or a lock on a file is not exclusive. */
const UNSAFE_FILE_SYSTEMS: Readonly<Record<string, string>> = {
  tmpfs: "its files are gone after a restart of the machine",
  ramfs: "its files are gone after a restart of the machine",
  overlay: "its files belong to the container and go with it",
  nfs: "locks and syncs depend on the server, and mapped files are not coherent",
  cifs: "locks and syncs depend on the server",
  smb2: "locks and syncs depend on the server",
  "9p": "syncs may not reach the disk",
  fuse: "syncs depend on the program behind it",
};

export function decideFindings(facts: HostFacts, settings: Settings): Finding[] {
  return [
    kernelFinding(facts),
    simdFinding(facts),
    timeStampFinding(facts),
    clockFinding(facts),
    memoryFinding(facts),
    ...numaFindings(facts, settings),
    ...hugePageFindings(facts, settings),
    openFilesFinding(facts, settings),
    lockedMemoryFinding(facts, settings),
    mapCountFinding(facts),
    ...countersFindings(facts),
    ...dataDirectoryFindings(facts.dataDirectory, settings),
    listenFinding(facts, settings),
  ];
}

/** The gravest status among findings; what could not be measured is not grave. */
export function worstStatus(findings: readonly Finding[]): "ok" | "warn" | "fail" {
  if (findings.some(({ status }) => status === "fail")) return "fail";
  return findings.some(({ status }) => status === "warn") ? "warn" : "ok";
}

function kernelFinding({ kernel }: HostFacts): Finding {
  return judge("kernel", kernel, (release) => {
    const [major = 0, minor = 0] = release.split(".").map(Number);
    const evidence = `Linux ${release}`;
    if (major > 5 || (major === 5 && minor >= 14)) return { status: "ok", evidence };
    return {
      status: "warn",
      evidence: `${evidence}, older than 5.14`,
      consequence:
        "MADV_POPULATE_WRITE is missing, so huge pages can not be taken safely; base pages are used",
      remedy: "Install a kernel of 5.14 or newer",
    };
  });
}

function simdFinding({ cpuFlags, cpuModel, cpuCount, architecture }: HostFacts): Finding {
  return judge("simd", cpuFlags, (flags) => {
    const wanted =
      architecture === "arm64"
        ? ["asimd", "asimddp", "bf16", "sve"]
        : ["avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_bf16"];
    const present = wanted.filter((flag) => flags.has(flag));
    const model = `${factValue(cpuModel) ?? "processor"}, ${factValue(cpuCount) ?? "?"} cores`;
    const evidence = `${model}: ${present.length === 0 ? "none of" : present.join(" ")}${present.length === 0 ? ` ${wanted.join(" ")}` : ""}`;
    const least = architecture === "arm64" ? flags.has("asimd") : flags.has("avx2") && flags.has("fma");
    if (least) return { status: "ok", evidence };
    return {
      status: "warn",
      evidence,
      consequence: "Vectors are compared several times slower",
      remedy: "In a virtual machine, pass the host's processor through (QEMU: -cpu host)",
    };
  });
}

function timeStampFinding({ cpuFlags, clockSource, architecture }: HostFacts): Finding {
  return judge("clock counter", cpuFlags, (flags) => {
    const source = `clock source ${factValue(clockSource) ?? "unknown"}`;
    if (architecture === "arm64") return { status: "ok", evidence: `generic timer, ${source}` };
    const missing = ["constant_tsc", "nonstop_tsc"].filter((flag) => !flags.has(flag));
    if (missing.length === 0) return { status: "ok", evidence: `constant_tsc nonstop_tsc, ${source}` };
    return {
      status: "warn",
      evidence: `${missing.join(" and ")} missing, ${source}`,
      consequence: "Times are taken from the kernel's clock, at three times the cost",
      remedy: "In a virtual machine, let the host's invariant TSC through (QEMU: -cpu host,+invtsc)",
    };
  });
}

function clockFinding({ clockSynchronised }: HostFacts): Finding {
  return judge("time", clockSynchronised, (synchronised) =>
    synchronised
      ? { status: "ok", evidence: "synchronised by NTP" }
      : {
          status: "warn",
          evidence: "not synchronised",
          consequence: "Timestamps of memories drift, and so does what is recalled by time",
          remedy: "apt-get install systemd-timesyncd && timedatectl set-ntp true",
        },
  );
}

function memoryFinding({ memoryAvailableBytes, memoryTotalBytes, swapUsedBytes }: HostFacts): Finding {
  return judge("memory", memoryAvailableBytes, (available) => {
    const total = factValue(memoryTotalBytes);
    const swap = factValue(swapUsedBytes) ?? 0;
    const swapText = swap > 0 ? `, ${gib(swap)} swapped out` : "";
    const evidence = `${gib(available)} available${total === undefined ? "" : ` of ${gib(total)}`}${swapText}`;
    if (available >= MEMORY_BYTES_LOW) return { status: "ok", evidence };
    return {
      status: "warn",
      evidence,
      consequence: "A million memories of 768 dimensions take about 6 GiB",
      remedy: "Free or add memory",
    };
  });
}

function numaFindings({ numaNodes, numaBalancing, libnuma }: HostFacts, settings: Settings): Finding[] {
  const nodes = judge("numa nodes", numaNodes, (all) => ({
    status: "ok",
    evidence: all
      .map(({ node, cpus, memoryBytes, hugePagesFree, hugePagesReserved }) => {
        const memory = factValue(memoryBytes);
        const reserved = factValue(hugePagesReserved) ?? 0;
        const pages =
          reserved > 0 ? `, ${factValue(hugePagesFree) ?? "?"} of ${reserved} huge pages free` : "";
        return `node ${node}: cpus ${cpus || "none"}${memory === undefined ? "" : `, ${gib(memory)}`}${pages}`;
      })
      .join("; "),
  }));
  const nodeCount = factValue(numaNodes)?.length ?? 1;
  const path = factValue(libnuma);
  const library: Finding =
    path !== undefined
      ? { area: "libnuma", status: "ok", evidence: path }
      : {
          area: "libnuma",
          status: nodeCount > 1 && settings.numa.enabled ? "warn" : "ok",
          evidence: "libnuma.so.1 not found",
          consequence: `NUMA is reported as unavailable${nodeCount > 1 ? ", and memory is not placed" : ""}`,
          remedy: "apt-get install libnuma1 (dnf install numactl-libs)",
        };
  const findings = [nodes, library];
  if (nodeCount > 1) {
    findings.push(
      judge("numa balancing", numaBalancing, (on) =>
        on && settings.numa.enabled
          ? {
              status: "warn",
              evidence: "kernel.numa_balancing is on",
              consequence: "The kernel may move pages away from the node they were placed on",
              remedy: "sysctl -w kernel.numa_balancing=0",
            }
          : { status: "ok", evidence: `kernel.numa_balancing is ${on ? "on" : "off"}` },
      ),
    );
  }
  return findings;
}

function hugePageFindings(facts: HostFacts, { memory }: Settings): Finding[] {
  const { hugePagesFree, hugePagesReserved, transparentHugePages } = facts;
  const reserved = judge("huge pages", hugePagesFree, (free) => {
    const evidence = `${free} of ${factValue(hugePagesReserved) ?? "?"} reserved 2 MiB pages free`;
    if (memory.huge_pages !== "require" || free > 0) return { status: "ok", evidence };
    return {
      status: "fail",
      evidence,
      consequence: 'memory.huge_pages is "require", so the appliance refuses to start',
      remedy: "sysctl -w vm.nr_hugepages=1024, or set memory.huge_pages to try",
    };
  });
  const transparent = judge("transparent huge pages", transparentHugePages, (mode) => {
    if (mode !== "never" || memory.huge_pages === "off") return { status: "ok", evidence: mode };
    const noneReserved = (factValue(hugePagesFree) ?? 0) === 0;
    return {
      status: noneReserved ? "warn" : "ok",
      evidence: mode,
      consequence: "Regions beyond the reserved huge pages lie on base pages, and searching them is slower",
      remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    };
  });
  return [reserved, transparent];
}

function openFilesFinding({ openFilesSoft, openFilesHard }: HostFacts, { server }: Settings): Finding {
  return judge("open files", openFilesSoft, (soft) => {
    const hard = factValue(openFilesHard);
    const evidence = `limit ${soft}${hard === undefined ? "" : ` (hard ${hard})`}`;
    const needed = server.max_connections + OTHER_FILES;
    if (soft >= needed) return { status: "ok", evidence };
    return {
      status: "warn",
      evidence,
      consequence: `server.max_connections (${server.max_connections}) needs ${needed}; connections beyond are refused`,
      remedy: `ulimit -n ${needed} before starting; the systemd unit sets LimitNOFILE itself`,
    };
  });
}

function lockedMemoryFinding({ lockedMemorySoftBytes }: HostFacts, { memory }: Settings): Finding {
  return judge("locked memory", lockedMemorySoftBytes, (bytes) => {
    const evidence = `limit ${bytes === Number.POSITIVE_INFINITY ? "unlimited" : gib(bytes)}`;
    if (!memory.lock || bytes === Number.POSITIVE_INFINITY) return { status: "ok", evidence };
    return {
      status: "warn",
      evidence,
      consequence: "memory.lock is on, and regions beyond the limit are not locked without CAP_IPC_LOCK",
      remedy: "ulimit -l unlimited before starting; the systemd unit sets LimitMEMLOCK itself",
    };
  });
}

function mapCountFinding({ mapCountMax }: HostFacts): Finding {
  return judge("memory maps", mapCountMax, (count) => {
    const evidence = `vm.max_map_count ${count}`;
    if (count >= MAP_COUNT_LOW) return { status: "ok", evidence };
    return {
      status: "ok",
      evidence,
      consequence: "Enough for some thousand spaces; many large ones need more mappings",
      remedy: `sysctl -w vm.max_map_count=${MAP_COUNT_LOW}`,
    };
  });
}

function countersFindings({ perfEventParanoid, hardwareCounters }: HostFacts): Finding[] {
  const permission = judge("perf permission", perfEventParanoid, (level) =>
    level <= 2
      ? { status: "ok", evidence: `kernel.perf_event_paranoid ${level}` }
      : {
          status: "warn",
          evidence: `kernel.perf_event_paranoid ${level}`,
          consequence: "Counters are closed to a process without CAP_PERFMON; the systemd unit grants it",
          remedy: "sysctl -w kernel.perf_event_paranoid=2",
        },
  );
  const hardware: Finding =
    factValue(hardwareCounters) === true
      ? { area: "perf counters", status: "ok", evidence: "the processor's counters are visible" }
      : {
          area: "perf counters",
          status: "warn",
          evidence: "the kernel lists no counters of the processor",
          consequence: "Cache misses and cycles are reported as unavailable",
          remedy: "In a virtual machine, let the host's performance counters through",
        };
  return [permission, hardware];
}

function dataDirectoryFindings(data: DataDirectoryFacts, settings: Settings): Finding[] {
  return [
    permissionFinding(data),
    judge("file system", data.fileSystem, (name) => {
      const danger = UNSAFE_FILE_SYSTEMS[name];
      if (danger === undefined) return { status: "ok", evidence: `${name} at ${data.path}` };
      return {
        status: "warn",
        evidence: `${name} at ${data.path}`,
        consequence: `Not durable: ${danger}`,
        remedy: "Set data.dir to a directory on a local ext4 or xfs",
      };
    }),
    judge("disk space", data.bytesFree, (bytes) => {
      const evidence = `${gib(bytes)} free at ${data.path}`;
      const leastBytes = 4 * settings.wal.segment_size_mb * 2 ** 20;
      const remedy = "Free disk space, or set data.dir to a larger disk";
      if (bytes < leastBytes) {
        const consequence = `Less than four log segments (${gib(leastBytes)}): writes would soon be refused`;
        return { status: "fail", evidence, consequence, remedy };
      }
      if (bytes >= FREE_BYTES_LOW) return { status: "ok", evidence };
      return { status: "warn", evidence, consequence: "Log and checkpoints need room to grow", remedy };
    }),
    judge("disk", data.sync, ({ medianMs, maxMs, samples }) => {
      const turns = factValue(data.rotational);
      const kind = turns === undefined ? "disk" : turns ? "disk that says it rotates" : "solid-state disk";
      const evidence = `${kind}, syncs 4 KiB in ${medianMs.toFixed(2)} ms (median; worst of ${samples}: ${maxMs.toFixed(2)} ms)`;
      if (medianMs < SLOW_SYNC_MS) return { status: "ok", evidence };
      return {
        status: "warn",
        evidence,
        consequence: "A lone write with ack=fsync takes at least that long",
        remedy: "Set data.dir to a faster disk, or write in batches",
      };
    }),
  ];
}

function permissionFinding(data: DataDirectoryFacts): Finding {
  const area = "data directory";
  const mode = factValue(data.mode);
  const owner = factValue(data.ownerId);
  if (!data.exists) {
    return data.writable
      ? { area, status: "ok", evidence: `${data.path} does not exist yet and can be made` }
      : {
          area,
          status: "fail",
          evidence: `${data.path} does not exist, and user ${data.userId} can not make it`,
          consequence: "The appliance can not start",
          remedy: `mkdir -p ${data.path} && chown $(id -u) ${data.path}, as root`,
        };
  }
  const evidence = `${data.path}, mode ${mode === undefined ? "unknown" : mode.toString(8).padStart(4, "0")}, owner ${owner ?? "unknown"}`;
  if (!data.writable) {
    return {
      area,
      status: "fail",
      evidence,
      consequence: `User ${data.userId} can not write there, so the appliance can not start`,
      remedy: `chown -R $(id -u) ${data.path}, as root`,
    };
  }
  if (mode !== undefined && (mode & 0o077) !== 0) {
    return {
      area,
      status: "warn",
      evidence,
      consequence: "Other users of the machine may read memories",
      remedy: `chmod 700 ${data.path}`,
    };
  }
  return { area, status: "ok", evidence };
}

function listenFinding({ listenError }: HostFacts, { server }: Settings): Finding {
  const address = `${server.host}:${server.port}`;
  if (listenError === undefined) return { area: "port", status: "ok", evidence: `${address} is free` };
  if (listenError === "EADDRINUSE") {
    return {
      area: "port",
      status: "warn",
      evidence: `${address} is in use`,
      consequence: "By this appliance, or by another program: then it can not start",
      remedy: `See who: ss -ltnp 'sport = :${server.port}'; or set server.port`,
    };
  }
  return {
    area: "port",
    status: "fail",
    evidence: `${address} can not be listened on: ${listenError}`,
    consequence: "The appliance can not start",
    remedy: "Set server.host to an address of this machine, and server.port to one from 1024 on",
  };
}

function judge<T>(area: string, fact: Fact<T>, decide: (value: T) => Omit<Finding, "area">): Finding {
  if (!("value" in fact)) return { area, status: "unavailable", evidence: fact.unavailable };
  return { area, ...decide(fact.value) };
}

function gib(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
