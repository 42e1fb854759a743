/** The verbs of the mind, as the API calls them: links, reinforcement, and the replay of episodes. */
import type { BindingKind } from "../layout/binding.ts";
import type { Ack, Memory, WriteOptions } from "./engine.ts";

/** Links that a caller may make. */
export const LINK_KINDS = ["link", "cause"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** Strength of a link that its maker gave none. */
export const LINK_STRENGTH_DEFAULT = 0.8;

export type LinkSpec = {
  /** ids of two memories of the space; a cause points to what it caused */
  readonly source: string;
  readonly destination: string;
  readonly kind: LinkKind;
};

export type Link = LinkSpec & {
  readonly space: string;
  readonly ack: Ack;
  readonly strength: number;
  readonly useCount: number;
  /** false: there was one already, which is now as strong as was asked for, or stronger by a use */
  readonly isNew: boolean;
};

/** A binding as it is seen from one of its ends. */
export type BindingSeen = {
  readonly kind: BindingKind;
  /** the memory at the other end */
  readonly id: string;
  /** `out`: this end is the source */
  readonly direction: "out" | "in";
  /** 0 to 1 */
  readonly strength: number;
  readonly useCount: number;
  /** ms since the epoch; undefined while it was never used */
  readonly lastUsedMs: number | undefined;
};

export type Reinforced = {
  readonly id: string;
  readonly space: string;
  readonly ack: Ack;
  readonly useCount: number;
  readonly stabilityHours: number;
  readonly importance: number;
  readonly lastUsedMs: number;
};

export type ReplayQuery = {
  readonly fromMs?: number | undefined;
  /** inclusive */
  readonly toMs?: number | undefined;
  readonly session?: string | undefined;
  /** somebody who took part */
  readonly who?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export type EpisodePage = { readonly episodes: readonly Memory[]; readonly nextCursor: string | undefined };

export type FadingQuery = {
  /** retention below which a memory has faded; forgetting.floor where absent */
  readonly floor?: number | undefined;
  /** ms since the epoch: what has faded by then if nothing is used; now where absent */
  readonly atMs?: number | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export type FadingMemory = Memory & {
  /** 0 to 1 */
  readonly retention: number;
  /** half-life, stretched by importance and feeling */
  readonly stabilityHours: number;
  readonly useCount: number;
  /** undefined while it was never used */
  readonly lastUsedMs: number | undefined;
  /** when it fell below the floor */
  readonly fadedAtMs: number;
};

export type FadingPage = {
  readonly memories: readonly FadingMemory[];
  readonly floor: number;
  readonly nextCursor: string | undefined;
};

export interface MindEngine {
  /**
   * Makes a link, or changes the one there is: to the strength given, or stronger by a use where none is.
   * @throws {RequestError} `memory-not-found`
   */
  link(
    space: string,
    spec: LinkSpec & { readonly strength?: number | undefined },
    options: WriteOptions,
  ): Promise<Link>;
  /** @throws {RequestError} `memory-not-found`, `link-not-found` */
  unlink(space: string, spec: LinkSpec, options: WriteOptions): Promise<LinkSpec & { readonly ack: Ack }>;
  /** What a memory is bound to, strongest first. @throws {RequestError} `memory-not-found` */
  bindings(
    space: string,
    id: string,
    options: { readonly kinds?: readonly BindingKind[] | undefined; readonly limit: number },
  ): BindingSeen[];
  /** Says a memory again: it fades more slowly, and matters more. @throws {RequestError} `memory-not-found` */
  reinforce(space: string, id: string, options: WriteOptions): Promise<Reinforced>;
  /** Memories that have faded, in the order of storing: candidates for forgetting. */
  fading(space: string, query: FadingQuery): FadingPage;
  /** Episodes in the order in which they happened. */
  replay(space: string, query: ReplayQuery): EpisodePage;
}
