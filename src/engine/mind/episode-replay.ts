/**
 * Episodes in the order in which they happened, page by page.
 *
 * A page is found by going over the headers once: some 5 ns a slot, and the content only of those that may be in it.
 * A cursor names time and sequence of the last episode of the page before, so it holds through compactions, and what
 * is remembered meanwhile is met where it belongs.
 */
import { RequestError } from "../../base/errors.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { Memory } from "../engine.ts";
import type { EpisodePage, ReplayQuery } from "../mind-engine.ts";
import type { SpaceReader } from "../space-reader.ts";
import { sequenceOf } from "./node-traits.ts";

type Place = { readonly atMs: number; readonly sequence: number };

export function replayEpisodes(reader: SpaceReader, query: ReplayQuery): EpisodePage {
  const after = query.cursor === undefined ? undefined : placeOfCursor(query.cursor);
  const places = placesOf(reader, query, after);
  places.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
  const episodes: Memory[] = [];
  let last: Place | undefined;
  for (const place of places) {
    const memory = reader.isLive(place.slot) ? reader.memory(place.slot) : undefined;
    if (memory === undefined || !fits(memory, query)) continue;
    if (episodes.length === query.limit) return { episodes, nextCursor: cursorOf(last!) };
    episodes.push(memory);
    last = place;
  }
  return { episodes, nextCursor: undefined };
}

function placesOf(
  reader: SpaceReader,
  { fromMs, toMs }: ReplayQuery,
  after: Place | undefined,
): (Place & { readonly slot: number })[] {
  const from = fromMs ?? Number.NEGATIVE_INFINITY;
  const to = toMs ?? Number.POSITIVE_INFINITY;
  const places: (Place & { readonly slot: number })[] = [];
  if (reader.root.load("episodeCount") === 0) return places;
  const nodeCount = reader.root.load("nodeCount");
  for (let slot = 0; slot < nodeCount; slot++) {
    if (reader.kind(slot) !== NODE_KIND.episode || !reader.isLive(slot)) continue;
    const atMs = reader.timestampMs(slot);
    if (atMs < from || atMs > to) continue;
    const sequence = sequenceOf(reader.headers, slot);
    const isBehind =
      after === undefined || atMs > after.atMs || (atMs === after.atMs && sequence > after.sequence);
    if (isBehind) places.push({ atMs, sequence, slot });
  }
  return places;
}

function fits({ detailsJson }: Memory, { session, who }: ReplayQuery): boolean {
  if (session === undefined && who === undefined) return true;
  const details = JSON.parse(detailsJson ?? "{}") as { session?: string; who?: readonly string[] };
  if (session !== undefined && details.session !== session) return false;
  return who === undefined || (details.who ?? []).includes(who);
}

function cursorOf({ atMs, sequence }: Place): string {
  return `${atMs}_${sequence}`;
}

function placeOfCursor(cursor: string): Place {
  const parts = /^(-?\d+(?:\.\d+)?)_(-?\d+)$/.exec(cursor);
  if (parts === null) {
    throw new RequestError({
      code: "request-invalid",
      message: "The cursor is none of a replay",
      expected: "next_cursor of the page before",
      received: cursor,
      at: "cursor",
    });
  }
  return { atMs: Number(parts[1]), sequence: Number(parts[2]) };
}
