/* eslint-disable */
/**
 * The events of storefront.
 *
 * The events of a sample storefront.
 *
 * Generated from the types of the Rust program that sends them: do not edit.
 */

import { eventType, staticSchema } from "inngest";

/** A customer has used a coupon: version 1, of which events can still be delayed. */
export type CouponRedeemedV1 = {
  code: string;
};

/**
 * A customer has used a coupon: version 1, of which events can still be delayed.
 *
 * Version 1. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: couponRedeemedV1, if: "event.v == '1'" }`
 */
export const couponRedeemedV1 = eventType("storefront/coupon.redeemed", {
  schema: staticSchema<CouponRedeemedV1>(),
  version: "1",
});

/** A customer has used a coupon. */
export type CouponRedeemedV2 = {
  code: string;
  /** In percent of the order. */
  discount: number;
};

/**
 * A customer has used a coupon.
 *
 * Version 2. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: couponRedeemedV2, if: "event.v == '2'" }`
 */
export const couponRedeemedV2 = eventType("storefront/coupon.redeemed", {
  schema: staticSchema<CouponRedeemedV2>(),
  version: "2",
});

/** Any version of `storefront/coupon.redeemed`. Functions receive all of them, since triggers match by name. */
export type CouponRedeemed = CouponRedeemedV1 | CouponRedeemedV2;

/** Any version of `storefront/coupon.redeemed`. Functions receive all of them, since triggers match by name. */
export const couponRedeemed = eventType("storefront/coupon.redeemed", {
  schema: staticSchema<CouponRedeemed>(),
});

/** A customer has signed up. */
export type CustomerJoined = {
  customer_id: number;
  /**
   * Functions receive it decrypted.
   *
   * Encrypted on the way: functions receive this value if their client has the encryption
   * middleware of Inngest with the same key.
   */
  encrypted: Contact;
};

/** A customer has signed up. */
export const customerJoined = eventType("storefront/customer.joined", {
  schema: staticSchema<CustomerJoined>(),
});

/** A customer has placed an order. */
export type OrderPlaced = {
  /** Set if the customer used a coupon. */
  coupon?: string | null;
  items: Item[];
  orderNumber: number;
  payment: Payment;
};

/**
 * A customer has placed an order.
 *
 * Version 1. A version does not route: triggers match by name, and functions receive
 * every version. This version only: `{ event: orderPlaced, if: "event.v == '1'" }`
 */
export const orderPlaced = eventType("storefront/order.placed", {
  schema: staticSchema<OrderPlaced>(),
  version: "1",
});

export type Contact = {
  email: string;
  phone?: string | null;
};

/** An item of an order. */
export type Item = {
  /** The price of one piece, in cents. */
  cents: number;
  quantity: number;
  sku: string;
};

/** How the customer pays. */
export type Payment = { method: "card"; last4: string } | { method: "invoice" };
