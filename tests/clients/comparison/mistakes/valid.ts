// No mistake: the compiler accepts this file.
import { Inngest, eventType, staticSchema } from "inngest";

const cartViewed = eventType("storefront/cart.viewed", { schema: staticSchema<{ number: number }>() });
await new Inngest({ id: "comparison" }).send(cartViewed.create({ number: 1 }));
