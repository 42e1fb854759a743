/**
 * The appliance on a machine with two NUMA nodes: where its threads run and where the pages of its spaces lie, as
 * the kernel tells, through a change of numa.strategy and with NUMA switched off and on again.
 *
 * Long form only. One boot of the lab does everything (lab-check.sh); it is emulated, so only places and counts are
 * judged, never times.
 */
import { expect, test } from "bun:test";
import { homeWriterOf } from "../../src/engine/home-of.ts";
import { factsOf, runInLab, WHY_NO_LAB } from "./lab.ts";

const HUGE_PAGES_A_NODE = 64;
const LAB_SECONDS_MAX = 1500;
/** At home on node 0 and on node 1. */
const BIRCH = "birch";
const AMBER = "amber";
/** `remember_much` writes 9 MB of contents: the first chunk of 8 MiB on base pages, the second on reserved ones. */
const CONTENT_BYTES = 200_000;
const CHUNK_KIB = 8192;
const MEMORIES = { [BIRCH]: 46, [AMBER]: 46 };

type Placed = Readonly<Record<string, number>>;
type Health = {
  readonly status: string;
  readonly parts: Readonly<
    Record<string, { readonly status: string; readonly reason?: string; readonly detail?: unknown }>
  >;
};
type Space = { readonly name: string; readonly node: number | null; readonly memories: number };

test.skipIf(WHY_NO_LAB !== undefined)(
  `the appliance places threads and spaces on two NUMA nodes${WHY_NO_LAB === undefined ? "" : `; skipped: ${WHY_NO_LAB}`}`,
  async () => {
    expect([homeWriterOf(BIRCH, 2), homeWriterOf(AMBER, 2)]).toEqual([0, 1]);
    // The executable is built where the test runs only, since a build takes seconds.
    const { EXECUTABLE } = await import("../support/executable.ts");
    const output = runInLab("lab-check.sh", [process.execPath, EXECUTABLE, BIRCH, AMBER], {
      hugePagesANode: HUGE_PAGES_A_NODE,
      secondsMax: LAB_SECONDS_MAX,
    });
    const fact = factsOf(output);
    const placed = (name: string): Placed => JSON.parse(fact(name)) as Placed;
    const health = (name: string): Health => JSON.parse(fact(`${name}_health`)) as Health;
    const spaces = (name: string): Record<string, Space> =>
      Object.fromEntries(
        (JSON.parse(fact(`${name}_spaces`)) as { spaces: Space[] }).spaces.map((each) => [each.name, each]),
      );
    const counts = (name: string): Record<string, number> =>
      Object.fromEntries(Object.values(spaces(name)).map((space) => [space.name, space.memories]));
    const streamCount = (name: string): number =>
      (health(name).parts["log"]!.detail as { streams: unknown[] }).streams.length;

    expect(fact("finished"), output).toBe("yes");

    // The tests of regions, threads and graphs that need several nodes; one test is for machines without libnuma.
    expect(fact("tests_exit"), output).toBe("0");
    expect(fact("tests_skipped"), output).toBe("1");

    // Two home writers, each with its stream, its collector, and the cores of its node.
    expect(health("local").parts["numa"]).toMatchObject({
      status: "ok",
      detail: { writers: 2, strategy: "local" },
    });
    expect(streamCount("local")).toBe(2);
    for (const role of ["writer", "collector", "api"]) {
      expect(fact(`cpus_${role}-0`), role).toBe("0-1");
      expect(fact(`cpus_${role}-1`), role).toBe("2-3");
    }

    // Every page of a region lies on the node it was asked of, and a space grows on its home node only.
    const steps = ["local_first", "local_after_1", "local_after_0"].map(placed);
    for (const step of steps) expect(Object.keys(step).sort()).toEqual(["0 on 0", "1 on 1"]);
    const [first, afterAmber, afterBirch] = steps as [Placed, Placed, Placed];
    expect(afterAmber["1 on 1"]! - first["1 on 1"]!).toBeGreaterThan(CHUNK_KIB / 2);
    expect(afterAmber["0 on 0"]! - first["0 on 0"]!).toBeLessThan(1024);
    expect(afterBirch["0 on 0"]! - afterAmber["0 on 0"]!).toBeGreaterThan(CHUNK_KIB / 2);
    expect(afterBirch["1 on 1"]! - afterAmber["1 on 1"]!).toBeLessThan(1024);
    // The second chunk of contents came on huge pages reserved on that node.
    expect(placed("local_reserved_1")).toEqual({ "1 on 1": CHUNK_KIB });
    expect(placed("local_reserved_0")).toEqual({ "0 on 0": CHUNK_KIB, "1 on 1": CHUNK_KIB });
    // Health and doctor say the same of it, by node and kind of page.
    const granted = (health("local_filled").parts["memory"]!.detail as { mapped_bytes_by_node: object })
      .mapped_bytes_by_node;
    const pages = { base: expect.any(Number), transparent: 0, reserved: CHUNK_KIB * 1024 };
    expect(granted).toEqual({ "0": pages, "1": pages });
    const { findings } = JSON.parse(fact("doctor")) as { findings: { area: string; evidence: string }[] };
    const evidence = (area: string): string | undefined =>
      findings.find((finding) => finding.area === area)?.evidence;
    const left = `${HUGE_PAGES_A_NODE - CHUNK_KIB / 2048} of ${HUGE_PAGES_A_NODE} huge pages free`;
    expect(evidence("numa nodes")).toMatch(
      new RegExp(`^node 0: cpus 0-1, .*, ${left}; node 1: cpus 2-3, .*, ${left}$`),
    );
    expect(evidence("memory granted")).toMatch(
      /^node 0: [\d.]+ MiB base, 8\.0 MiB reserved; node 1: [\d.]+ MiB base, 8\.0 MiB reserved$/,
    );
    expect(counts("local")).toEqual(MEMORIES);
    expect(spaces("local")).toMatchObject({ [BIRCH]: { node: 0 }, [AMBER]: { node: 1 } });

    // Interleaved: the pages of everything are spread evenly, and nothing is left on one node by policy.
    expect(health("interleaved").parts["numa"]).toMatchObject({ detail: { strategy: "interleaved" } });
    const spread = placed("interleaved_pages");
    expect(Object.keys(spread).sort()).toEqual(["0-1 on 0", "0-1 on 1"]);
    const share = spread["0-1 on 0"]! / (spread["0-1 on 0"]! + spread["0-1 on 1"]!);
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.55);
    expect(counts("interleaved")).toEqual(MEMORIES);

    // Without NUMA there is one stream, to which the spaces moved with everything; then they move back.
    expect(health("off").parts["numa"]).toMatchObject({
      status: "unavailable",
      reason: "numa.enabled is off",
    });
    expect(streamCount("off")).toBe(1);
    expect(counts("off")).toEqual(MEMORIES);
    expect(streamCount("again")).toBe(2);
    expect(counts("again")).toEqual({ [BIRCH]: MEMORIES[BIRCH]! + 1, [AMBER]: MEMORIES[AMBER]! + 1 });
    expect(spaces("again")).toMatchObject({ [BIRCH]: { node: 0 }, [AMBER]: { node: 1 } });
    expect(Object.keys(placed("again_pages")).sort()).toEqual(["0 on 0", "1 on 1"]);
    expect(placed("again_reserved")).toEqual({ "0 on 0": CHUNK_KIB, "1 on 1": CHUNK_KIB });
    for (const name of ["local", "interleaved", "off", "again"]) {
      // The line's end is counted, too.
      for (const at of [0, 1]) expect(fact(`${name}_content_${at}`), name).toBe(String(CONTENT_BYTES + 1));
      expect(fact(`${name}_exit`), name).toBe("0");
    }
  },
  (LAB_SECONDS_MAX + 90) * 1000,
);
