/**
 * One panel as a card: title, chart, and under it a list with each series' last value, which is what a screen reader
 * reads; the drawing itself is hidden from it.
 *
 * The window of ten minutes is kept here: filled from the history once, then a point every refresh.
 */
import uPlot from "uplot";
import type { Sample, Series } from "./api.ts";
import { make } from "./dom.ts";
import { formatValue } from "./format.ts";
import type { Panel } from "./panels.ts";

export const WINDOW_SECONDS = 600;
const HEIGHT_PX = 180;
/** More lines than this tell nothing; the largest are kept. */
const LINES_MAX = 10;
/** Told apart by people who see red and green alike, in this order (Okabe & Ito 2008, adapted to both themes). */
const COLOURS = 8;

export type Found = { readonly legend: string; readonly points: ReadonlyMap<number, number> };

export class PanelCard {
  readonly panel: Panel;
  readonly element: HTMLElement;
  readonly #place: HTMLElement;
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #lines = new Map<string, Map<number, number>>();
  #chart: uPlot | undefined;
  #shown = "";

  constructor(panel: Panel) {
    this.panel = panel;
    this.#place = make("div", { class: "chart", "aria-hidden": "true" });
    this.#list = make("ul", { class: "legend" });
    this.#empty = make("p", { class: "empty" }, panel.whenEmpty);
    this.element = make(
      "article",
      { class: "card", id: `panel-${panel.id}`, "aria-labelledby": `title-${panel.id}` },
      make(
        "header",
        {},
        make("h3", { id: `title-${panel.id}` }, panel.title),
        make("p", { class: "about" }, panel.about),
      ),
      this.#empty,
      this.#place,
      this.#list,
    );
  }

  /** Takes the history over. */
  fill(found: readonly (readonly [legend: string, series: readonly Series[]])[]): void {
    for (const [legend, series] of found) {
      for (const { labels, points } of series) {
        const line = this.#line(legendOf(legend, labels));
        for (const [at, value] of points) line.set(at, value);
      }
    }
    this.draw();
  }

  /** Adds what the series are now. */
  add(seconds: number, found: readonly (readonly [legend: string, samples: readonly Sample[]])[]): void {
    for (const [legend, samples] of found) {
      for (const { labels, value } of samples) this.#line(legendOf(legend, labels)).set(seconds, value);
    }
    for (const [legend, points] of this.#lines) {
      for (const at of points.keys()) if (at < seconds - WINDOW_SECONDS) points.delete(at);
      if (points.size === 0) this.#lines.delete(legend);
    }
    this.draw();
  }

  draw(): void {
    const lines = this.#largest();
    this.#empty.hidden = lines.length > 0;
    this.#place.hidden = lines.length === 0;
    this.#drawLegend(lines);
    if (lines.length === 0) return;
    const times = [...new Set(lines.flatMap(([, points]) => [...points.keys()]))].sort((a, b) => a - b);
    const values = lines.map(([, points]) => times.map((at) => points.get(at) ?? null));
    // The highest first, so that each area covers what lies above it.
    const drawn = this.panel.isStacked === true ? stacked(values).reverse() : values;
    // A new chart only when its lines, its width or the colours of the theme are others.
    const width = Math.max(240, this.#place.clientWidth);
    const shown = `${width} ${lines.map(([legend]) => legend).join("|")} ${document.documentElement.dataset["theme"]}`;
    if (shown !== this.#shown) {
      this.#chart?.destroy();
      this.#chart = new uPlot(
        this.#options(
          lines.map(([legend]) => legend),
          width,
        ),
        [[], ...drawn.map(() => [])] as never,
        this.#place,
      );
      this.#shown = shown;
    }
    this.#chart!.setData([times, ...drawn] as uPlot.AlignedData);
  }

  #line(legend: string): Map<number, number> {
    const known = this.#lines.get(legend) ?? new Map<number, number>();
    this.#lines.set(legend, known);
    return known;
  }

  #largest(): (readonly [string, ReadonlyMap<number, number>])[] {
    const last = (points: ReadonlyMap<number, number>): number => [...points.values()].at(-1) ?? 0;
    const lines = [...this.#lines].filter(([, points]) => [...points.values()].some(Number.isFinite));
    const kept = [...lines].sort((a, b) => last(b[1]) - last(a[1])).slice(0, LINES_MAX);
    // In the order they came, so that a line keeps its colour.
    return lines.filter((line) => kept.includes(line));
  }

  #drawLegend(lines: readonly (readonly [string, ReadonlyMap<number, number>])[]): void {
    this.#list.replaceChildren(
      ...lines.map(([legend, points], at) =>
        make(
          "li",
          {},
          make("span", { class: `swatch c${at % COLOURS}`, "aria-hidden": "true" }),
          `${legend} `,
          make("strong", {}, formatValue([...points.values()].at(-1) ?? Number.NaN, this.panel.unit)),
        ),
      ),
    );
  }

  #options(legends: readonly string[], width: number): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (at: number): string => style.getPropertyValue(`--c${at % COLOURS}`);
    const text = style.getPropertyValue("--dim");
    const grid = { stroke: style.getPropertyValue("--line"), width: 1 };
    const isStacked = this.panel.isStacked === true;
    const numbered = legends.map((label, at) => ({ label, colour: colour(at) }));
    return {
      width,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
      axes: [
        { stroke: text, grid, ticks: grid, space: 80, values: (_, splits) => splits.map(clockText) },
        {
          stroke: text,
          grid,
          ticks: grid,
          size: 78,
          values: (_, splits) => splits.map((value) => formatValue(value, this.panel.unit)),
        },
      ],
      series: [
        {},
        ...(isStacked ? numbered.reverse() : numbered).map((line) => ({
          label: line.label,
          stroke: line.colour,
          width: 1.5,
          spanGaps: true,
          points: { show: false },
          ...(isStacked ? { fill: line.colour } : {}),
        })),
      ],
    };
  }
}

/** `{name}` replaced by the label; an empty legend is the panel's own. */
export function legendOf(template: string, labels: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => labels[name] ?? "");
}

function clockText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

/** Each line on top of those before it. */
export function stacked(values: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const below: number[] = [];
  return values.map((line) =>
    line.map((value, at) => {
      below[at] = (below[at] ?? 0) + (value ?? 0);
      return below[at];
    }),
  );
}
