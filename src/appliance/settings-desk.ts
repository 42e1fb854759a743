/** Where an API worker asks main for a change of settings, and hears what became of it. */
import type { SettingsDesk } from "../api/api-context.ts";
import { OperatorError } from "../base/errors.ts";
import type { SettingChange } from "../config/live-settings.ts";
import type { Boot, ThreadError, ToThread } from "./boot.ts";
import { tellMain } from "./thread.ts";

export type ThreadSettingsDesk = SettingsDesk & {
  /** An answer of main. */
  readonly hear: (message: Extract<ToThread, { type: "settings-answer" }>) => void;
};

export function openSettingsDesk(boot: Boot): ThreadSettingsDesk {
  type Asked = { readonly resolve: () => void; readonly reject: (error: Error) => void };
  const asked = new Map<number, Asked>();
  let tickets = 0;
  return {
    running: () => boot.settings,
    change: (changes: readonly SettingChange[]) => {
      tickets += 1;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      asked.set(tickets, { resolve, reject });
      tellMain({ type: "change-settings", ticket: tickets, changes });
      return promise;
    },
    hear: ({ ticket, error }) => {
      const waiting = asked.get(ticket);
      asked.delete(ticket);
      if (error === undefined) waiting?.resolve();
      else waiting?.reject(refusal(error));
    },
  };
}

function refusal({ code, message, remedy }: ThreadError): Error {
  if (code === undefined || remedy === undefined) return new Error(message);
  // Structured clones lose the class; main only sends codes of the table.
  return new OperatorError({ code: code as "settings-kept", message, remedy });
}
