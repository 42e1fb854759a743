/** How the calls about the running settings are described. */
import { describeOperation } from "./openapi.ts";
import { changedReply, changeSettings, settingsReply } from "./running-settings.contract.ts";

const COMMON = { tag: "System", right: "admin", spaced: false } as const;

export function showSettingsDetail() {
  return describeOperation({
    ...COMMON,
    id: "showSettings",
    summary: "Read the settings that run",
    description:
      "With what was changed while running. Settings that name files say where, never what is in them.",
    replies: {
      200: {
        description: "All of them",
        schema: settingsReply,
        example: { settings: [{ name: "index.ef_search", value: 128, default: 64, live: true }] },
      },
    },
    errors: [],
  });
}

export function changeSettingsDetail() {
  return describeOperation({
    ...COMMON,
    id: "changeSettings",
    summary: "Change settings while the appliance runs",
    description:
      "All of them, or none: one that is unknown, not live or out of range refuses the whole change, and a thread that " +
      "does not take it leaves the old values everywhere. They last until the next start; " +
      "`engram-appliance config set --live NAME VALUE` writes the settings file, too.",
    body: {
      schema: changeSettings,
      examples: {
        ef: { summary: "A wider search of the graph", value: { "index.ef_search": 128 } },
        log: { summary: "Everything in the log", value: { "logging.level": "debug" } },
      },
    },
    replies: {
      200: {
        description: "In force in every thread",
        schema: changedReply,
        example: { changed: [{ name: "index.ef_search", from: 64, to: 128 }] },
      },
    },
    errors: ["setting-not-live"],
  });
}
