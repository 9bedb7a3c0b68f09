// Sends events with the `inngest` package of npm: see `run`.

import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { Inngest, eventType } from "inngest";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const viewed = (number, more) => ({ name: "storefront/cart.viewed", data: { number }, ...more });
const numbers = {
  "~standard": {
    version: 1,
    vendor: "comparison",
    validate: (value) =>
      typeof value?.number === "number" ? { value } : { issues: [{ message: "number is not a number" }] },
  },
};

async function outcome(client, events) {
  try {
    return { ids: (await client.send(events)).ids };
  } catch (error) {
    return { error: String(error), debug: inspect(error), accepted: error.ids ?? null };
  }
}

const calls = {
  one: (client) => outcome(client, viewed(0)),
  many: (client, count) => outcome(client, Array.from({ length: count }, (_, number) => viewed(number))),
  "same dedup id twice": async (client) => {
    const event = { name: "storefront/order.placed", data: { number: 7 }, id: "order-placed-7" };
    await outcome(client, event);
    return outcome(client, event);
  },
  "all fields": (client) => {
    const more = { ts: 1700000000000, v: "2", user: { id: "u1" }, meta: { sessions: { chat: "c1" } } };
    return outcome(client, viewed(0, more));
  },
  "large integer": (client) => outcome(client, viewed(9007199254740993)),
  "large BigInt": (client) => outcome(client, viewed(9007199254740993n)),
  "reserved name": (client) => outcome(client, { name: "inngest/cart.viewed", data: { number: 0 } }),
  "wrong type": (client) => outcome(client, viewed("0")),
  "wrong type, with a schema": (client) =>
    outcome(client, eventType("storefront/cart.viewed", { schema: numbers }).create({ number: "0" })),
  print: (client) => ({ printed: inspect(client) }),
};

// Only local servers: a client that does not read a variable must not send to Inngest Cloud.
const local = (url, options) => {
  if (!["localhost", "127.0.0.1"].includes(new URL(url).hostname)) throw new Error("not a local server");
  return fetch(url, options);
};

if (process.argv[2] === "environment") {
  const client = new Inngest({ id: "comparison", baseUrl: process.argv[3], logger: quiet, fetch: local });
  console.log(JSON.stringify(await outcome(client, viewed(0))));
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, count, url, key } = JSON.parse(line);
    const client = new Inngest({ id: "comparison", baseUrl: url, eventKey: key, isDev: false, logger: quiet });
    console.log(JSON.stringify(await calls[call](client, count)));
  }
}
