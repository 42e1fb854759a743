/**
 * Remote memory, the tenth of the planted faults (test/operate/planted-faults.test.ts): the pages of a running appliance
 * are moved to another NUMA node behind its back, as a full node or the kernel's balancing does.
 *
 * Long form only, in the lab. Emulated cores are crowded, and it is no mistake to say so.
 */
import { expect, test } from "bun:test";
import { type Diagnosis, namedFirst, OF_CROWDED_CORES } from "../operate/diagnosis.ts";
import { factsOf, runInLab, WHY_NO_LAB } from "./lab.ts";

const LAB_SECONDS_MAX = 900;

test.skipIf(WHY_NO_LAB !== undefined)(
  `remote_memory is named first of pages on another node${WHY_NO_LAB === undefined ? "" : `; skipped: ${WHY_NO_LAB}`}`,
  async () => {
    const { EXECUTABLE } = await import("../support/executable.ts");
    const output = runInLab("remote-memory.sh", [process.execPath, EXECUTABLE], {
      hugePagesANode: 64,
      secondsMax: LAB_SECONDS_MAX,
    });
    const fact = factsOf(output);
    const diagnosis = (name: string): Diagnosis => JSON.parse(fact(name)) as Diagnosis;
    expect(fact("exit"), output).toBe("0");
    expect(fact("left_unmoved")).toBe("0");
    expect(Object.values(diagnosis("placed")).flat()).not.toContain("remote_memory");
    expect(namedFirst(diagnosis("misplaced"), OF_CROWDED_CORES), output).toBe("remote_memory");
  },
  (LAB_SECONDS_MAX + 90) * 1000,
);
