"""What schemathesis is told of the stack before each of its calls (see schema.py): where it puts a well-formed name of
a thing that is not there, every second call names one that is, so that the calls come further than "not found"."""

import itertools
import json
import os
import re

import schemathesis

REAL = json.loads(os.environ["SCHEMA_REAL"])  # names by what they are names of
NOWHERE = "http://127.0.0.1:9/"  # where webhooks are sent: the port of "discard", which nobody listens on

calls = itertools.count()
WELL_FORMED = re.compile(r"^[a-z]+_[0-9A-HJKMNP-TV-Z]{26}(_[0-9A-HJKMNP-TV-Z]{26})?$")


@schemathesis.hook
def before_call(context, case, kwargs):
    real = next(calls) % 2 == 0
    if isinstance(case.body, dict):
        case.body = mended(case.body)
        if real and case.operation.path in REAL["bodies"]:
            put(case.body, "merchant", REAL["merchant"], required=True)
    if not real:
        return
    takes = {parameter.name for parameter in case.operation.query}
    for name in takes & {"merchant", "connection"}:
        case.query = case.query or {}
        put(case.query, name, REAL[name], required=name == "merchant")
    named = REAL["paths"].get(case.operation.path)
    if named and case.method != "DELETE":  # the others need the thing after this call
        case.path_parameters["id"] = named


def put(into, name, value, required):
    """Puts a real name in the place of one of its form, and where it is required in the place of none. A merchant's
    key needs no merchant's name."""
    wanted = WELL_FORMED.match(str(into[name])) if name in into else required
    if value and wanted:
        into[name] = value


def mended(body):
    """The body with the stack's own asset and chain in place of the document's examples, and no address of anybody."""
    said = {**body}
    if str(said.get("asset", "")).startswith("eip155:137/"):
        said["asset"] = REAL["asset"]
    if said.get("chain") == "eip155:137":
        said["chain"] = REAL["chain"]
    if str(said.get("url", "")).startswith("http"):
        said["url"] = NOWHERE
    if "fallback_urls" in said:
        said["fallback_urls"] = []
    return said
