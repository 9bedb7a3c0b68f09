// Parses an AsyncAPI document with the official parser. Exits with 1 if the document has an error or a warning
// other than those about what a catalog does not know.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

// An id, a license, contacts, servers and tags are for the team to add. The version of AsyncAPI is not the latest.
const IGNORED = [
  "asyncapi-latest-version", "asyncapi3-tags", "asyncapi-defaults",
  "asyncapi-info-contact", "asyncapi-info-license", "asyncapi-id", "asyncapi-servers",
];

const text = await readFile(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const problems = diagnostics.filter(({ code, severity }) => severity <= 1 && !IGNORED.includes(code));
for (const { code, message, path } of problems) {
  console.error(`catalog: asyncapi: ${code}: ${message} at ${path.join(".")}`);
}
if (!document || problems.length > 0) process.exit(1);
const messages = document.allMessages().all();
const names = new Set(messages.map((message) => message.name()));
if (names.size < 30 || messages.length <= names.size) {
  console.error(`catalog: asyncapi: only ${messages.length} messages of ${names.size} events`);
  process.exit(1);
}
console.log(`catalog: asyncapi: ${messages.length} messages of ${names.size} events, accepted by the parser`);
