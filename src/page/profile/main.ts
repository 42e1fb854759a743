/** The page of a profile: everything it shows lies in it, and it asks nobody for anything. */
import { make, makeTable, the } from "../dom.ts";
import { formatSeconds, formatTime, formatValue } from "../format.ts";
import type { Finding, Measured, PageData } from "./data.ts";
import { FlameView } from "./flame-view.ts";
import { latencyPicture, memoryPicture, percent, spacePicture, threadPicture } from "./pictures.ts";

const { report, stacks } = JSON.parse(the("profile-data").textContent ?? "") as PageData;
const { measured, findings, cost } = report;

document.title = `Profile of ${report.appliance.url}`;
the("about").textContent =
  `${report.appliance.url}, version ${report.appliance.version}, ${formatTime(report.made_at)}, ${formatSeconds(measured.seconds)} watched`;
the("findings").append(
  ...(findings.length === 0
    ? [make("p", {}, "No bottleneck was found.")]
    : findings.map((finding, index) => findingCard(finding, index + 1))),
);
the("latency").append(latencyPicture(measured));
the("threads").append(threadPicture(measured));
the("memory").append(memoryPicture(measured));
the("spaces").append(spacePicture(measured));
the("machine").append(machineTable(measured));
the("missing").append(missingTable(measured));
the("cost").textContent =
  cost.cpu_without === null || cost.cpu_with === null
    ? "What profiling cost is not known."
    : `The appliance used ${percent(cost.cpu_without)} of a core without samples and ${percent(cost.cpu_with)} with them${cost.samplers === null ? "" : `; threads that take samples used ${percent(cost.samplers)}`}.`;
if (stacks.threads.length > 0) new FlameView(stacks);
else the("flame-section").append(make("p", {}, "No call stacks were sampled."));

function findingCard(finding: Finding, place: number): HTMLElement {
  const line = (label: string, text: string) => [make("dt", {}, label), make("dd", {}, text)];
  return make(
    "article",
    { class: "finding" },
    make("h3", {}, `${place}. ${finding.title}`),
    make("p", { class: "dim" }, `${finding.cause}, weight ${percent(finding.weight)}, ${finding.basis}`),
    make(
      "dl",
      {},
      ...line("Evidence", finding.evidence),
      ...line("Likely cause", finding.likely),
      ...line("What helps", finding.command),
    ),
  );
}

function machineTable({ nodes, disk }: Measured): HTMLElement {
  const bytes = (value: number): string => formatValue(value, "bytes");
  const rate = (value: number | null): string =>
    value === null ? "unavailable" : `${bytes(value)} a second`;
  return makeTable(
    "Disk and NUMA nodes",
    ["", ""],
    [
      ["Log appended", rate(disk.log_per_s)],
      ["Checkpoints written", rate(disk.checkpoint_per_s)],
      // The kernel counts a large folio whole for each byte written to it: ten times what reached the disk of one
      // machine, so nothing is subtracted from it.
      ["Pages of files made dirty, large ones counted whole", rate(disk.written_per_s)],
      ["Read from disks", rate(disk.read_per_s)],
      ["Checkpoints", `${disk.checkpoints}, ${formatSeconds(disk.checkpoint_s)}`],
      ...nodes.map(({ node, cpus, total_bytes, free_bytes, distances }) => [
        `NUMA node ${node}`,
        `${cpus} processors, ${bytes(total_bytes)}, ${bytes(free_bytes)} free, distances ${distances.join(" ")}`,
      ]),
    ],
  );
}

function missingTable({ missing }: Measured): HTMLElement {
  if (missing.length === 0) return make("p", {}, "Everything was collected.");
  return makeTable(
    "Not collected",
    ["what", "why not", "what helps"],
    missing.map(({ what, reason, remedy }) => [what, reason, remedy]),
  );
}
