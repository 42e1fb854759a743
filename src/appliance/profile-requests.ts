/** Where an API worker asks main for a profile, tells what spaces took of it meanwhile, and hears the answer. */
import type { ProfileTaker } from "../api/api-context.ts";
import type { SlowWatch } from "../observe/slow-watch.ts";
import { SpaceTally } from "../observe/space-tally.ts";
import type { ToThread } from "./boot.ts";
import { tellMain } from "./thread.ts";

export type ProfileRequests = ProfileTaker & {
  /** A message of main that concerns profiles. */
  readonly hear: (message: Extract<ToThread, { type: "profile" | "profile-answer" }>) => void;
};

export function openProfileRequests(slow: Pick<SlowWatch, "tally">): ProfileRequests {
  const asked = new Map<number, (answer: Extract<ToThread, { type: "profile-answer" }>["answer"]) => void>();
  let tickets = 0;
  let run = 0;
  return {
    take: (seconds) => {
      tickets += 1;
      const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<ProfileTaker["take"]>>>();
      asked.set(tickets, resolve);
      tellMain({ type: "take-profile", ticket: tickets, seconds });
      return promise;
    },
    hear: (message) => {
      if (message.type === "profile-answer") {
        asked.get(message.ticket)?.(message.answer);
        asked.delete(message.ticket);
        return;
      }
      if (run !== 0) tellMain({ type: "profile-spaces", run, spaces: slow.tally?.taken() ?? [] });
      run = message.run;
      slow.tally = run === 0 ? undefined : new SpaceTally();
    },
  };
}
