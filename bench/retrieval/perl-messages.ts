/**
 * Another kind of text for the retrieval benches: the explanations that Perl gives of its messages.
 *
 * perldiag.pod comes with perl-modules on Debian. A memory is one explanation, a question is the message it
 * explains, which is stored nowhere; so what is asked with and what answers share few words.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Conversation, Question, Turn } from "./conversations.ts";

const PERL = "/usr/share/perl";

/** The file, where this machine has it. */
export function perlMessagesPath(): string | undefined {
  if (!existsSync(PERL)) return undefined;
  const paths = readdirSync(PERL).map((version) => join(PERL, version, "pod/perldiag.pod"));
  return paths.find((path) => existsSync(path));
}

/** Why there is nothing to measure with; undefined when there is. */
export function missingPerlMessages(): string | undefined {
  return perlMessagesPath() === undefined
    ? `no pod/perldiag.pod below ${PERL}; it comes with perl-modules`
    : undefined;
}

/** The explanations as the turns of one conversation, in the order of the file. */
export function loadPerlMessages(): Conversation {
  const explanations: string[] = [];
  const questions: Question[] = [];
  let messages: string[] = [];
  for (const block of readFileSync(perlMessagesPath()!, "utf8").split(/\n\n+/)) {
    const item = /^=item (.*)/s.exec(block);
    if (item !== null) {
      messages.push(plain(item[1]!).replace(/%\w+/g, " "));
    } else if (block.startsWith("=")) {
      messages = [];
    } else if (messages.length > 0) {
      for (const text of messages) {
        questions.push({ text, category: "message", evidence: [explanations.length] });
      }
      explanations.push(plain(block));
      messages = [];
    } else if (explanations.length > 0) {
      explanations[explanations.length - 1] += ` ${plain(block)}`;
    }
  }
  const turns: Turn[] = explanations.map((content, i) => ({ id: `message-${i}`, content, timestampMs: 0 }));
  return { name: "perldiag", turns, questions };
}

/** Pod without its marks: C<text>, L<text>, E<< text >>. */
function plain(pod: string): string {
  return pod
    .replace(/[A-Z]<< ?(.*?) ?>>/g, "$1")
    .replace(/[A-Z]<([^<>]*)>/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
