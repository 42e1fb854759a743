/**
 * Reads a `strace -f -y` of the appliance and says, for each answer that promises fsync, whether the record was
 * really on the disk by then.
 *
 *   pwrite64(<…/log/00000001.log>, "…the id…") = n   the record is in the page cache from here
 *   fdatasync(<the same file>) begins … = 0          it is on the disk from here
 *   sendto(socket, "HTTP/1.1 201 …the id…") begins   and only here may the answer leave
 *
 * strace prints a call's line when the call begins if another thread's call comes in between ("unfinished"), and
 * its "resumed" line when it ends, so the order of lines is the order of events. Ids in such a trace are plain
 * letters, framed so that none is part of another.
 */

export type SyncVerdict = {
  /** ids that were answered */
  readonly answered: number;
  /** what was promised too early */
  readonly broken: string[];
  /** fdatasync calls on log segments that were answered 0 */
  readonly logSyncs: number;
};

type Call = { readonly name: string; readonly path: string; readonly text: string; readonly beganAt: number };

const LINE = /^(\d+)\s+(.*)$/;
const BEGIN = /^(\w+)\((\d+)(?:<([^>]*)>)?/;

/** @param ids those whose answer promised fsync, as they appear in record and answer */
export function judgeSyncs(trace: string, ids: readonly string[]): SyncVerdict {
  const wrote = new Map<string, { readonly path: string; readonly endedAt: number }>();
  const syncs: { path: string; beganAt: number; endedAt: number }[] = [];
  const answers = new Map<string, number>();
  const open = new Map<string, Call>();
  const ended = (call: Call, at: number, rest: string): void => {
    if (call.name === "pwrite64" && call.path.endsWith(".log")) {
      for (const id of ids) if (call.text.includes(id)) wrote.set(id, { path: call.path, endedAt: at });
    } else if (call.name === "fdatasync" && /= 0$/.test(rest)) {
      syncs.push({ path: call.path, beganAt: call.beganAt, endedAt: at });
    }
  };
  for (const [at, line] of trace.split("\n").entries()) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, thread, event] = match;
    if (event!.startsWith("<... ")) {
      const call = open.get(thread!);
      if (call !== undefined) ended(call, at, event!);
      open.delete(thread!);
      continue;
    }
    const begin = BEGIN.exec(event!);
    if (begin === null) continue;
    const call: Call = { name: begin[1]!, path: begin[3] ?? "", text: event!, beganAt: at };
    if (call.name === "sendto" && /HTTP\/1\.1 20\d/.test(event!)) {
      for (const id of ids) if (event!.includes(id)) answers.set(id, at);
    }
    if (event!.endsWith("<unfinished ...>")) open.set(thread!, call);
    else ended(call, at, event!);
  }

  const broken: string[] = [];
  for (const [id, answeredAt] of answers) {
    const write = wrote.get(id);
    if (write === undefined || write.endedAt > answeredAt) {
      broken.push(`${id} was answered in line ${answeredAt + 1} before it was written`);
      continue;
    }
    const synced = syncs.some(
      ({ path, beganAt, endedAt }) => path === write.path && beganAt > write.endedAt && endedAt < answeredAt,
    );
    if (!synced) broken.push(`${id} was answered in line ${answeredAt + 1} without a sync since its write`);
  }
  const logSyncs = syncs.filter(({ path }) => path.endsWith(".log")).length;
  return { answered: answers.size, broken, logSyncs };
}
