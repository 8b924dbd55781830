"""Looks at the console as a browser does: keeps its cookies, follows one address at a time, takes compressed pages."""

import gzip
import urllib.error
import urllib.request
from urllib.parse import urlencode, urlsplit


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """At the API `api_id` on the emulator, and at whatever host that leads to on loopback."""

    def __init__(self, endpoint: str, api_id: str):
        self._endpoint, self._host = endpoint, f"{api_id}.execute-api.localhost"
        self._opener = urllib.request.build_opener(_Still)
        self.cookies: dict[str, str] = {}

    def get(self, address: str):
        """Status, headers and text of one answer. What is not an issuer's address is the console's, whatever host it names."""
        return self._send(address, None)

    def post(self, address: str, fields: dict[str, str]):
        return self._send(address, urlencode(fields).encode())

    def _send(self, address: str, body: bytes | None):
        parts = urlsplit(address)
        is_console = parts.path.startswith("/console")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        request = urllib.request.Request(self._endpoint + path if is_console else address, data=body)
        request.add_header("Accept-Encoding", "gzip")
        if is_console:
            request.add_header("Host", self._host)
            request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as other:
            answer = other
        data = answer.read()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        if answer.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return answer.status, answer.headers, data.decode()
