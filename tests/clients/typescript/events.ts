/* eslint-disable */
/**
 * The events of the storefront.
 *
 * Events of every shape.
 *
 * Generated from the types of the Rust program that sends them: do not edit.
 */

import { eventType, staticSchema } from "inngest";

/** Numbers that are sent as strings. */
export type AccountBooked = {
  /** The account's number. */
  account: string;
  balance: string;
};

/** Numbers that are sent as strings. */
export const accountBooked = eventType("billing/account.booked", {
  schema: staticSchema<AccountBooked>(),
});

/** Decimals, times and uuids. */
export type InvoiceSent = {
  amount: string;
  /** @format date-time */
  at: string;
  discount?: string | null;
  /** @format date */
  due: string;
  /** @format uuid */
  id: string;
  took: Duration;
};

/** Decimals, times and uuids. */
export const invoiceSent = eventType("billing/invoice.sent", {
  schema: staticSchema<InvoiceSent>(),
});

/** An encrypted field, as the feature `encryption` describes it. */
export type SecretSealed = {
  /**
   * Who pays.
   *
   * Encrypted on the way: functions receive this value if their client has the encryption
   * middleware of Inngest with the same key.
   */
  encrypted: Card;
  number: number;
};

/** An encrypted field, as the feature `encryption` describes it. */
export const secretSealed = eventType("billing/secret.sealed", {
  schema: staticSchema<SecretSealed>(),
});

/** A flattened struct, twice. */
export type AddressChanged = {
  city?: string | null;
  customer: string;
  postalCode: string;
  /** The street, with the number. */
  street: string;
};

/** A flattened struct, twice. */
export const addressChanged = eventType("storefront/address.changed", {
  schema: staticSchema<AddressChanged>(),
});

/** Any JSON. */
export type AnythingHeld = {
  object: { [key: string]: unknown };
  value: unknown;
};

/** Any JSON. */
export const anythingHeld = eventType("storefront/anything.held", {
  schema: staticSchema<AnythingHeld>(),
});

/** The first version of a cart. */
export type CartUpdatedV1 = {
  cart_id: string;
};

/**
 * The first version of a cart.
 *
 * Version 1. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: cartUpdatedV1, if: "event.v == '1'" }`
 */
export const cartUpdatedV1 = eventType("storefront/cart.updated", {
  schema: staticSchema<CartUpdatedV1>(),
  version: "1",
});

/**
 * A cart has changed.
 *
 * Sent at most once a second for each cart.
 */
export type CartUpdatedV2 = {
  /** The id of the cart. */
  cart_id: string;
  lines: Item[];
  /** The number of the change. */
  revision: number;
};

/**
 * A cart has changed.
 *
 * Sent at most once a second for each cart.
 *
 * Version 2. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: cartUpdatedV2, if: "event.v == '2'" }`
 */
export const cartUpdatedV2 = eventType("storefront/cart.updated", {
  schema: staticSchema<CartUpdatedV2>(),
  version: "2",
});

/** Any version of `storefront/cart.updated`. Functions receive all of them, since triggers match by name. */
export type CartUpdated = CartUpdatedV1 | CartUpdatedV2;

/** Any version of `storefront/cart.updated`. Functions receive all of them, since triggers match by name. */
export const cartUpdated = eventType("storefront/cart.updated", {
  schema: staticSchema<CartUpdated>(),
});

/** A recursive type. */
export type CategoryMoved = {
  category: Category;
};

/** A recursive type. */
export const categoryMoved = eventType("storefront/category.moved", {
  schema: staticSchema<CategoryMoved>(),
});

/** A payload that contains itself. */
export type CommentPosted = {
  number: number;
  replies: CommentPosted[];
};

/** A payload that contains itself. */
export const commentPosted = eventType("storefront/comment.posted", {
  schema: staticSchema<CommentPosted>(),
});

/** Newtypes. */
export type CustomerJoined = {
  email: string;
  friends: CustomerId[];
  id: CustomerId;
  referrer?: string | null;
};

/** Newtypes. */
export const customerJoined = eventType("storefront/customer.joined", {
  schema: staticSchema<CustomerJoined>(),
});

/** Fields that are not always there. */
export type DefaultsFilled = {
  aliased: number;
  count?: number;
  inner: WithDefaults;
  list?: string[];
  option?: number | null;
  written_only?: number;
};

/** Fields that are not always there. */
export const defaultsFilled = eventType("storefront/defaults.filled", {
  schema: staticSchema<DefaultsFilled>(),
});

/** Names that differ from Rust's. */
export type FieldsRenamed = {
  "": number;
  $key: string;
  "12": number;
  "FIRST-FIELD": boolean;
  constructor: number;
  "odd key": number;
  "quoted\"\\key": number;
};

/** Names that differ from Rust's. */
export const fieldsRenamed = eventType("storefront/fields.renamed", {
  schema: staticSchema<FieldsRenamed>(),
});

/** A flattened map. */
export type ItemTagged = {
  sku: string;
  [key: string]: string;
};

/** A flattened map. */
export const itemTagged = eventType("storefront/item.tagged", {
  schema: staticSchema<ItemTagged>(),
});

/** Two inner types of one name. */
export type ItemsMerged = {
  item: Item;
  other: Item2;
};

/** Two inner types of one name. */
export const itemsMerged = eventType("storefront/items.merged", {
  schema: staticSchema<ItemsMerged>(),
});

/** Identifiers that are keywords, or not ASCII. */
export type KeywordsUsed = {
  class: Class;
  größe: number;
  match: number;
  type: string;
  名前?: string | null;
};

/** Identifiers that are keywords, or not ASCII. */
export const keywordsUsed = eventType("storefront/keywords.used", {
  schema: staticSchema<KeywordsUsed>(),
});

/** Options of options. */
export type NoteLeft = {
  boxed?: Item | null;
  listed: ((string | null)[] | null)[];
  nested?: number | null;
  unit?: Unit | null;
};

/** Options of options. */
export const noteLeft = eventType("storefront/note.left", {
  schema: staticSchema<NoteLeft>(),
});

/** Numbers of every width. */
export type NumbersCounted = {
  bool: boolean;
  char: string;
  f32: number;
  f64: number;
  i16: number;
  i32: number;
  i64: number;
  i8: number;
  non_zero: number;
  u16: number;
  u32: number;
  u64: number;
  u8: number;
  usize: number;
};

/** Numbers of every width. */
export const numbersCounted = eventType("storefront/numbers.counted", {
  schema: staticSchema<NumbersCounted>(),
});

/** A flattened option. */
export type OptionFlattened = {
  id: number;
  /** How many. */
  quantity?: number;
  /** The stock keeping unit. */
  sku?: string;
} & (
  /** By card. */
  | { card: Card }
  | { split: [number, string] }
  | { transfer: { days: number; iban: string } }
  | { cash: null }
  | { voucher: null }
);

/** A flattened option. */
export const optionFlattened = eventType("storefront/option.flattened", {
  schema: staticSchema<OptionFlattened>(),
});

/** An order was placed. */
export type OrderPlaced = {
  firstItem?: Item | null;
  giftNote?: string | null;
  lineItems: Item[];
  orderNumber: number;
  /** Two items that are bought together. */
  pair: [Item, Item];
  total: number;
};

/**
 * An order was placed.
 *
 * Version 2026-11-01.1. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: orderPlaced, if: "event.v == '2026-11-01.1'" }`
 */
export const orderPlaced = eventType("storefront/order.placed", {
  schema: staticSchema<OrderPlaced>(),
  version: "2026-11-01.1",
});

/** Fields that are not known are refused. */
export type OrderStrict = {
  item: StrictItem;
  number: number;
};

/** Fields that are not known are refused. */
export const orderStrict = eventType("storefront/order.strict", {
  schema: staticSchema<OrderStrict>(),
});

/** A generic payload with a const parameter. */
export type PageOfItems = {
  items: Item[];
  matrix: Grid;
  next?: Cursor | null;
};

/** A generic payload with a const parameter. */
export const pageOfItems = eventType("storefront/page.of-items", {
  schema: staticSchema<PageOfItems>(),
});

/** Internally tagged. */
export type ParcelMoved = {
  earlier: ParcelStep[];
  step: ParcelStep;
};

/** Internally tagged. */
export const parcelMoved = eventType("storefront/parcel.moved", {
  schema: staticSchema<ParcelMoved>(),
});

/** Externally tagged. */
export type PaymentTaken = {
  fallback?: Payment | null;
  payment: Payment;
};

/** Externally tagged. */
export const paymentTaken = eventType("storefront/payment.taken", {
  schema: staticSchema<PaymentTaken>(),
});

/** Untagged. */
export type PriceChanged = {
  old?: Price | null;
  price: Price;
};

/** Untagged. */
export const priceChanged = eventType("storefront/price.changed", {
  schema: staticSchema<PriceChanged>(),
});

/** A flattened enum. */
export type RefundMade = { order: number } & (
  | { reason: "damaged"; photos: string[] }
  | { reason: "wrong-item" } & Item
  | { reason: "other" }
);

/** A flattened enum. */
export const refundMade = eventType("storefront/refund.made", {
  schema: staticSchema<RefundMade>(),
});

/** Adjacently tagged. */
export type ReviewPosted = {
  verdict: Verdict;
};

/** Adjacently tagged. */
export const reviewPosted = eventType("storefront/review.posted", {
  schema: staticSchema<ReviewPosted>(),
});

/** Tuples and arrays. */
export type RouteTaken = {
  bytes: [number, number, number, number];
  empty: null;
  legs: Leg[];
  named: [string, number, boolean | null];
  of_unit: Unit;
  point: [number, number];
};

/** Tuples and arrays. */
export const routeTaken = eventType("storefront/route.taken", {
  schema: staticSchema<RouteTaken>(),
});

export type ShopClosed = Record<string, never>;

export const shopClosed = eventType("storefront/shop.closed", {
  schema: staticSchema<ShopClosed>(),
});

/** The shop opened. There is nothing else to say. */
export type ShopOpened = Record<string, never>;

/** The shop opened. There is nothing else to say. */
export const shopOpened = eventType("storefront/shop.opened", {
  schema: staticSchema<ShopOpened>(),
});

/** Enums of texts. */
export type StatusSet = {
  before?: Color | null;
  color: Color;
  earlier?: Status | null;
  open: OpenStatus;
  status: Status;
};

/** Enums of texts. */
export const statusSet = eventType("storefront/status.set", {
  schema: staticSchema<StatusSet>(),
});

/** Deprecated fields, and text that needs care: `*\/` and | and <b>. */
export type VoucherExpired = {
  code: string;
  codes: string[];
  month: number;
  /**
   * Use `code` | it is `*\/` the same.
   *
   * @deprecated
   */
  old_code?: string | null;
};

/** Deprecated fields, and text that needs care: `*\/` and | and <b>. */
export const voucherExpired = eventType("storefront/voucher.expired", {
  schema: staticSchema<VoucherExpired>(),
});

/** Maps whose keys are numbers, and sets. */
export type StockCounted = {
  by_color: { green?: number; red?: number };
  by_level: { [key: string]: string };
  by_shelf: { [key: string]: number };
  items: { [key: string]: Item };
  unique: number[];
};

/** Maps whose keys are numbers, and sets. */
export const stockCounted = eventType("warehouse/stock.counted", {
  schema: staticSchema<StockCounted>(),
});

export type Address = {
  city?: string | null;
  postalCode: string;
  /** The street, with the number. */
  street: string;
};

export type Card = {
  last_digits: string;
};

export type Category = {
  children: Category[];
  name: string;
  parent?: Category | null;
};

export type Class = "Größe" | "Default";

export type Color = "red" | "green";

export type Cursor = {
  after: Item;
};

/** The id of a customer. */
export type CustomerId = number;

export type Duration = {
  nanos: number;
  secs: number;
};

export type Grid = {
  cells: number[];
};

/** An item of the shop. */
export type Item = {
  /** How many. */
  quantity: number;
  /** The stock keeping unit. */
  sku: string;
};

export type Item2 = {
  id: number;
  inner?: Item2 | null;
};

export type Leg = [string, number];

/**
 * More may be added.
 *
 * More values may be added: handle others too.
 */
export type OpenStatus = "Known" | "Unknown" | (string & {});

export type ParcelStep =
  | { kind: "Packed" }
  /** At an address. */
  | { kind: "Delivered" } & Address
  | { kind: "Lost"; claims?: number | null; last_seen: string };

export type Payment =
  | "cash"
  | "voucher"
  /** By card. */
  | { card: Card }
  | { split: [number, string] }
  | { transfer: { days: number; iban: string } };

export type Price = number | string | { from: number; to: number } | number[];

/** The status of an order. */
export type Status =
  /** Nothing was paid. */
  | "pending"
  /** All was paid. */
  | "paid_in_full";

export type StrictItem = {
  sku: string;
};

export type Unit = null;

export type Verdict =
  | { t: "Silent" }
  | { t: "Stars"; c: number }
  | { t: "Compared"; c: [Item, Item] }
  | { t: "Written"; c: { text: string } };

export type WithDefaults = {
  a?: number;
  b?: string;
};
