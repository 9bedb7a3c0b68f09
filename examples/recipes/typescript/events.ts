/* eslint-disable */
/**
 * The events of shop.
 *
 * Generated from the types of the Rust program that sends them: do not edit.
 */

import { eventType, staticSchema } from "inngest";

/** A customer has placed an order. */
export type OrderPlaced = {
  email: string;
  items: Item[];
  number: number;
  payment: Payment;
};

/** A customer has placed an order. */
export const orderPlaced = eventType("shop/order.placed", {
  schema: staticSchema<OrderPlaced>(),
});

/** An order has left the warehouse. */
export type OrderShipped = {
  number: number;
  /** The carrier's number, if it has one. */
  tracking?: string | null;
};

/** An order has left the warehouse. */
export const orderShipped = eventType("shop/order.shipped", {
  schema: staticSchema<OrderShipped>(),
});

/** An item of an order. */
export type Item = {
  /** The price of one piece, in cents. */
  cents: number;
  quantity: number;
  sku: string;
};

/** How the customer pays. */
export type Payment = { method: "card"; last4: string } | { method: "invoice" };
