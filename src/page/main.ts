/**
 * The page: builds the panels, fills them from the history, and refreshes them while the tab is seen.
 *
 * A refresh that fails says so in the head and is tried again; nothing that was shown is taken away for it.
 */
import { follow, KeyNeeded, query, queryRange, read, setKey } from "./api.ts";
import { PanelCard, WINDOW_SECONDS } from "./chart.ts";
import { make, the } from "./dom.ts";
import { formatSpan, formatValue } from "./format.ts";
import { FIGURES, PANELS, SECTIONS } from "./panels.ts";
import { showAlerts, showCounters, showEvent, showNodes, showSlowOperations } from "./tables.ts";

const REFRESH_MS = 5000;
const STEP_SECONDS = 10;
const THEME_NAME = "engram-theme";

const cards = PANELS.map((panel) => new PanelCard(panel));
let isRunning = false;
let events = new AbortController();

setTheme(
  localStorage.getItem(THEME_NAME) ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);
the("theme").addEventListener("click", () => {
  const next = document.documentElement.dataset["theme"] === "dark" ? "light" : "dark";
  localStorage.setItem(THEME_NAME, next);
  setTheme(next);
});
the<HTMLFormElement>("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey(the<HTMLInputElement>("key").value.trim());
  start();
});
for (const section of SECTIONS) {
  the(`panels-${section}`).replaceChildren(
    ...cards.filter(({ panel }) => panel.section === section).map(({ element }) => element),
  );
}
the("figures").replaceChildren(
  ...FIGURES.map(({ id, title }) =>
    make("div", { class: "figure" }, make("strong", { id: `figure-${id}` }, "–"), make("span", {}, title)),
  ),
);
addEventListener("resize", () => {
  for (const card of cards) card.draw();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
start();

async function start(): Promise<void> {
  the("key-form").hidden = true;
  await attempt(async () => {
    await Promise.all(
      cards.map(async (card) =>
        card.fill(
          await Promise.all(
            card.panel.series.map(
              async ({ expr, legend }) =>
                [legend, await queryRange(expr, WINDOW_SECONDS, STEP_SECONDS)] as const,
            ),
          ),
        ),
      ),
    );
    await refreshAll();
    if (!isRunning) setInterval(() => void (document.hidden || refresh()), REFRESH_MS);
    isRunning = true;
    events.abort();
    events = new AbortController();
    const show = (event: Parameters<typeof showEvent>[1]): void => showEvent(the("events"), event);
    follow("/api/v1/stream/memories", events.signal, show);
    follow("/api/v1/stream/alerts", events.signal, (event) => {
      show(event);
      attempt(() => showAlerts(the("alerts"), the("alert-badge")));
    });
  });
}

function refresh(): Promise<void> {
  return isRunning ? attempt(refreshAll) : start();
}

async function refreshAll(): Promise<void> {
  const seconds = Math.floor(Date.now() / 1000);
  await Promise.all([
    showHealth(),
    ...FIGURES.map(async ({ id, unit, expr }) => {
      const [sample] = await query(expr);
      the(`figure-${id}`).textContent = sample === undefined ? "–" : formatValue(sample.value, unit);
    }),
    ...cards.map(async (card) =>
      card.add(
        seconds,
        await Promise.all(
          card.panel.series.map(async ({ expr, legend }) => [legend, await query(expr)] as const),
        ),
      ),
    ),
    showAlerts(the("alerts"), the("alert-badge")),
    showSlowOperations(the("slow")),
    showNodes(the("nodes")),
    showCounters(the("counters")),
  ]);
}

async function showHealth(): Promise<void> {
  type Health = {
    readonly status: string;
    readonly version: string;
    readonly uptime_seconds: number;
    readonly parts: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
  };
  const { status, version, uptime_seconds, parts } = await read<Health>("/api/v1/system/health");
  const pill = the("status");
  pill.textContent = status;
  pill.className = `pill ${status === "ok" ? "ok" : "bad"}`;
  the("version").textContent = `version ${version}, up ${formatSpan(uptime_seconds)}`;
  const unwell = Object.entries(parts).filter(
    ([, part]) => part.status === "degraded" || part.status === "failed",
  );
  the("unwell").replaceChildren(
    ...unwell.map(([name, part]) => make("p", {}, `${name}: ${part.reason ?? part.status}`)),
  );
}

/** Does something that needs the appliance, and says in the head how it went. */
async function attempt(step: () => Promise<void>): Promise<void> {
  const notice = the("notice");
  try {
    await step();
    notice.textContent = `updated ${new Date().toLocaleTimeString()}`;
    notice.className = "dim";
  } catch (error) {
    if (error instanceof KeyNeeded) the("key-form").hidden = false;
    const reason = error instanceof Error ? error.message : String(error);
    notice.textContent = error instanceof TypeError ? "the appliance does not answer; trying again" : reason;
    notice.className = "trouble";
  }
}

function setTheme(theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  the("theme").textContent = theme === "dark" ? "Light" : "Dark";
  the("theme").setAttribute("aria-label", `change to the ${theme === "dark" ? "light" : "dark"} theme`);
  for (const card of cards) card.draw();
}
