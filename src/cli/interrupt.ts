/** A command that has something to undo before it ends. */

/** Calls back at SIGINT and SIGTERM, in place of ending the process. */
export function onInterrupt(interrupt: () => void): { readonly stop: () => void } {
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    stop: () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}
