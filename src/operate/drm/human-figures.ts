/**
 * How people did, to stand beside: H. L. Roediger and K. B. McDermott, "Creating false memories: Remembering words not
 * presented in lists", Journal of Experimental Psychology: Learning, Memory, and Cognition 21 (1995), experiment 1
 * (six lists) and experiment 2 (sixteen lists, lists that were studied and recalled).
 */
export const HUMAN_FIGURES = [
  {
    experiment: "experiment 1",
    recall: { studied: 0.65, lures: 0.4 },
    recognition: { studied: 0.86, lures: 0.84, unrelated: 0.02 },
  },
  {
    experiment: "experiment 2",
    recall: { studied: 0.62, lures: 0.55 },
    recognition: { studied: 0.79, lures: 0.81, unrelated: 0.11 },
  },
] as const;
