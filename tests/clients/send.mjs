// Sends events with the `inngest` package of npm, and prints the result of each call as a line of JSON.

import { Inngest } from "inngest";

const [baseUrl, key] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = (eventKey) => new Inngest({ id: "test", baseUrl, eventKey, isDev: false, logger: quiet });
const good = client(key);
const bad = client("another-key");

const event = (call, number, more) => ({ name: "test/sent", data: { call, number }, ...more });
const many = (call, count, more = () => ({})) =>
  Array.from({ length: count }, (_, number) => event(call, number, more(number)));

async function report(call, client, events) {
  try {
    const { ids } = await client.send(events);
    console.log(JSON.stringify({ call, ids }));
  } catch (error) {
    console.log(JSON.stringify({ call, error: String(error) }));
  }
}

await report("one, through a 503", good, event("one, through a 503", 0));
await report("one", good, event("one", 0));
await report("a batch", good, many("a batch", 50));
await report("one with an id", good, event("one with an id", 0, { id: "test-id" }));
await report("the same id again", good, event("the same id again", 0, { id: "test-id" }));
await report("a batch with ids", good, many("a batch with ids", 5, (number) => ({ id: `id-${number}` })));
await report("a key that is refused", bad, many("a key that is refused", 2));
const partial = many("a batch whose third is bad", 4);
partial[2].name = "inngest/reserved";
await report("a batch whose third is bad", good, partial);
