// Functions that use the generated types as functions of users do. `tsc` checks it, and runs nothing.
//
// `Same` fails unless both types are equal, so that an `any` or a wider type is found. An access after
// `@ts-expect-error` must fail.

import { Inngest } from "inngest";
import * as events from "./events.js";

const inngest = new Inngest({ id: "storefront" });

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
// Intersections are equal to the same properties in one object.
type Flat<T> = T extends object ? { [K in keyof T]: T[K] } : T;
function same<Expected>() {
  return <Actual>(..._: Equal<Flat<Actual>, Flat<Expected>> extends true ? [actual: Actual] : [never, never]) => {};
}

// Objects, options, optional properties, tuples of arrays, versions.

inngest.createFunction({ id: "order", triggers: [events.orderPlaced] }, async ({ event, step }) => {
  same<"storefront/order.placed" | "inngest/function.invoked">()(event.name);
  same<events.OrderPlaced>()(event.data);
  same<number>()(event.data.orderNumber);
  same<string | null | undefined>()(event.data.giftNote);
  same<events.Item>()(event.data.pair[1]);
  same<events.Item | undefined>()(event.data.lineItems[0]);
  // @ts-expect-error: the Rust name
  event.data.order_number;
  // @ts-expect-error: it may be null
  event.data.firstItem.sku;
  // @ts-expect-error: the array has two items
  event.data.pair[2];
  // @ts-expect-error: the list may be shorter
  event.data.lineItems[0].sku;
  // @ts-expect-error: a field that no item has
  event.data.pair[0].price;

  const cart = await step.waitForEvent("wait", { event: events.cartUpdatedV2, timeout: "1h" });
  // @ts-expect-error: null after an hour
  cart.data;
  if (cart) {
    same<events.CartUpdatedV2>()(cart.data);
    same<number>()(cart.data.revision);
    // @ts-expect-error: a field that no version has
    cart.data.total;
  }
  const either = await step.waitForEvent("wait for either", {
    event: events.cartUpdated,
    timeout: "1h",
    if: "async.data.cart_id == event.data.cart_id",
  });
  if (either) {
    same<string>()(either.data.cart_id);
    // @ts-expect-error: the first version has no revision
    either.data.revision;
    if ("revision" in either.data) same<events.Item[]>()(either.data.lines);
  }
});

inngest.createFunction(
  { id: "second version", triggers: [{ event: events.cartUpdatedV2, if: "event.v == '2'" }] },
  async ({ event }) => {
    same<events.CartUpdatedV2>()(event.data);
    // @ts-expect-error: a field that this version lacks
    event.data.total;
  },
);

inngest.createFunction(
  { id: "several", triggers: [events.cartUpdatedV1, events.shopOpened, events.stockCounted] },
  async ({ event }) => {
    switch (event.name) {
      case "storefront/cart.updated":
        same<string>()(event.data.cart_id);
        break;
      case "storefront/shop.opened":
        same<Record<string, never>>()(event.data);
        break;
      case "warehouse/stock.counted":
        same<number[]>()(event.data.unique);
        // @ts-expect-error: it is narrowed to another event
        event.data.cart_id;
        break;
      case "inngest/function.invoked":
        break;
      default:
        nothing(event);
    }
    // @ts-expect-error: only one of the three has it
    event.data.cart_id;
  },
);

// Enums: each of the four taggings, narrowed until nothing is left.

function nothing(value: never) {
  return value;
}

export function payment(payment: events.Payment): string {
  // @ts-expect-error: some variants are a text
  payment.card;
  if (typeof payment === "string") {
    same<"cash" | "voucher">()(payment);
    return payment;
  }
  if ("card" in payment) return payment.card.last_digits;
  if ("split" in payment) {
    same<[number, string]>()(payment.split);
    return payment.split[1];
  }
  if ("transfer" in payment) {
    same<number>()(payment.transfer.days);
    return payment.transfer.iban;
  }
  return nothing(payment);
}

export function parcelStep(step: events.ParcelStep): string {
  // @ts-expect-error: only one variant has it
  step.last_seen;
  switch (step.kind) {
    case "Packed":
      // @ts-expect-error: a unit variant has no fields
      step.street;
      return "packed";
    case "Delivered":
      same<string | null | undefined>()(step.city);
      return step.street;
    case "Lost":
      same<number | null | undefined>()(step.claims);
      return step.last_seen;
    // @ts-expect-error: no such variant
    case "Sold":
    default:
      return nothing(step);
  }
}

export function verdict(verdict: events.Verdict): string {
  switch (verdict.t) {
    case "Silent":
      // @ts-expect-error: a unit variant has no content
      verdict.c;
      return "";
    case "Stars":
      same<number>()(verdict.c);
      return "*".repeat(verdict.c);
    case "Compared":
      return verdict.c[0].sku + verdict.c[1].sku;
    case "Written":
      return verdict.c.text;
    default:
      return nothing(verdict);
  }
}

export function price(price: events.Price): number {
  // @ts-expect-error: it may be a text
  price + 1;
  if (typeof price === "number") return price;
  if (typeof price === "string") return price.length;
  if (Array.isArray(price)) return price.length;
  same<{ from: number; to: number }>()(price);
  return price.to - price.from;
}

export function reason(refund: events.RefundMade): string {
  same<number>()(refund.order);
  // @ts-expect-error: only one variant has it
  refund.photos;
  switch (refund.reason) {
    case "damaged":
      same<string[]>()(refund.photos);
      return "damaged";
    case "wrong-item":
      same<number>()(refund.quantity);
      return refund.sku;
    case "other":
      return "other";
    default:
      return nothing(refund);
  }
}

export function flattened(data: events.OptionFlattened): string | undefined {
  same<string | undefined>()(data.sku);
  if ("card" in data) return data.card.last_digits;
  if ("cash" in data) same<null>()(data.cash);
  // @ts-expect-error: not in every variant
  data.split;
  return undefined;
}

export function status({ status, color, open, before }: events.StatusSet): string {
  same<"pending" | "paid_in_full">()(status);
  same<"red" | "green">()(color);
  same<"red" | "green" | null | undefined>()(before);
  // @ts-expect-error: no such variant
  if (status === "paid") return "";
  // The enum may grow.
  if (open === "Known" || open === "AddedLater") return open;
  const text: string = open;
  // @ts-expect-error: it is a text
  const number: number = open;
  return text + number;
}

inngest.createFunction(
  { id: "enums", triggers: [events.paymentTaken, events.parcelMoved, events.reviewPosted, events.priceChanged] },
  async ({ event }) => {
    if (event.name === "storefront/payment.taken") {
      const { fallback } = event.data;
      return payment(event.data.payment) + (fallback && payment(fallback));
    }
    if (event.name === "storefront/parcel.moved") return event.data.earlier.map(parcelStep);
    if (event.name === "storefront/review.posted") return verdict(event.data.verdict);
    if (event.name === "storefront/price.changed") {
      // @ts-expect-error: it may be null
      price(event.data.old);
      return price(event.data.price);
    }
    // @ts-expect-error: an event that triggers no function here
    return event.name === "storefront/shop.opened";
  },
);

inngest.createFunction({ id: "flattened", triggers: [events.refundMade] }, async ({ event }) => reason(event.data));

inngest.createFunction({ id: "texts", triggers: [events.statusSet] }, async ({ event }) => status(event.data));

inngest.createFunction({ id: "twice", triggers: [events.optionFlattened] }, async ({ event: { data } }) =>
  flattened(data),
);

// Everything else that serde can give to data.

inngest.createFunction({ id: "address", triggers: [events.addressChanged] }, async ({ event }) => {
  same<{ city?: string | null; customer: string; postalCode: string; street: string }>()(event.data);
  // @ts-expect-error: it is flattened
  event.data.address;
});

inngest.createFunction({ id: "tagged", triggers: [events.itemTagged] }, async ({ event }) => {
  same<string>()(event.data.sku);
  same<string | undefined>()(event.data["any tag"]);
  // @ts-expect-error: a tag may be missing
  event.data["any tag"].length;
});

inngest.createFunction({ id: "route", triggers: [events.routeTaken] }, async ({ event: { data } }) => {
  same<[number, number]>()(data.point);
  same<[string, number, boolean | null]>()(data.named);
  same<[number, number, number, number]>()(data.bytes);
  same<[string, number] | undefined>()(data.legs[0]);
  same<null>()(data.empty);
  same<null>()(data.of_unit);
  // @ts-expect-error: a tuple of two
  data.point[2];
});

inngest.createFunction({ id: "note", triggers: [events.noteLeft] }, async ({ event: { data } }) => {
  same<number | null | undefined>()(data.nested);
  same<events.Item | null | undefined>()(data.boxed);
  same<((string | null)[] | null)[]>()(data.listed);
  // @ts-expect-error: it may be null
  data.boxed.sku;
});

inngest.createFunction({ id: "recursive", triggers: [events.categoryMoved] }, async ({ event: { data } }) => {
  same<string | undefined>()(data.category.parent?.parent?.children[0]?.name);
  // @ts-expect-error: the root has no parent
  data.category.parent.name;
});

inngest.createFunction({ id: "itself", triggers: [events.commentPosted] }, async ({ event: { data } }) => {
  same<number | undefined>()(data.replies[0]?.replies[0]?.number);
  // @ts-expect-error: there may be none
  data.replies[0].number;
});

inngest.createFunction({ id: "generic", triggers: [events.pageOfItems] }, async ({ event: { data } }) => {
  same<events.Item | undefined>()(data.items[0]);
  same<string | undefined>()(data.next?.after.sku);
  same<number | undefined>()(data.matrix.cells[0]);
  // @ts-expect-error: it is of items
  data.next?.after.length;
});

inngest.createFunction({ id: "maps", triggers: [events.stockCounted] }, async ({ event: { data } }) => {
  same<number | undefined>()(data.by_shelf[7]);
  same<string | undefined>()(data.by_level["-1"]);
  same<number | undefined>()(data.by_color.red);
  same<events.Item | undefined>()(data.items["a"]);
  same<number[]>()(data.unique);
  // @ts-expect-error: no such color
  data.by_color.blue;
  // @ts-expect-error: there may be no such shelf
  data.by_shelf[7].toFixed();
});

inngest.createFunction({ id: "newtypes", triggers: [events.customerJoined] }, async ({ event: { data } }) => {
  same<number>()(data.id);
  same<string>()(data.email);
  same<string | null | undefined>()(data.referrer);
  // @ts-expect-error: a newtype is its inner value
  data.email.text;
});

inngest.createFunction({ id: "invoice", triggers: [events.invoiceSent] }, async ({ event: { data } }) => {
  same<string>()(data.amount);
  same<string | null | undefined>()(data.discount);
  same<string>()(data.at);
  same<string>()(data.id);
  same<number>()(data.took.secs);
  // @ts-expect-error: a decimal is a text
  data.amount * 2;
  // @ts-expect-error: a time is a text
  data.at.getTime();
});

inngest.createFunction({ id: "as string", triggers: [events.accountBooked] }, async ({ event: { data } }) => {
  same<string>()(data.account);
  same<string>()(data.balance);
  // @ts-expect-error: it is a text
  data.account * 2;
});

inngest.createFunction({ id: "renamed", triggers: [events.fieldsRenamed] }, async ({ event: { data } }) => {
  same<boolean>()(data["FIRST-FIELD"]);
  same<number>()(data["odd key"]);
  same<number>()(data['quoted"\\key']);
  same<number>()(data[""]);
  same<string>()(data.$key);
  same<number>()(data[12]);
  same<number>()(data.constructor);
  // @ts-expect-error: the Rust name
  data.odd;
});

inngest.createFunction({ id: "keywords", triggers: [events.keywordsUsed] }, async ({ event: { data } }) => {
  same<string>()(data.type);
  same<number>()(data.match);
  same<number>()(data.größe);
  same<string | null | undefined>()(data.名前);
  same<"Größe" | "Default">()(data.class);
  // @ts-expect-error: not without its umlaut
  data.grosse;
});

inngest.createFunction({ id: "deprecated", triggers: [events.voucherExpired] }, async ({ event: { data } }) => {
  same<string | null | undefined>()(data.old_code);
  same<number>()(data.month);
  // @ts-expect-error: it may be null
  data.old_code.length;
});

inngest.createFunction({ id: "numbers", triggers: [events.numbersCounted] }, async ({ event: { data } }) => {
  same<number>()(data.u64);
  same<number>()(data.f32);
  same<boolean>()(data.bool);
  same<string>()(data.char);
  // @ts-expect-error: it is a number
  data.i64.length;
});

inngest.createFunction({ id: "defaults", triggers: [events.defaultsFilled] }, async ({ event: { data } }) => {
  same<string[] | undefined>()(data.list);
  same<number | null | undefined>()(data.option);
  // @ts-expect-error: it may be missing
  data.list.length;
  // @ts-expect-error: it is skipped
  data.skipped;
});

inngest.createFunction({ id: "strict", triggers: [events.orderStrict] }, async ({ event: { data } }) => {
  same<string>()(data.item.sku);
  // @ts-expect-error: no other fields
  data.other;
});

inngest.createFunction({ id: "anything", triggers: [events.anythingHeld] }, async ({ event: { data } }) => {
  same<unknown>()(data.value);
  same<unknown>()(data.object["key"]);
  // @ts-expect-error: it may be anything
  data.value.length;
});

inngest.createFunction({ id: "one name", triggers: [events.itemsMerged] }, async ({ event: { data } }) => {
  same<string>()(data.item.sku);
  same<number | undefined>()(data.other.inner?.id);
  // @ts-expect-error: it is the other item
  data.other.sku;
});

inngest.createFunction({ id: "encrypted", triggers: [events.secretSealed] }, async ({ event: { data } }) => {
  same<string>()(data.encrypted.last_digits);
  // @ts-expect-error: functions see it decrypted
  data.encrypted.__ENCRYPTED__;
});

// Whole types, as the Rust types serialize.

function value<T>() {
  return undefined as T;
}

same<{ account: string; balance: string }>()(value<events.AccountBooked>());
same<{
  amount: string;
  at: string;
  discount?: string | null;
  due: string;
  id: string;
  took: events.Duration;
}>()(value<events.InvoiceSent>());
same<{ nanos: number; secs: number }>()(value<events.Duration>());
same<{ encrypted: events.Card; number: number }>()(value<events.SecretSealed>());
same<{ object: { [key: string]: unknown }; value: unknown }>()(value<events.AnythingHeld>());
same<{ cart_id: string }>()(value<events.CartUpdatedV1>());
same<{ cart_id: string; lines: events.Item[]; revision: number }>()(value<events.CartUpdatedV2>());
same<events.CartUpdatedV1 | events.CartUpdatedV2>()(value<events.CartUpdated>());
same<{ children: events.Category[]; name: string; parent?: events.Category | null }>()(value<events.Category>());
same<{ number: number; replies: events.CommentPosted[] }>()(value<events.CommentPosted>());
same<{ email: string; friends: number[]; id: number; referrer?: string | null }>()(value<events.CustomerJoined>());
same<{
  aliased: number;
  count?: number;
  inner: events.WithDefaults;
  list?: string[];
  option?: number | null;
  written_only?: number;
}>()(value<events.DefaultsFilled>());
same<{ a?: number; b?: string }>()(value<events.WithDefaults>());
same<{ item: events.Item; other: events.Item2 }>()(value<events.ItemsMerged>());
same<{ quantity: number; sku: string }>()(value<events.Item>());
same<{ id: number; inner?: events.Item2 | null }>()(value<events.Item2>());
same<{
  boxed?: events.Item | null;
  listed: ((string | null)[] | null)[];
  nested?: number | null;
  unit?: null;
}>()(value<events.NoteLeft>());
type Numbers = "f32" | "f64" | "i16" | "i32" | "i64" | "i8" | "non_zero" | "u16" | "u32" | "u64" | "u8" | "usize";
same<{ [key in Numbers]: number } & { bool: boolean; char: string }>()(value<events.NumbersCounted>());
same<{ id: number; quantity?: number; sku?: string } & Exclude<events.Payment, string>>()(
  value<Exclude<events.OptionFlattened, { cash: null } | { voucher: null }>>(),
);
same<{ id: number; quantity?: number; sku?: string; voucher: null }>()(
  value<Extract<events.OptionFlattened, { voucher: null }>>(),
);
same<{
  firstItem?: events.Item | null;
  giftNote?: string | null;
  lineItems: events.Item[];
  orderNumber: number;
  pair: [events.Item, events.Item];
  total: number;
}>()(value<events.OrderPlaced>());
same<{ sku: string }>()(value<events.StrictItem>());
same<{ item: events.StrictItem; number: number }>()(value<events.OrderStrict>());
same<{ items: events.Item[]; matrix: events.Grid; next?: events.Cursor | null }>()(value<events.PageOfItems>());
same<{ after: events.Item }>()(value<events.Cursor>());
same<{ cells: number[] }>()(value<events.Grid>());
same<{ earlier: events.ParcelStep[]; step: events.ParcelStep }>()(value<events.ParcelMoved>());
same<
  | { kind: "Packed" }
  | { kind: "Delivered"; city?: string | null; postalCode: string; street: string }
  | { kind: "Lost"; claims?: number | null; last_seen: string }
>()(value<events.ParcelStep>());
same<{ fallback?: events.Payment | null; payment: events.Payment }>()(value<events.PaymentTaken>());
same<
  | "cash"
  | "voucher"
  | { card: events.Card }
  | { split: [number, string] }
  | { transfer: { days: number; iban: string } }
>()(value<events.Payment>());
same<{ old?: events.Price | null; price: events.Price }>()(value<events.PriceChanged>());
same<number | string | { from: number; to: number } | number[]>()(value<events.Price>());
same<
  | { order: number; reason: "damaged"; photos: string[] }
  | { order: number; reason: "wrong-item"; quantity: number; sku: string }
  | { order: number; reason: "other" }
>()(value<events.RefundMade>());
same<{ verdict: events.Verdict }>()(value<events.ReviewPosted>());
same<{
  bytes: [number, number, number, number];
  empty: null;
  legs: [string, number][];
  named: [string, number, boolean | null];
  of_unit: null;
  point: [number, number];
}>()(value<events.RouteTaken>());
same<{
  before?: events.Color | null;
  color: events.Color;
  earlier?: events.Status | null;
  open: events.OpenStatus;
  status: events.Status;
}>()(value<events.StatusSet>());
same<{ code: string; codes: string[]; month: number; old_code?: string | null }>()(value<events.VoucherExpired>());
same<{
  by_color: { green?: number; red?: number };
  by_level: { [key: string]: string };
  by_shelf: { [key: string]: number };
  items: { [key: string]: events.Item };
  unique: number[];
}>()(value<events.StockCounted>());

// Sending from functions.

inngest.createFunction({ id: "send", triggers: [events.shopClosed] }, async ({ event, step }) => {
  same<Record<string, never>>()(event.data);
  await step.sendEvent("one", events.orderStrict.create({ number: 1, item: { sku: "lamp" } }));
  await step.sendEvent("many", [
    events.shopOpened.create({}),
    events.cartUpdatedV2.create({ cart_id: "c1", revision: 1, lines: [] }, { id: "cart-updated-c1-1" }),
    events.cartUpdated.create({ cart_id: "c1" }),
    events.itemTagged.create({ sku: "lamp", color: "red" }),
    events.paymentTaken.create({ payment: { split: [1, "a"] }, fallback: "cash" }),
    events.paymentTaken.create({ payment: "voucher" }),
    events.refundMade.create({ order: 1, reason: "wrong-item", sku: "lamp", quantity: 1 }),
    events.defaultsFilled.create({ aliased: 1, count: 1, inner: { a: 1, b: "" }, option: null, written_only: 1 }),
  ]);
  // @ts-expect-error: a field is missing
  events.orderStrict.create({ number: 1 });
  // @ts-expect-error: a field of another type
  events.orderStrict.create({ number: "1", item: { sku: "lamp" } });
  // @ts-expect-error: a field that does not exist
  events.orderStrict.create({ number: 1, item: { sku: "lamp" }, note: "" });
  // @ts-expect-error: no data
  events.orderStrict.create();
  // @ts-expect-error: a unit event has no fields
  events.shopOpened.create({ at: 1 });
  // @ts-expect-error: no such variant
  events.paymentTaken.create({ payment: "check", fallback: null });
  // @ts-expect-error: it is never null
  events.paymentTaken.create({ payment: null });
  // @ts-expect-error: missing is not undefined
  events.defaultsFilled.create({ aliased: 1, count: 1, inner: { a: 1, b: "" }, list: undefined, option: null, written_only: 1 });
  // @ts-expect-error: the fields of another variant
  events.refundMade.create({ order: 1, reason: "damaged", sku: "lamp", quantity: 1 });
});

same<"storefront/cart.updated">()(events.cartUpdatedV2.name);
same<"storefront/cart.updated">()(events.cartUpdated.event);
