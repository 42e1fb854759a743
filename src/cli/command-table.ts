/** Every command, in the order help shows them. */
import { analyzeCommand } from "./analyze.ts";
import { benchCommand } from "./bench.ts";
import type { Command } from "./command.ts";
import { configCommand } from "./config.ts";
import { doctorCommand } from "./doctor.ts";
import { drmCommand } from "./drm.ts";
import { indexCommand } from "./index-command.ts";
import { installCommand } from "./install.ts";
import { keyCommand } from "./key.ts";
import { profileCommand } from "./profile.ts";
import { queryCommand } from "./query.ts";
import { serveCommand } from "./serve.ts";
import { slowQueriesCommand } from "./slow-queries.ts";
import { spaceCommand } from "./space.ts";
import { topCommand } from "./top.ts";
import { tuneCommand } from "./tune.ts";
import { versionCommand } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  serveCommand,
  configCommand,
  spaceCommand,
  queryCommand,
  indexCommand,
  keyCommand,
  benchCommand,
  drmCommand,
  doctorCommand,
  topCommand,
  slowQueriesCommand,
  profileCommand,
  analyzeCommand,
  tuneCommand,
  installCommand,
  versionCommand,
];
