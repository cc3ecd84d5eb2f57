"""Reads an OpenAPI document from standard input and says what is wrong with it or with its examples."""

import json
import sys

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

document = json.load(sys.stdin)
troubles = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in OpenAPIV31SpecValidator(document).iter_errors()]
registry = Registry().with_resource("doc:", Resource(contents=document, specification=DRAFT202012))


def judge(where, content):
    """Each example must be what its schema says."""
    schema = json.loads(json.dumps(content["schema"]).replace('"#/', '"doc:#/'))
    for error in OAS31Validator(schema, registry=registry).iter_errors(content["example"]):
        troubles.append(f"{where}: the example: {'/'.join(map(str, error.absolute_path))}: {error.message}")


for path, item in document["paths"].items():
    for method, operation in item.items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, body in bodies.items():
            for content in body.get("content", {}).values():
                judge(f"{method} {path} {name}", content)

sys.exit("\n".join(troubles) or None)
