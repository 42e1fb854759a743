/** How the calls about the appliance itself are described. */
import { describeOperation } from "./openapi.ts";
import { healthReply, liveReply, readyReply, versionReply } from "./system.contract.ts";

const COMMON = { tag: "System", spaced: false, errors: [] } as const;

export function liveDetail() {
  return describeOperation({
    ...COMMON,
    id: "live",
    summary: "Whether the process serves at all",
    right: undefined,
    replies: { 200: { description: "It does", schema: liveReply, example: { status: "live" } } },
  });
}

export function readyDetail() {
  return describeOperation({
    ...COMMON,
    id: "ready",
    summary: "Whether the appliance takes requests now",
    right: undefined,
    replies: {
      200: { description: "It does", schema: readyReply, example: { status: "ready" } },
      503: {
        description: "It does not yet, or not any more",
        schema: readyReply,
        example: { status: "not-ready", reason: "recovering" },
      },
    },
  });
}

export function healthDetail() {
  const example = {
    status: "ok",
    ready: true,
    version: "0.1.0",
    uptime_seconds: 86_400.5,
    parts: {
      log: { status: "ok", detail: { segments: 3 } },
      numa: { status: "unavailable", reason: "libnuma.so.1 is not installed" },
    },
  };
  return describeOperation({
    ...COMMON,
    id: "health",
    summary: "The state of each part",
    right: "read",
    replies: {
      200: { description: "It works, wholly or in part", schema: healthReply, example },
      503: {
        description: "A part has failed without which it does not work",
        schema: healthReply,
        example: { ...example, status: "failed", ready: false },
      },
    },
  });
}

export function versionDetail() {
  return describeOperation({
    ...COMMON,
    id: "version",
    summary: "What is running",
    right: "read",
    replies: {
      200: {
        description: "Versions",
        schema: versionReply,
        example: { name: "engram-appliance", version: "0.1.0", bun: "1.4.5", platform: "linux-x64" },
      },
    },
  });
}
