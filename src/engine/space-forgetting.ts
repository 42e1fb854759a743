/** How the memories of a space fade: what the space has of its own, over what the settings say. */
import { curveOfCode, type ForgettingCurve } from "../layout/forgetting-curve.ts";
import type { SpaceRoot } from "./space-table.ts";

/** What a space has of its own. */
export type SpaceForgetting = {
  readonly curve?: ForgettingCurve | undefined;
  readonly stabilityHours?: number | undefined;
};

/** What holds in a space. */
export type Forgetting = {
  readonly curve: ForgettingCurve;
  /** half-life of a memory before its first use, hours */
  readonly stabilityHours: number;
};

export function forgettingOf(root: SpaceRoot, settings: Forgetting): Forgetting {
  const { curve, stabilityHours } = ownForgetting(root);
  return {
    curve: curve ?? settings.curve,
    stabilityHours: stabilityHours ?? settings.stabilityHours,
  };
}

/** What the space says itself, for its checkpoint. */
export function ownForgetting(root: SpaceRoot): SpaceForgetting {
  const code = root.load("forgettingCurve");
  const stabilityHours = root.number("stabilityHours");
  return {
    ...(code === 0 ? {} : { curve: curveOfCode(code - 1) }),
    ...(stabilityHours === 0 ? {} : { stabilityHours }),
  };
}
