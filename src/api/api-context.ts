/** What the routes of the API work with; made once in each API worker. */
import type { Engine } from "../engine/engine.ts";
import type { Family } from "../observe/family.ts";
import type { ApiMeter } from "../observe/meters.ts";
import type { Access } from "./access.ts";
import type { ErrorSink } from "./problem.ts";
import type { ApiLimits } from "./settings.ts";

/** Where the API's figures go, and where all metrics come from. */
export type Watch = { readonly meter: ApiMeter; readonly snapshot: () => readonly Family[] };

export type ApiContext = {
  readonly engine: Engine;
  readonly limits: ApiLimits;
  readonly access: Access;
  readonly errors: ErrorSink;
  /** of the appliance, as `version` prints it */
  readonly version: string;
  readonly watch: Watch;
  /** true once the worker takes no new requests */
  draining: boolean;
};
