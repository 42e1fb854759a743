import { expect, test } from "bun:test";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { BINDING_KINDS } from "../../src/layout/metric-codes.ts";
import { SPACE_NUMBER, SPACE_STATE } from "../../src/layout/space-root.ts";
import { prometheusText } from "../../src/observe/exposition-text.ts";
import { FamilySet } from "../../src/observe/family.ts";
import { sampleSpaces } from "../../src/observe/sample-spaces.ts";

function sampled(
  spaces: readonly { live: number; concepts?: number; bindings: readonly number[] }[],
): string {
  const table = new SpaceTable(SpaceTable.allocate(8));
  for (const [index, { live, concepts = 0, bindings }] of spaces.entries()) {
    const root = table.roots[index]!;
    root.setText("name", `space-${index}`);
    root.publish("liveCount", live + concepts);
    root.publish("conceptCount", concepts);
    for (const [kind, count] of bindings.entries()) root.numbers[SPACE_NUMBER.bindingsByKind + kind] = count;
    root.publish("state", SPACE_STATE.open);
  }
  const set = new FamilySet();
  sampleSpaces(set, table);
  return prometheusText(set.families());
}

test("sampleSpaces counts bindings by kind over all spaces, and each at both of its ends", () => {
  const text = sampled([
    { live: 30, bindings: [5, 3] },
    { live: 10, bindings: [1, 0, 11] },
  ]);
  expect(text).toContain(`engram_bindings{kind="${BINDING_KINDS[0]}"} 6\n`);
  expect(text).toContain(`engram_bindings{kind="${BINDING_KINDS[2]}"} 11\n`);
  expect(text).toContain("engram_graph_edges_per_node 1\n");
});

test("sampleSpaces says nothing of bindings per memory where there is no memory", () => {
  expect(sampled([{ live: 0, bindings: [] }])).not.toContain("engram_graph_edges_per_node");
});

test("sampleSpaces counts concepts apart from the memories they were made of", () => {
  const text = sampled([{ live: 30, concepts: 4, bindings: [] }]);
  expect(text).toContain('engram_memories{space_class="small"} 30\n');
  expect(text).toContain('engram_space_memories{space="space-0"} 30\n');
  expect(text).toContain('engram_concepts{space_class="small"} 4\n');
  expect(text).toContain('engram_memories_by_phase{phase="recent"} 30\n');
});
