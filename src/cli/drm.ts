/** `drm`: how a running appliance does in the best known test of false memory, beside people. */
import { setTimeout as pause } from "node:timers/promises";
import { HUMAN_FIGURES } from "../operate/drm/human-figures.ts";
import { ownMaterial, readMaterial } from "../operate/drm/material.ts";
import { type DrmResult, runDrm } from "../operate/drm/protocol.ts";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { onInterrupt } from "./interrupt.ts";
import { table } from "./text-table.ts";

export const drmCommand: Command = {
  name: "drm",
  summary: "Test a running appliance for false memories (Deese-Roediger-McDermott)",
  details:
    "Studies lists of words that all point to one word that is not among them, in spaces of its own, which it deletes " +
    "at the end; then asks for that word. A memory that generalises takes some of these lures for studied, and one " +
    "that discriminates not as many as it takes of what it did study. Without vectors in the file the appliance's " +
    "embedder embeds the words; the built-in one knows letters, not meanings, and is taken in by no lure.",
  options: [
    {
      flags: "--lists <FILE>",
      about: "word lists, with vectors where it has them (default: eight of its own)",
    },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance drm", "with lists of its own and the configured embedder"],
    ["engram-appliance drm --lists lists.json.gz", "with lists and vectors of yours"],
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const file = optionText(context, "lists");
  const material = file === undefined ? ownMaterial() : readMaterial(file);
  let isCancelled = false;
  const interrupted = onInterrupt(() => {
    context.err("interrupted: deleting the spaces that were made\n");
    isCancelled = true;
  });
  try {
    const result = await runDrm(
      material,
      {
        call: (method, path, body, space) => {
          // Deleting what was made goes on.
          if (isCancelled && method !== "DELETE") throw new Interrupted();
          return callAppliance(context, method, path, body, space);
        },
        progress: (text) => context.err(`${text}\n`),
        pause,
        isCancelled: () => isCancelled,
      },
      `drm-${Date.now().toString(36)}`,
    );
    present(context, { ...result, people: HUMAN_FIGURES }, () => resultText(result));
    return EXIT_CODES.ok.status;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_CODES["try-again"].status;
    throw error;
  } finally {
    interrupted.stop();
  }
}

class Interrupted extends Error {}

function resultText({ lists, recognition, recall, byList, correlationWithPeople }: DrmResult): string {
  const share = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(2));
  const people = (pick: (figures: (typeof HUMAN_FIGURES)[number]) => number | undefined): string[] =>
    HUMAN_FIGURES.map((figures) => share(pick(figures)));
  const { studied, lures, unrelated, unrelatedLures } = recognition;
  const rows = [
    [
      "recognised: studied words",
      share(studied.probability),
      share(studied.saidOld),
      ...people((f) => f.recognition.studied),
    ],
    [
      "recognised: lures",
      share(lures.probability),
      share(lures.saidOld),
      ...people((f) => f.recognition.lures),
    ],
    [
      "recognised: unrelated words",
      share(unrelated.probability),
      share(unrelated.saidOld),
      ...people((f) => f.recognition.unrelated),
    ],
    [
      "recognised: unrelated lures",
      share(unrelatedLures.probability),
      share(unrelatedLures.saidOld),
      "-",
      "-",
    ],
    ["recalled: studied words", share(recall.studied), "-", ...people((f) => f.recall.studied)],
    ["recalled: lures", share(recall.lures), "-", ...people((f) => f.recall.lures)],
  ];
  const correlation =
    correlationWithPeople === null
      ? "no figures of people for these lists"
      : `r ${correlationWithPeople.toFixed(2)} between lists that take in people and lists that take in the appliance`;
  return [
    `${lists} lists; recognition as mean probability, and as share said "old"; people: Roediger & McDermott 1995`,
    "",
    table(["", "probability", 'said "old"', "people, exp. 1", "people, exp. 2"], rows),
    `d' studied against unrelated ${recognition.dPrimeTrue.toFixed(2)}, against lures ${recognition.dPrimeLures.toFixed(2)}`,
    `${recall.intrusions.toFixed(1)} other words come up in the recall of a list`,
    correlation,
    "",
    table(
      ["lure", "taken for studied", "by people"],
      byList.map(({ lure, falseRecognition, human }) => [lure, share(falseRecognition), share(human)]),
    ),
  ].join("\n");
}
