/**
 * A load of every kind of write at once, each noted in the crash model, until the appliance stops answering.
 */
import type { Random } from "../../src/base/random.ts";
import type { Ack } from "../../src/engine/engine.ts";
import { type ApplianceClient, isCut, type Reply } from "../support/appliance-client.ts";
import { ABSENT, type CrashModel } from "./crash-model.ts";
import { asInput, differenceOf, makeMemory, versionOf } from "./made-memory.ts";

const ACKS: readonly Ack[] = ["fsync", "fsync", "fsync", "wal", "memory"];
/** The spaces that stay: embeddings made by the appliance, and brought along. */
export const LASTING_SPACES = [
  { name: "talk", dimensions: 0 },
  { name: "vectors", dimensions: 48 },
] as const;
const WRITERS = 6;
const BATCH_WRITERS = 2;
const CHURNERS = 2;
const CHURN_DIMENSIONS = 8;
const READERS = 2;
const IDS_PER_WRITER = 30;

export type LoadReport = { acknowledged: number; wrong: string[] };

/** Runs until every connection is cut or every call refused as shutting down. */
export async function runLoad(
  client: ApplianceClient,
  model: CrashModel,
  random: Random,
): Promise<LoadReport> {
  const report: LoadReport = { acknowledged: 0, wrong: [] };
  const load = new Load(client, model, random, report);
  const tasks: Promise<void>[] = [];
  for (let writer = 0; writer < WRITERS; writer++) tasks.push(load.repeat(() => load.writeOne(writer)));
  for (let writer = 0; writer < BATCH_WRITERS; writer++)
    tasks.push(load.repeat(() => load.writeBatch(writer)));
  for (let churner = 0; churner < CHURNERS; churner++) tasks.push(load.repeat(() => load.churn(churner)));
  for (let reader = 0; reader < READERS; reader++) tasks.push(load.repeat(() => load.read()));
  await Promise.all(tasks);
  return report;
}

/** The appliance said that it ends. */
class Ending extends Error {}

class Load {
  readonly #client: ApplianceClient;
  readonly #model: CrashModel;
  readonly #random: Random;
  readonly #report: LoadReport;

  constructor(client: ApplianceClient, model: CrashModel, random: Random, report: LoadReport) {
    this.#client = client;
    this.#model = model;
    this.#random = random;
    this.#report = report;
  }

  async repeat(step: () => Promise<void>): Promise<void> {
    try {
      for (;;) await step();
    } catch (error) {
      if (error instanceof Ending || isCut(error)) return;
      throw error;
    }
  }

  async writeOne(writer: number): Promise<void> {
    const random = this.#random;
    const { name, dimensions } = LASTING_SPACES[writer % LASTING_SPACES.length]!;
    const id = `w${writer}-${random.below(IDS_PER_WRITER)}`;
    const ack = ACKS[random.below(ACKS.length)]!;
    if (random.below(4) === 0) {
      await this.#forget(name, id, ack);
      return;
    }
    await this.#remember(name, id, dimensions, ack);
  }

  async writeBatch(writer: number): Promise<void> {
    const random = this.#random;
    const { name, dimensions } = LASTING_SPACES[writer % LASTING_SPACES.length]!;
    const ack = ACKS[random.below(ACKS.length)]!;
    const made = Array.from({ length: 5 + random.below(25) }, (_, index) =>
      makeMemory(name, `b${writer}-${index}`, this.#model.nextVersion(), dimensions),
    );
    const attempts = made.map(({ id, metadata }) => this.#model.attempt(name, id, metadata.version));
    const reply = await this.#client.rememberBatch(made.map(asInput), { ack, if_exists: "replace" }, name);
    this.#mayEnd(reply);
    for (const [index, { id }] of made.entries()) {
      const stored = reply.ok && reply.body.results[index]!.status === 201;
      if (stored) this.#model.acknowledged(name, id, attempts[index]!, ack !== "memory");
      else this.#model.refused(name, id, attempts[index]!);
      if (stored) this.#report.acknowledged += 1;
    }
    if (!reply.ok || reply.body.failed > 0) this.#wrong(`a batch was refused: ${JSON.stringify(reply.body)}`);
  }

  /** Makes a space under a name that others had before it, fills it, and mostly deletes it. */
  async churn(churner: number): Promise<void> {
    const random = this.#random;
    const name = `churn-${churner}-${random.below(2)}`;
    const dimensions = CHURN_DIMENSIONS;
    if (!this.#model.spaceNames.includes(name)) {
      this.#model.attemptSpace(name, dimensions);
      const made = await this.#client.createSpace({ name, dimensions, embedder: "none" });
      this.#mayEnd(made);
      if (!made.ok) {
        this.#model.spaceDeleted(name);
        this.#wrong(`space ${name} was refused: ${JSON.stringify(made.body)}`);
        return;
      }
      this.#model.spaceMade(name);
    }
    for (let i = 0; i < 4; i++) await this.#remember(name, `c${random.below(6)}`, dimensions, "fsync");
    if (random.below(3) === 0) return;
    this.#model.attemptDelete(name);
    const deleted = await this.#client.deleteSpace(name);
    if (deleted.ok) this.#model.spaceDeleted(name);
    else this.#model.spaceMade(name);
    this.#mayEnd(deleted);
    if (!deleted.ok) this.#wrong(`deleting ${name} was refused: ${JSON.stringify(deleted.body)}`);
  }

  /** Reads while others write: nothing half written may be seen, nothing of a space that is gone. */
  async read(): Promise<void> {
    const random = this.#random;
    if (random.below(3) === 0) {
      await this.#readChurned(`churn-${random.below(CHURNERS)}-${random.below(2)}`);
      return;
    }
    const { name, dimensions } = LASTING_SPACES[random.below(LASTING_SPACES.length)]!;
    const any = makeMemory(name, "any", random.below(1000) + 1, dimensions);
    const reply = await this.#client.recall(
      dimensions > 0 && random.below(2) === 0
        ? { embedding: any.embedding, limit: 20, mode: "vector" }
        : { query: any.content.slice(any.word.length, 200), limit: 20 },
      name,
    );
    this.#mayEnd(reply);
    if (!reply.ok) {
      this.#wrong(`a recall was refused: ${JSON.stringify(reply.body)}`);
      return;
    }
    const ids = new Set<string>();
    for (const memory of reply.body.memories) {
      const difference = this.#model.observeOne(name, memory);
      if (difference !== undefined) this.#wrong(`recalled while writing: ${difference}`);
      if (ids.has(memory.id)) this.#wrong(`recalled twice: ${memory.id}`);
      ids.add(memory.id);
    }
  }

  async #readChurned(name: string): Promise<void> {
    const listed = await this.#client.list({}, name);
    this.#mayEnd(listed);
    if (!listed.ok && listed.body.code !== "space-not-found") this.#wrong(JSON.stringify(listed.body));
    if (!listed.ok) return;
    const query = { query: "harbour lantern", embedding: new Float32Array(CHURN_DIMENSIONS).fill(1) };
    const recalled = await this.#client.recall(query, name);
    this.#mayEnd(recalled);
    if (!recalled.ok && recalled.body.code !== "space-not-found") this.#wrong(JSON.stringify(recalled.body));
    for (const memory of [...listed.body.memories, ...(recalled.ok ? recalled.body.memories : [])]) {
      const difference = differenceOf(
        makeMemory(name, memory.id, versionOf(memory), CHURN_DIMENSIONS),
        memory,
      );
      if (difference !== undefined) this.#wrong(`read while its space was churned: ${difference}`);
    }
  }

  async #remember(space: string, id: string, dimensions: number, ack: Ack): Promise<void> {
    const made = makeMemory(space, id, this.#model.nextVersion(), dimensions);
    const attempt = this.#model.attempt(space, id, made.metadata.version);
    const reply = await this.#client.remember({ ...asInput(made), ack, if_exists: "replace" }, space);
    if (reply.ok) {
      this.#model.acknowledged(space, id, attempt, ack !== "memory");
      this.#report.acknowledged += 1;
      return;
    }
    this.#model.refused(space, id, attempt);
    this.#mayEnd(reply);
    this.#wrong(`remember was refused: ${JSON.stringify(reply.body)}`);
  }

  async #forget(space: string, id: string, ack: Ack): Promise<void> {
    const attempt = this.#model.attempt(space, id, ABSENT);
    const reply = await this.#client.forget(id, ack, space);
    if (reply.ok) {
      this.#model.acknowledged(space, id, attempt, ack !== "memory");
      this.#report.acknowledged += 1;
      return;
    }
    this.#model.refused(space, id, attempt);
    this.#mayEnd(reply);
    if (reply.status !== 404) this.#wrong(`forget was refused: ${JSON.stringify(reply.body)}`);
  }

  #mayEnd(reply: Reply<unknown>): void {
    if (!reply.ok && reply.body.code === "shutting-down") throw new Ending();
  }

  #wrong(what: string): void {
    this.#report.wrong.push(what);
  }
}
