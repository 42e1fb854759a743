/** The version of the appliance, from `package.json`: the one place it is written. */
import { version as packageVersion } from "../../package.json";

export const VERSION: string = packageVersion;
