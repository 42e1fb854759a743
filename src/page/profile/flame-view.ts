/**
 * The flame graph: a row for each depth of calls, a frame as wide as its share of the time.
 *
 *   click, Enter      zoom into the frame          Escape, Backspace   zoom out
 *   arrows            to who calls, who is called, and the neighbours
 *   /                 search; what is found is marked, and its share of the time stands beside it
 *
 * Only frames wide enough to be seen are made; zooming shows the others.
 */
import { make, the } from "../dom.ts";
import type { Stacks } from "./data.ts";
import { type FlameNode, flameTree, foundMs, isFound } from "./flame-tree.ts";

const ROW_PX = 20;
const SHARE_MIN = 0.001;

type Drawn = { readonly node: FlameNode; readonly element: HTMLButtonElement };

export class FlameView {
  readonly #stacks: Stacks;
  readonly #box = the("flame");
  readonly #search = the<HTMLInputElement>("search");
  readonly #found = the("found");
  readonly #detail = the("frame");
  readonly #drawn = new Map<FlameNode, Drawn>();
  #root: FlameNode;
  #zoomed: FlameNode;

  constructor(stacks: Stacks) {
    this.#stacks = stacks;
    this.#root = flameTree(stacks);
    this.#zoomed = this.#root;
    const choice = the<HTMLSelectElement>("thread");
    choice.append(
      make("option", { value: "" }, "all threads"),
      ...stacks.threads.map(({ name }) => make("option", { value: name }, name)),
    );
    choice.addEventListener("change", () => this.#show(choice.value === "" ? undefined : choice.value));
    this.#search.addEventListener("input", () => this.#mark());
    the("reset").addEventListener("click", () => this.#zoom(this.#root));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.target === this.#search) return;
      event.preventDefault();
      this.#search.focus();
    });
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#draw();
  }

  #show(thread: string | undefined): void {
    this.#root = flameTree(this.#stacks, thread);
    this.#zoom(this.#root);
  }

  #zoom(node: FlameNode): void {
    this.#zoomed = node;
    this.#draw();
    this.#drawn.get(node)?.element.focus({ preventScroll: true });
  }

  #draw(): void {
    this.#drawn.clear();
    const callers: FlameNode[] = [];
    for (let at = this.#zoomed.parent; at !== undefined; at = at.parent) callers.unshift(at);
    for (const [depth, caller] of callers.entries()) this.#add(caller, { depth, left: 0, width: 1 });
    const deepest = this.#addTree(this.#zoomed, { depth: callers.length, left: 0, width: 1 });
    this.#box.style.height = `${(deepest + 1) * ROW_PX}px`;
    this.#box.replaceChildren(...[...this.#drawn.values()].map(({ element }) => element));
    this.#mark();
    this.#describe(this.#zoomed);
  }

  /** @returns the deepest row that was drawn */
  #addTree(node: FlameNode, place: { depth: number; left: number; width: number }): number {
    this.#add(node, place);
    let deepest = place.depth;
    let { left } = place;
    for (const child of node.children) {
      const width = (place.width * child.ms) / Math.max(node.ms, Number.MIN_VALUE);
      if (width < SHARE_MIN) break; // They come heaviest first.
      deepest = Math.max(deepest, this.#addTree(child, { depth: place.depth + 1, left, width }));
      left += width;
    }
    return deepest;
  }

  #add(node: FlameNode, { depth, left, width }: { depth: number; left: number; width: number }): void {
    const { name, at, kind } = node.frame;
    const element = make(
      "button",
      {
        type: "button",
        class: `flame-frame ${kind}`,
        "data-name": name,
        title: `${name}${at === "" ? "" : ` (${at})`}: ${this.#text(node)}`,
        style: `left:${left * 100}%;width:${width * 100}%;top:${depth * ROW_PX}px;--shade:${shadeOf(name)}`,
        tabindex: node === this.#zoomed ? "0" : "-1",
      },
      name,
    );
    element.addEventListener("click", () => this.#zoom(node));
    element.addEventListener("focus", () => this.#describe(node));
    element.addEventListener("mouseenter", () => this.#describe(node));
    this.#drawn.set(node, { node, element });
  }

  #mark(): void {
    const text = this.#search.value.trim();
    for (const { node, element } of this.#drawn.values()) {
      element.classList.toggle("found", isFound(node, text));
    }
    const share = this.#root.ms === 0 ? 0 : foundMs(this.#root, text) / this.#root.ms;
    this.#found.textContent = text === "" ? "" : `${percent(share)} of the time`;
  }

  #describe(node: FlameNode): void {
    const { name, at } = node.frame;
    this.#detail.textContent = `${name}${at === "" ? "" : ` (${at})`}: ${this.#text(node)}`;
  }

  #text({ ms, selfMs }: FlameNode): string {
    const share = this.#root.ms === 0 ? 0 : ms / this.#root.ms;
    return `${percent(share)}, ${Math.round(ms)} ms, ${Math.round(selfMs)} ms of it in itself`;
  }

  #onKey(event: KeyboardEvent): void {
    const focused = [...this.#drawn.values()].find(({ element }) => element === document.activeElement)?.node;
    if (event.key === "Escape" || event.key === "Backspace") {
      event.preventDefault();
      this.#zoom(this.#zoomed.parent ?? this.#root);
      return;
    }
    if (focused === undefined) return;
    const next = this.#neighbour(focused, event.key);
    if (next === undefined) return;
    event.preventDefault();
    this.#drawn.get(next)?.element.focus();
  }

  #neighbour(node: FlameNode, key: string): FlameNode | undefined {
    const siblings = node.parent?.children ?? [];
    const place = siblings.indexOf(node);
    switch (key) {
      case "ArrowUp":
        return node.parent;
      case "ArrowDown":
        return node.children[0];
      case "ArrowLeft":
        return siblings[place - 1];
      case "ArrowRight":
        return siblings[place + 1];
      default:
        return undefined;
    }
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** A function has the same shade everywhere. */
function shadeOf(name: string): number {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) % 997;
  return hash % 24;
}
