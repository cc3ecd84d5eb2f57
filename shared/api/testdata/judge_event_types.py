"""Reads types of events from standard input and says which example is not what its schema says, or is what another's says."""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker

kinds = json.load(sys.stdin)
troubles = []


def errors(schema, example):
    return list(Draft202012Validator(schema, format_checker=FormatChecker(["date-time"])).iter_errors(example))


for kind in kinds:
    for form in "full", "thin":
        where, schema, example = f"{kind['type']}, {form}", kind[form]["schema"], kind[form]["example"]
        Draft202012Validator.check_schema(schema)
        troubles += [f"{where}: {'/'.join(map(str, e.absolute_path))}: {e.message}" for e in errors(schema, example)]
        spoilt = [{k: v for k, v in example.items() if k != gone} for gone in ("type", "timestamp", "data")]
        spoilt += [{**example, "type": "payment.payed"}, {**example, "data": {}}, {**example, "data": 7}, {**example, "timestamp": 7}]
        troubles += [f"{where}: the schema takes {wrong}" for wrong in spoilt if not errors(schema, wrong)]
        if errors(schema, {**example, "more": 1, "data": {**example["data"], "more": 1}}):
            troubles.append(f"{where}: the schema does not let payloads grow")
        troubles += [f"{where}: the schema takes {other['type']}" for other in kinds if other is not kind and not errors(schema, other[form]["example"])]

sys.exit("\n".join(troubles) or None)
