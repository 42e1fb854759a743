/** Options of the commands that read settings: `--config`, and flags that stand for a setting. */
import { existsSync } from "node:fs";
import { configPath, type LoadedSettings, loadSettings, type SettingFlag } from "../config/load.ts";
import { type CommandContext, type CommandOption, optionText } from "./command.ts";

export const CONFIG_OPTION: CommandOption = {
  flags: "--config <FILE>",
  about: "settings file (default: $ENGRAM_CONFIG, else /etc/engram-appliance/config.toml if it exists)",
};
export const DATA_OPTION: CommandOption = { flags: "--data <DIR>", about: "data directory (data.dir)" };
export const HOST_OPTION: CommandOption = {
  flags: "--host <ADDR>",
  about: "address to listen on (server.host)",
};
export const PORT_OPTION: CommandOption = { flags: "--port <N>", about: "port to listen on (server.port)" };

const FLAG_OF_OPTION: Readonly<Record<string, { path: string; flag: string }>> = {
  data: { path: "data.dir", flag: "--data" },
  host: { path: "server.host", flag: "--host" },
  port: { path: "server.port", flag: "--port" },
};

/** The file these settings come from; undefined for none. */
export function configFileOf(context: CommandContext): string | undefined {
  return configPath(optionText(context, "config"), context.environment, existsSync);
}

/** The effective settings, with the flags that were given. @throws {OperatorError} as `loadSettings` */
export function loadSettingsOf(context: CommandContext): LoadedSettings {
  const flags = Object.entries(FLAG_OF_OPTION).flatMap(([option, { path, flag }]): SettingFlag[] => {
    const text = optionText(context, option);
    return text === undefined ? [] : [{ path, text, flag }];
  });
  return loadSettings({ file: configFileOf(context), environment: context.environment, flags });
}
