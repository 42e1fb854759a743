/** What the routes of the API work with; made once in each API worker. */
import type { Engine } from "../engine/engine.ts";
import type { Access } from "./access.ts";
import type { ErrorSink } from "./problem.ts";
import type { ApiLimits } from "./settings.ts";

export type ApiContext = {
  readonly engine: Engine;
  readonly limits: ApiLimits;
  readonly access: Access;
  readonly errors: ErrorSink;
  /** of the appliance, as `version` prints it */
  readonly version: string;
  /** true once the worker takes no new requests */
  draining: boolean;
};
