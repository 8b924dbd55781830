"""A partner's receiver of webhooks: keeps what it is sent, and checks signatures by itself."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Listens on loopback until the process ends."""

    def __init__(self):
        self._kept: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver._kept.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{server.server_address[1]}/"

    def heard(self, kind: str, secret: str) -> list[dict]:
        """The data of every event of `kind` that is signed with `secret`."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        found = []
        for headers, body in list(self._kept):
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            event = json.loads(body)
            if event["type"] == kind and wanted in headers["webhook-signature"].split(" "):
                found.append(event["data"])
        return found
