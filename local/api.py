"""A small client of Farrier's HTTPS API."""

import json
import urllib.error
import urllib.parse
import urllib.request

from trouble import Trouble


class Api:
    """Calls the API with one key; an answer that is not 2xx is Trouble with the problem's own words."""

    def __init__(self, base, key):
        self.base, self.key = base, key

    def get(self, path, **query):
        return self.call("GET", path + (f"?{urllib.parse.urlencode(query)}" if query else ""))

    def post(self, path, **fields):
        return self.call("POST", path, fields)

    def pages(self, path, **query):
        """Everything that a list holds, page by page."""
        cursor = {}
        while cursor is not None:
            page = self.get(path, limit=100, **query, **cursor)
            yield from page["data"]
            cursor = {"cursor": page["next"]} if page.get("next") else None

    def call(self, method, path, fields=None):
        body = None if fields is None else json.dumps(fields).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        status, said = send(method, self.base + path, body, headers)
        if status >= 300:
            raise Trouble(f"{method} {path} was answered {status}: {said.decode(errors='replace').strip()}")
        return json.loads(said) if said else None


def send(method, url, body, headers):
    """One HTTP request; gives status and body, whatever the status."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()
    except OSError as broken:
        raise Trouble(f"{method} {url}: {broken}") from broken
