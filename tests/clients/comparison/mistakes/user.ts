// The older field `user` of an event.
import { Inngest } from "inngest";

await new Inngest({ id: "comparison" }).send({ name: "storefront/cart.viewed", data: { number: 1 }, user: { id: 1 } });
