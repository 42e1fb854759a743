/**
 * What does it cost a thread to tell of an event, while nobody listens and while somebody does; and what does the
 * trace of a request cost?
 *
 * Expected: while nobody listens, a load and a comparison, about 1 ns, and no object, since whoever has to gather fields
 * asks first. With a listener the JSON of a small object (some 300 ns), its bytes, two atomic additions of some 20 ns
 * each and a reading of the wall clock: half a microsecond. Reading an event is a copy, its text and two atomic reads.
 * A context without a header makes 24 random hexadecimal digits twice: some 300 ns; with one, a regular expression.
 *
 *   bun bench/observe/events.bench.ts [--small] [--json FILE]
 */
import { Random } from "../../src/base/random.ts";
import { TraceContexts } from "../../src/base/trace-context.ts";
import { EVENT_CODE } from "../../src/layout/event.ts";
import { EventWriter, listenTo, makeEventMemory, readersOf } from "../../src/shm/event-writer.ts";
import { benchArguments, Report } from "../support/report.ts";

const SEED = 20_261_125;
const given = benchArguments();
const rounds = given.isSmall ? 5 : 201;
const callCount = given.isSmall ? 2000 : 20_000;
const report = new Report({ name: "observe/events", arguments: given, parameters: { rounds, callCount } });

/** Two, so that what is asked is not asked once for the whole loop. */
const quiet = [0, 1].map(() => new EventWriter(makeEventMemory(1), 0, Date.now));
const heardMemory = makeEventMemory(1);
const heard = new EventWriter(heardMemory, 0, Date.now);
listenTo(heardMemory, ["formed", "recalled"], Date.now());
const [reader] = readersOf(heardMemory);
const contexts = new TraceContexts(new Random(SEED), 0.01);
const bare = new Headers({ accept: "application/json", "content-type": "application/json" });
const traced = new Headers({
  ...Object.fromEntries(bare),
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
});
const formed = { space: "default", id: "0198c0de-0000-7000-8000-000000000001", outcome: "stored" } as const;
const recalled = {
  space: "default",
  mode: "hybrid",
  count: 10,
  memories: Array.from({ length: 10 }, (_, i) => ({
    id: `0198c0de-0000-7000-8000-00000000000${i}`,
    score: 0.5,
  })),
  took_ms: 0.25,
};
let checksum = 0;

const subjects = {
  "an event nobody listens to": (calls: number) => {
    for (let i = 0; i < calls; i++) {
      const events = quiet[i & 1]!;
      if (events.wants("formed")) events.emit("formed", formed);
      else checksum += 1;
    }
  },
  "a memory formed, with a listener": (calls: number) => {
    for (let i = 0; i < calls; i++) if (heard.wants("formed")) heard.emit("formed", formed);
  },
  "a recall of ten, with a listener": (calls: number) => {
    for (let i = 0; i < calls; i++) if (heard.wants("recalled")) heard.emit("recalled", recalled);
  },
  "reading one event": (calls: number) => {
    for (let i = 0; i < calls; i++) {
      if (!reader!.read(1 << EVENT_CODE.recalled)) reader!.rewind();
      else checksum += reader!.text().length;
    }
  },
  "a trace begun": (calls: number) => {
    for (let i = 0; i < calls; i++) checksum += contexts.of(bare).traceparent.length;
  },
  "a trace taken from its header": (calls: number) => {
    for (let i = 0; i < calls; i++) checksum += contexts.of(traced).traceparent.length;
  },
} as const;
type Subject = keyof typeof subjects;

const names = Object.keys(subjects) as Subject[];
const times = new Map(names.map((name) => [name, [] as number[]]));
for (let warm = 0; warm < 10; warm++) for (const name of names) subjects[name](callCount);
// In turns, so that a noisy moment meets everybody.
for (let round = 0; round < rounds; round++) {
  for (const name of names) {
    const startedAtNs = Bun.nanoseconds();
    subjects[name](callCount);
    times.get(name)!.push((Bun.nanoseconds() - startedAtNs) / callCount);
  }
}
const costOf = (name: Subject) => {
  const sorted = times.get(name)!.sort((a, b) => a - b);
  return { fastest: sorted[Math.floor(rounds / 10)]!, median: sorted[rounds >> 1]! };
};
for (const name of names) {
  const { fastest, median } = costOf(name);
  report.line(
    "ns",
    `${name.padEnd(36)} fastest tenth ${fastest.toFixed(1).padStart(7)}  median ${median.toFixed(1).padStart(7)}`,
  );
  report.figure(`${name}, ns`, { fastest, median });
}
report.target({
  name: "an event nobody listens to",
  figure: costOf("an event nobody listens to").fastest,
  unit: "ns",
  atMost: 2,
});
report.target({
  name: "a memory formed, with a listener",
  figure: costOf("a memory formed, with a listener").fastest,
  unit: "ns",
  atMost: 1500,
});
report.figure("checksum", checksum);
report.finish();
