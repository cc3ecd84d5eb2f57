"""HTTP APIs as SAM makes them: the routes stand in an OpenAPI body, which ministack does not read."""

from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners

INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"


def install():
    routes_from_the_body()
    any_character_in_a_path()
    events_with_the_address_called()


def routes_from_the_body():
    """Creating and updating an API also lays the routes that its body names."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handler["create"], handler["update"]

    def create_with_routes(logical_id, props, stack_name):
        api_id, attributes = create(logical_id, props, stack_name)
        lay(api_id, props.get("Body"))
        return api_id, attributes

    def update_with_routes(physical_id, old_props, new_props, stack_name, logical_id=None):
        api_id, attributes = update(physical_id, old_props, new_props, stack_name, logical_id)
        lay(api_id, new_props.get("Body"))
        return api_id, attributes

    handler["create"], handler["update"] = create_with_routes, update_with_routes


def lay(api_id, body):
    """Replaces the routes and integrations of an API by those of an OpenAPI document."""
    if not body:
        return
    routes, integrations = {}, {}
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or INTEGRATION not in operation:
                continue
            asked = operation[INTEGRATION]
            name = f"r{len(routes)}"
            integrations[name] = {
                "integrationId": name,
                "integrationType": asked["type"].upper(),
                "integrationUri": asked["uri"],
                "integrationMethod": asked.get("httpMethod", "POST"),
                "payloadFormatVersion": str(asked.get("payloadFormatVersion", "2.0")),
                "timeoutInMillis": asked.get("timeoutInMillis", 30000),
                "connectionType": "INTERNET",
            }
            routes[name] = {
                "routeId": name,
                "routeKey": "$default" if path.endswith("$default") else f"{verb(method)} {path}",
                "target": f"integrations/{name}",
                "authorizationType": "NONE",
            }
    apigateway._routes[api_id], apigateway._integrations[api_id] = routes, integrations


def verb(method):
    return "ANY" if method == ANY else method.upper()


def any_character_in_a_path():
    """A greedy route takes a path with a line break in it, too."""
    extract = apigateway._extract_path_params
    apigateway._extract_path_params = lambda route, path: extract(route, path.replace("\n", "%0A"))


def events_with_the_address_called():
    """requestContext.domainName is the host that the caller named, and X-Forwarded-Proto stands beside it."""
    execute = lambda_svc._execute_function_with_config_scope

    def execute_with_address(function, event):
        if isinstance(event, dict) and "http" in event.get("requestContext", {}):
            event["requestContext"]["domainName"] = event["headers"].get("host", "")
            event["headers"].setdefault("x-forwarded-proto", "http")
        return execute(function, event)

    lambda_svc._execute_function_with_config_scope = execute_with_address


def at_its_own_port(app, port):
    """Serves the deployed HTTP API at the root of a port of its own, as AWS does at a host of its own."""

    async def front(scope, receive, send):
        if scope["type"] == "http" and scope["server"][1] == port:
            prefix = f"/_aws/execute-api/{the_api()}"
            scope = {**scope, "path": prefix + scope["path"], "raw_path": prefix.encode() + scope["raw_path"]}
        await app(scope, receive, send)

    return front


def the_api():
    """The id of the HTTP API deployed last."""
    http = [key[-1] for key, api in apigateway._apis._data.items() if api["protocolType"] == "HTTP"]
    return http[-1] if http else "none"
