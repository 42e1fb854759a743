/**
 * The page at `/`: one file that lies in the executable. It is open to anyone, like the docs; what it shows comes from
 * calls that need a key where keys are in force. A content security policy lets it load nothing from anywhere else.
 */
import { createHash } from "node:crypto";
import { Elysia } from "elysia";
import pageFile from "../../dist/page.client" with { type: "file" };
import { assert } from "../base/assert.ts";

type Page = { readonly bytes: Uint8Array<ArrayBuffer>; readonly headers: Readonly<Record<string, string>> };

export function pageRoutes() {
  let page: Promise<Page> | undefined;
  return new Elysia({ name: "page" }).get(
    "/",
    async ({ request }) => {
      page ??= readPage();
      const { bytes, headers } = await page;
      if (request.headers.get("if-none-match") === headers["etag"]) {
        return new Response(null, { status: 304, headers });
      }
      return new Response(bytes, { headers: { ...headers, "content-encoding": "gzip" } });
    },
    { detail: { hide: true } },
  );
}

async function readPage(): Promise<Page> {
  const html = await Bun.file(pageFile).text();
  const policy = [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    `script-src ${hashOf(html, /<script type="module">([\s\S]*)<\/script>/)}`,
    // uPlot sets the sizes of its elements.
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return {
    bytes: Bun.gzipSync(new TextEncoder().encode(html)),
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
      etag: `"${createHash("sha256").update(html).digest("hex").slice(0, 32)}"`,
      vary: "accept-encoding",
    },
  };
}

function hashOf(html: string, part: RegExp): string {
  const found = part.exec(html)?.[1];
  assert(found !== undefined, "the page has a script");
  return `'sha256-${createHash("sha256").update(found).digest("base64")}'`;
}
