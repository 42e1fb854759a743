/** report.html: the page that the executable carries, with a profile's data inside. */
import pageFile from "../../dist/profile.client" with { type: "file" };
import type { Report } from "../operate/profile/report.ts";
import type { Stacks } from "../operate/profile/stacks.ts";

const PLACE = '"profile data"';

export async function reportPage(data: {
  readonly report: Report;
  readonly stacks: Stacks;
}): Promise<string> {
  const page = await Bun.file(pageFile).text();
  // No name in it can end the element it stands in.
  const text = JSON.stringify(data).replaceAll("<", "\\u003c");
  const at = page.indexOf(PLACE);
  return page.slice(0, at) + text + page.slice(at + PLACE.length);
}
