"""Sends events with the `inngest` package of PyPI: see `run`."""

import json
import logging
import sys

import inngest

logging.disable()


def viewed(number, **more):
    return inngest.Event(name="storefront/cart.viewed", data={"number": number}, **more)


def outcome(client, events):
    try:
        return {"ids": client.send_sync(events() if callable(events) else events)}
    except Exception as error:
        return {"error": str(error), "debug": repr(error), "accepted": getattr(error, "ids", None)}


def same_dedup_id_twice(client, _):
    event = inngest.Event(name="storefront/order.placed", data={"number": 7}, id="order-placed-7")
    outcome(client, event)
    return outcome(client, event)


def all_fields(client, _):
    fields = {"ts": 1_700_000_000_000, "v": "2", "user": {"id": "u1"}, "meta": {"sessions": {"chat": "c1"}}}
    for names in [list(fields), ["ts", "v"], ["ts"]]:
        result = outcome(client, lambda: viewed(0, **{name: fields[name] for name in names}))
        if "error" not in result:
            return result
    return result


CALLS = {
    "one": lambda client, _: outcome(client, viewed(0)),
    "many": lambda client, count: outcome(client, [viewed(number) for number in range(count)]),
    "same dedup id twice": same_dedup_id_twice,
    "all fields": all_fields,
    "large integer": lambda client, _: outcome(client, viewed(2**53 + 1)),
    "reserved name": lambda client, _: outcome(client, inngest.Event(name="inngest/cart.viewed", data={"number": 0})),
    "wrong type": lambda client, _: outcome(client, viewed("0")),
    "print": lambda client, _: {"printed": repr(client)},
}


def from_environment(url):
    try:
        client = inngest.Inngest(app_id="comparison", event_api_base_url=url)
    except Exception as error:
        return {"error": str(error)}
    return outcome(client, viewed(0))


if sys.argv[1:2] == ["environment"]:
    print(json.dumps(from_environment(sys.argv[2] if len(sys.argv) > 2 else None)))
else:
    for line in sys.stdin:
        call = json.loads(line)
        client = inngest.Inngest(
            app_id="comparison", event_api_base_url=call["url"], event_key=call["key"], is_production=True
        )
        print(json.dumps(CALLS[call["call"]](client, call["count"])), flush=True)
