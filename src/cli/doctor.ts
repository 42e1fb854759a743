/** `doctor`: looks at the host, and says what is missing and how to get it; with --repair it mends the log instead. */
import { OperatorError } from "../base/errors.ts";
import { type Command, type CommandContext, JSON_OPTION, present } from "./command.ts";
import { decideFindings, type Finding, worstStatus } from "./doctor/decide.ts";
import { askGrantedMemory, grantedMemoryFinding } from "./doctor/granted-memory.ts";
import { realHost } from "./doctor/host.ts";
import { gatherHostFacts } from "./doctor/host-facts.ts";
import { repair } from "./doctor/repair.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { CONFIG_OPTION, DATA_OPTION, HOST_OPTION, loadSettingsOf, PORT_OPTION } from "./settings-options.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look at the host: what is missing, what it costs, and what helps",
  details:
    "Looks at processor, memory, NUMA, huge pages, limits, disk, permissions and counters, measures the\n" +
    "sync latency of the data directory, and changes nothing. Exit status 1 when something fails.\n\n" +
    "With --repair it looks at no host: it mends the log of a stopped appliance that will not start\n" +
    "because the log is damaged. Each log is kept up to its first damage; what it held from there on\n" +
    "is lost to the appliance, and kept aside in files ending in .broken.",
  options: [
    CONFIG_OPTION,
    DATA_OPTION,
    HOST_OPTION,
    PORT_OPTION,
    { flags: "--repair", about: "cut a damaged log at the damage, so that the appliance starts again" },
    { flags: "--yes", about: "with --repair: do it without asking" },
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance doctor", "look at this machine as the current user sees it"],
    ["engram-appliance doctor --json | jq '.findings[] | select(.status != \"ok\")'", "only what is wrong"],
    ["engram-appliance doctor --repair --data /srv/memories", "asks, then mends the log in there"],
  ],
  run: doctor,
};

const SIGNS = { ok: "ok   ", warn: "warn ", fail: "FAIL ", unavailable: "?    " } as const;

async function doctor(context: CommandContext): Promise<number> {
  if (context.options["repair"] === true) return repair(context);
  if (context.options["yes"] === true) {
    throw new OperatorError({
      code: "usage",
      message: "Cannot take --yes alone: doctor asks nothing",
      remedy: "Give it with --repair",
    });
  }
  const { settings } = loadSettingsOf(context);
  const facts = await gatherHostFacts(realHost, {
    dataDirectory: settings.data.dir,
    address: settings.server.host,
    port: settings.server.port,
  });
  const findings = decideFindings(facts, settings);
  // Something listens there: where it is the appliance, it knows what the machine really gave it.
  if (facts.listenError === "EADDRINUSE") {
    findings.push(grantedMemoryFinding(await askGrantedMemory(context)));
  }
  const status = worstStatus(findings);
  present(context, { status, findings }, () => findingLines(findings));
  return status === "fail" ? EXIT_CODES.found.status : EXIT_CODES.ok.status;
}

/** One line a finding, with consequence and remedy below it where something can be done. */
export function findingLines(findings: readonly Finding[]): string {
  const widthMax = Math.max(...findings.map(({ area }) => area.length));
  const indent = " ".repeat(SIGNS.ok.length + widthMax + 2);
  const lines = findings.flatMap(({ area, status, evidence, consequence, remedy }) => [
    `${SIGNS[status]}${area.padEnd(widthMax)}  ${evidence}`,
    ...(consequence === undefined ? [] : [`${indent}${consequence}`]),
    ...(remedy === undefined ? [] : [`${indent}What helps: ${remedy}`]),
  ]);
  const count = (status: Finding["status"]): number => findings.filter((one) => one.status === status).length;
  const summary = `${count("ok")} ok, ${count("warn")} warnings, ${count("fail")} failures, ${count("unavailable")} unavailable`;
  return `${lines.join("\n")}\n\n${summary}\n`;
}
