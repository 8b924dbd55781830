"""Calls the deployed HTTP API as a partner does."""

import json
import urllib.error
import urllib.request


class Api:
    """The API `api_id` on the emulator; every call bears `token`."""

    def __init__(self, endpoint: str, api_id: str, token: str):
        self._endpoint, self._token = endpoint, token
        self._host = f"{api_id}.execute-api.localhost"

    def call(self, method: str, path: str, body=None, token: str | None = None, once: str | None = None):
        """Status and JSON of the answer; a body that is text is sent as CSV, and an answer that is no JSON is its text. `once`
        is an idempotency key."""
        is_csv = isinstance(body, str)
        data = None if body is None else (body if is_csv else json.dumps(body)).encode()
        request = urllib.request.Request(self._endpoint + path, data=data, method=method)
        request.add_header("Host", self._host)
        request.add_header("Authorization", f"Bearer {self._token if token is None else token}")
        if once is not None:
            request.add_header("Idempotency-Key", once)
        if data is not None:
            request.add_header("Content-Type", "text/csv" if is_csv else "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, _json(refused.read())

    def done(self, method: str, path: str, body=None, once: str | None = None):
        """The JSON of a call that must succeed."""
        status, answer = self.call(method, path, body, once=once)
        if not 200 <= status < 300:
            raise SystemExit(f"{method} {path}: {status} {answer}")
        return answer


def _json(body: bytes):
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode()
