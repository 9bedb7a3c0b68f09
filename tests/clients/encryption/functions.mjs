// Sends events and runs a function with the encryption middleware of npm. Each line of the input is a request with
// `keys`, of which the first one encrypts, and is answered with a line:
//
//     {"keys", "send": data, "url"}      sends an event, answers {"ids"}
//     {"keys", "run": event}             runs a function, answers with its input and output: {"seen", "output"}
//
// or {"error"}.

import { createInterface } from "node:readline";

import { encryptionMiddleware } from "@inngest/middleware-encryption";
import { Inngest } from "inngest";
import { serve } from "inngest/edge";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function client([key, ...fallbackDecryptionKeys], baseUrl) {
  const middleware = [encryptionMiddleware({ key, fallbackDecryptionKeys })];
  return new Inngest({ id: "test", isDev: true, baseUrl, eventKey: "test", logger: quiet, middleware });
}

async function run(keys, event) {
  const inngest = client(keys);
  let seen;
  const read = inngest.createFunction(
    { id: "read", triggers: [{ event: event.name }], retries: 0 },
    async ({ event, events }) => {
      seen = { event: event.data, events: events.map((event) => event.data) };
      return event.data.encrypted;
    },
  );
  const ctx = { run_id: "run", fn_id: "read", attempt: 0, disable_immediate_execution: true, use_api: false };
  const body = { version: 1, event, events: [event], steps: {}, ctx: { ...ctx, stack: { stack: [], current: 0 } } };
  const request = new Request("http://localhost/api/inngest?fnId=test-read&stepId=step", {
    method: "POST",
    headers: { "content-type": "application/json", host: "localhost" },
    body: JSON.stringify(body),
  });
  const response = await serve({ client: inngest, functions: [read] })(request);
  const text = await response.text();
  return response.status === 200 ? { seen, output: JSON.parse(text) } : { error: text };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { keys, send, url, run: event } = JSON.parse(line);
  let answer;
  try {
    answer = event ? await run(keys, event) : await client(keys, url).send({ name: "test/sealed", data: send });
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
