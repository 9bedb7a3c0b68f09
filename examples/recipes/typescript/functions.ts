// Functions that receive the events of the Rust program in main.rs. Their types are in the generated file events.ts.
//
//     npm install
//     npm start        serves them at http://127.0.0.1:3001/api/inngest
//     npm run check    checks the types only

import { Inngest } from "inngest";
import { createServer } from "inngest/node";
import { orderPlaced, orderShipped, type Item } from "./events.js";

const inngest = new Inngest({ id: "shop" });

function total(items: Item[]): number {
  return items.reduce((cents, item) => cents + item.cents * item.quantity, 0);
}

const sendReceipt = inngest.createFunction(
  { id: "send-receipt", triggers: [orderPlaced] },
  async ({ event }) => {
    const { email, items, payment } = event.data;
    // The type `Payment` is a union, so `last4` can be used only after this check.
    const paid = payment.method === "card" ? `with the card ending in ${payment.last4}` : "by invoice";
    return `to ${email}: ${total(items)} cents, paid ${paid}`;
  },
);

const announceShipment = inngest.createFunction(
  { id: "announce-shipment", triggers: [orderPlaced] },
  async ({ event, step }) => {
    const shipped = await step.waitForEvent("wait for the shipment", {
      event: orderShipped,
      timeout: "7d",
      match: "data.number",
    });
    // `shipped` is `null` if there is no such event within seven days.
    return shipped ? `to ${event.data.email}: ${shipped.data.tracking ?? "shipped"}` : "not shipped";
  },
);

const port = Number(process.env.PORT ?? 3001);
createServer({ client: inngest, functions: [sendReceipt, announceShipment] }).listen(port, "127.0.0.1");
