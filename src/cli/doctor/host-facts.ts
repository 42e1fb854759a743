/**
 * What `doctor` finds out about the machine, one fact at a time; judging is left to `decide.ts`.
 *
 * Paths are those of the kernel's documentation: Documentation/ABI/testing/sysfs-*, proc(5).
 */
import { dirname, resolve } from "node:path";
import { type Fact, factValue, known, mapFact, unavailable } from "../../base/fact.ts";
import type { Host } from "./host.ts";
import { measureSyncLatency, type SyncLatency } from "./sync-latency.ts";

export type NumaNode = {
  readonly node: number;
  readonly cpus: string;
  readonly memoryBytes: Fact<number>;
  /** 2 MiB pages reserved on it, and how many of them are free */
  readonly hugePagesReserved: Fact<number>;
  readonly hugePagesFree: Fact<number>;
};

export type HostFacts = {
  readonly architecture: string;
  readonly kernel: Fact<string>;
  readonly cpuModel: Fact<string>;
  readonly cpuCount: Fact<number>;
  readonly cpuFlags: Fact<ReadonlySet<string>>;
  readonly clockSource: Fact<string>;
  readonly clockSynchronised: Fact<boolean>;
  readonly memoryTotalBytes: Fact<number>;
  readonly memoryAvailableBytes: Fact<number>;
  readonly swapUsedBytes: Fact<number>;
  readonly mapCountMax: Fact<number>;
  readonly numaNodes: Fact<readonly NumaNode[]>;
  readonly numaBalancing: Fact<boolean>;
  /** the path it was found at */
  readonly libnuma: Fact<string>;
  /** 2 MiB pages reserved, and how many of them are free */
  readonly hugePagesReserved: Fact<number>;
  readonly hugePagesFree: Fact<number>;
  /** the word in brackets: always, madvise or never */
  readonly transparentHugePages: Fact<string>;
  readonly openFilesSoft: Fact<number>;
  readonly openFilesHard: Fact<number>;
  readonly lockedMemorySoftBytes: Fact<number>;
  readonly perfEventParanoid: Fact<number>;
  /** whether the processor's counters are visible to the kernel */
  readonly hardwareCounters: Fact<boolean>;
  readonly dataDirectory: DataDirectoryFacts;
  /** the errno that keeps the address from being listened on; undefined where it is free */
  readonly listenError: string | undefined;
};

export type DataDirectoryFacts = {
  readonly path: string;
  readonly exists: boolean;
  readonly mode: Fact<number>;
  readonly ownerId: Fact<number>;
  readonly userId: number;
  /** whether it, or the directory it would be made in, can be written */
  readonly writable: boolean;
  readonly fileSystem: Fact<string>;
  readonly bytesFree: Fact<number>;
  /** false for a solid-state disk */
  readonly rotational: Fact<boolean>;
  readonly sync: Fact<SyncLatency>;
};

/** Numbers of statfs(2) by name; others are shown as they are. */
const FILE_SYSTEM_NAMES: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  801189825: "zfs",
  4076150800: "f2fs",
  16914836: "tmpfs",
  2240043254: "ramfs",
  2035054128: "overlay",
  26985: "nfs",
  16914839: "9p",
  4283649346: "cifs",
  4266872130: "smb2",
  1702057286: "fuse",
  12805120: "ceph",
};

const LIBRARY_DIRECTORIES = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
  "/usr/local/lib",
];

/** @param target where the data would lie, and the address that would be listened on */
export async function gatherHostFacts(
  host: Host,
  target: { readonly dataDirectory: string; readonly address: string; readonly port: number },
): Promise<HostFacts> {
  const cpuInfo = host.read("/proc/cpuinfo");
  const memory = host.read("/proc/meminfo");
  const limits = host.read("/proc/self/limits");
  const pages = "/sys/kernel/mm/hugepages/hugepages-2048kB";
  return {
    architecture: host.architecture,
    kernel: host.read("/proc/sys/kernel/osrelease"),
    cpuModel: field(cpuInfo, /^(?:model name|CPU part)\s*:\s*(.+)$/m, "/proc/cpuinfo names no model"),
    cpuCount: mapFact(cpuInfo, (text) => text.match(/^processor\s*:/gm)?.length, "/proc/cpuinfo lists none"),
    cpuFlags: mapFact(
      field(cpuInfo, /^(?:flags|Features)\s*:\s*(.+)$/m, "/proc/cpuinfo lists no features"),
      (line) => new Set(line.split(" ")),
      "",
    ),
    clockSource: host.read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    clockSynchronised: mapFact(
      host.ask("timedatectl", ["show", "--property=NTPSynchronized", "--value"]),
      (word) => (word === "yes" ? true : word === "no" ? false : undefined),
      "timedatectl does not say",
    ),
    memoryTotalBytes: memoryField(memory, "MemTotal"),
    memoryAvailableBytes: memoryField(memory, "MemAvailable"),
    swapUsedBytes: swapUsed(memory),
    mapCountMax: numberIn(host, "/proc/sys/vm/max_map_count"),
    numaNodes: numaNodes(host),
    numaBalancing: mapFact(numberIn(host, "/proc/sys/kernel/numa_balancing"), (mode) => mode !== 0, ""),
    libnuma: findLibrary(host, "libnuma.so.1"),
    hugePagesReserved: numberIn(host, `${pages}/nr_hugepages`),
    hugePagesFree: numberIn(host, `${pages}/free_hugepages`),
    transparentHugePages: field(
      host.read("/sys/kernel/mm/transparent_hugepage/enabled"),
      /\[(\w+)\]/,
      "the kernel names no mode",
    ),
    openFilesSoft: limit(limits, "Max open files", 0),
    openFilesHard: limit(limits, "Max open files", 1),
    lockedMemorySoftBytes: limit(limits, "Max locked memory", 0),
    perfEventParanoid: numberIn(host, "/proc/sys/kernel/perf_event_paranoid"),
    hardwareCounters: known(
      host.exists("/sys/bus/event_source/devices/cpu") ||
        host.exists("/sys/bus/event_source/devices/cpu_core") ||
        host.exists("/sys/bus/event_source/devices/armv8_pmuv3_0"),
    ),
    dataDirectory: dataDirectoryFacts(host, target.dataDirectory),
    listenError: await host.listenError(target.address, target.port),
  };
}

function dataDirectoryFacts(host: Host, path: string): DataDirectoryFacts {
  const absolute = resolve(path);
  // What would be made is judged by the nearest directory that is there.
  let nearest = absolute;
  while (!host.exists(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  const stat = host.stat(nearest);
  const fileSystem = host.fileSystem(nearest);
  const writable = host.writable(nearest);
  return {
    path: absolute,
    exists: nearest === absolute,
    mode: mapFact(stat, ({ mode }) => mode, ""),
    ownerId: mapFact(stat, ({ uid }) => uid, ""),
    userId: host.userId,
    writable,
    fileSystem: mapFact(fileSystem, ({ type }) => FILE_SYSTEM_NAMES[type] ?? `0x${type.toString(16)}`, ""),
    bytesFree: mapFact(fileSystem, ({ bytesFree }) => bytesFree, ""),
    rotational: rotational(host, factValue(stat)?.device),
    sync: writable ? measureSyncLatency(nearest) : unavailable(`${nearest} can not be written`),
  };
}

/** Whether the disk behind a device number turns; a partition says so through the disk it lies on. */
function rotational(host: Host, device: number | undefined): Fact<boolean> {
  if (device === undefined) return unavailable("the directory has no device");
  // Numbers of glibc's makedev(3) for devices that fit 32 bits, which all block devices do.
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  const base = `/sys/dev/block/${major}:${minor}`;
  for (const path of [`${base}/queue/rotational`, `${base}/../queue/rotational`]) {
    const word = factValue(host.read(path));
    if (word !== undefined) return known(word === "1");
  }
  return unavailable(`device ${major}:${minor} is no block device of this kernel`);
}

function numaNodes(host: Host): Fact<readonly NumaNode[]> {
  const names = host.list("/sys/devices/system/node");
  return mapFact(
    names,
    (all) => {
      const numbers = all.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
      return numbers
        .sort((a, b) => a - b)
        .map((node) => {
          const base = `/sys/devices/system/node/node${node}`;
          const memory = mapFact(
            host.read(`${base}/meminfo`),
            (text) => kibibytes(/MemTotal:\s+(\d+) kB/.exec(text)?.[1]),
            `${base}/meminfo names no MemTotal`,
          );
          return {
            node,
            cpus: factValue(host.read(`${base}/cpulist`)) ?? "",
            memoryBytes: memory,
            hugePagesReserved: numberIn(host, `${base}/hugepages/hugepages-2048kB/nr_hugepages`),
            hugePagesFree: numberIn(host, `${base}/hugepages/hugepages-2048kB/free_hugepages`),
          };
        });
    },
    "the kernel lists no nodes",
  );
}

function findLibrary(host: Host, name: string): Fact<string> {
  const directory = LIBRARY_DIRECTORIES.find((candidate) => host.exists(`${candidate}/${name}`));
  return directory === undefined
    ? unavailable(`${name} is in no library directory`)
    : known(`${directory}/${name}`);
}

function field(fact: Fact<string>, pattern: RegExp, otherwise: string): Fact<string> {
  return mapFact(fact, (text) => pattern.exec(text)?.[1]?.trim(), otherwise);
}

function numberIn(host: Host, path: string): Fact<number> {
  return mapFact(
    host.read(path),
    (text) => (/^-?\d+$/.test(text.trim()) ? Number(text) : undefined),
    `${path} holds no number`,
  );
}

function memoryField(memory: Fact<string>, name: string): Fact<number> {
  return mapFact(
    memory,
    (text) => kibibytes(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]),
    `/proc/meminfo names no ${name}`,
  );
}

function swapUsed(memory: Fact<string>): Fact<number> {
  const total = factValue(memoryField(memory, "SwapTotal"));
  const free = factValue(memoryField(memory, "SwapFree"));
  if (total === undefined || free === undefined) return unavailable("/proc/meminfo names no swap");
  return known(total - free);
}

/** One number of /proc/self/limits; "unlimited" is infinity. @param column 0 soft, 1 hard */
function limit(limits: Fact<string>, name: string, column: 0 | 1): Fact<number> {
  return mapFact(
    limits,
    (text) => {
      const line = text.split("\n").find((candidate) => candidate.startsWith(name));
      const word = line?.slice(name.length).trim().split(/\s+/)[column];
      if (word === undefined) return undefined;
      return word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word);
    },
    `/proc/self/limits names no ${name}`,
  );
}

function kibibytes(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits) * 1024;
}
