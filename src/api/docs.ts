/**
 * The docs: the OpenAPI document at `/api/v1/docs/json` and its page at `/api/v1/docs`, both from `@elysiajs/swagger`.
 *
 * The plugin's page loads Swagger UI from a CDN. Its script address has no setting, so it is replaced in the page by
 * our own copy, whose files lie in the binary and are sent from there without being kept in memory. A content security
 * policy makes sure of it: the page may load nothing from anywhere else. (docs/decisions/api-docs.md)
 */
import { createHash } from "node:crypto";
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import styleFile from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import scriptFile from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { assert } from "../base/assert.ts";
import { ERROR_CODES } from "../base/error-codes.ts";
import { jsonSchemaOf } from "./contract.ts";
import { BEARER, HEADER_KEY } from "./openapi.ts";
import { problemReply } from "./remember.contract.ts";

export const DOCS_PATH = "/api/v1/docs";
const DOCUMENT_PATH = `${DOCS_PATH}/json`;
const STYLE_PATH = `${DOCS_PATH}/swagger-ui.css`;
const SCRIPT_PATH = `${DOCS_PATH}/swagger-ui.js`;
const ONE_DAY = "public, max-age=86400";

/**
 * The plugin's type leaves "url" out, which the plugin sets relative to the page: wrong for a page in a folder. A
 * constant is not held against the type for having it.
 */
const SWAGGER_OPTIONS = { url: DOCUMENT_PATH, deepLinking: true, validatorUrl: "none" };

export function docsRoutes(version: string) {
  let page: Promise<Page> | undefined;
  return (
    new Elysia({ name: "docs" })
      .use(swaggerPlugin(version, DESCRIPTION))
      // The same path as the plugin's own page, and registered after it: this one answers.
      .get(
        DOCS_PATH,
        async () => {
          page ??= localPage(version);
          const { html, policy } = await page;
          return new Response(html, {
            headers: {
              "content-type": "text/html; charset=utf-8",
              "content-security-policy": policy,
              "referrer-policy": "no-referrer",
            },
          });
        },
        { detail: { hide: true } },
      )
      .get(STYLE_PATH, () => sendFile(styleFile, "text/css; charset=utf-8"), { detail: { hide: true } })
      .get(SCRIPT_PATH, () => sendFile(scriptFile, "text/javascript; charset=utf-8"), {
        detail: { hide: true },
      })
  );
}

const ERROR_ROWS = Object.entries(ERROR_CODES)
  .flatMap(([code, entry]) => (entry.kind === "request" ? [{ code, ...entry }] : []))
  .map(({ code, status, summary, remedy }) => `| \`${code}\` | ${status} | ${summary} | ${remedy} |`);

/** Stands in the page as an attribute too, which the plugin does not quote. */
const SUMMARY =
  "A memory engine for programs and agents: store what was experienced, and recall it by meaning and by words.";

const DESCRIPTION = `${SUMMARY}

Every error is answered as \`application/problem+json\` with one of these codes, what was expected, what was received and what to do:

| code | status | what it says | what to do |
| --- | --- | --- | --- |
${ERROR_ROWS.join("\n")}`;

function swaggerPlugin(version: string, description: string) {
  return swagger({
    provider: "swagger-ui",
    path: DOCS_PATH,
    specPath: DOCUMENT_PATH,
    theme: STYLE_PATH,
    swaggerOptions: SWAGGER_OPTIONS,
    documentation: {
      info: {
        title: "engram-appliance",
        version,
        description,
        license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      },
      tags: [
        { name: "Memories", description: "Remember, recall, read and forget" },
        { name: "Mind", description: "Recognise, complete, imagine, predict; and the query language" },
        { name: "Spaces", description: "Memory spaces, isolated from each other" },
        { name: "Index", description: "The vector index of a space" },
        { name: "Alerts", description: "What needs somebody's attention, and who is not to be told" },
        { name: "System", description: "The appliance itself" },
        { name: "Metrics", description: "The history of all metrics, asked in PromQL" },
        { name: "Streams", description: "What happens, as it happens: memories, log lines, alerts, metrics" },
      ],
      components: {
        // Elysia's plugin types the JSON Schemas of OpenAPI more narrowly than OpenAPI 3.0 does.
        schemas: { Problem: jsonSchemaOf(problemReply) as never },
        securitySchemes: {
          [BEARER]: { type: "http", scheme: "bearer", description: "An API key, `eng_…`" },
          [HEADER_KEY]: {
            type: "apiKey",
            in: "header",
            name: "X-API-Key",
            description: "An API key, `eng_…`",
          },
        },
      },
      servers: [{ url: "/", description: "This appliance" }],
    },
  });
}

type Page = { readonly html: string; readonly policy: string };

/** The page of a plugin of its own, because the plugin answers with one Response, which can be read once. */
async function localPage(version: string): Promise<Page> {
  const answer = await swaggerPlugin(version, SUMMARY).handle(new Request(`http://localhost${DOCS_PATH}`));
  const made = await answer.text();
  const html = made.replace(
    /<script src="https:\/\/unpkg\.com\/[^"]+\/swagger-ui-bundle\.js" crossorigin>/,
    `<script src="${SCRIPT_PATH}">`,
  );
  assert(html !== made, "the plugin's page loads Swagger UI by one script tag");
  assert(!/(src|href)="https?:/.test(html), "the docs page loads nothing from elsewhere");
  const inline = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1];
  assert(inline !== undefined, "the plugin's page starts Swagger UI in an inline script");
  const hash = createHash("sha256").update(inline).digest("base64");
  const policy =
    `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self' 'unsafe-inline'; ` +
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
  return { html, policy };
}

function sendFile(path: string, contentType: string): Response {
  return new Response(Bun.file(path), { headers: { "content-type": contentType, "cache-control": ONE_DAY } });
}
