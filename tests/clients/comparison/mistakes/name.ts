// An event name that is reserved by Inngest.
import { Inngest, eventType, staticSchema } from "inngest";

const cartViewed = eventType("inngest/cart.viewed", { schema: staticSchema<{ number: number }>() });
await new Inngest({ id: "comparison" }).send(cartViewed.create({ number: 1 }));
