"""Issues tokens as a partner's identity provider would: discovery document, key set, RS256."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "tallyline-api"
KEY_ID = "test-key"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Serves on loopback for as long as the process lives."""

    def __init__(self):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(issuer._document(self.path)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _document(self, path: str) -> dict:
        if path.endswith("openid-configuration"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        public = self._key.public_key().public_numbers()
        number = lambda value: _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": number(public.n), "e": number(public.e)}
        return {"keys": [key]}

    def token(self, partner: str | None, scope: str) -> str:
        """A token of `partner`, valid for an hour."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "deploy-test", "scope": scope, "iat": now - 5, "exp": now + 3600}
        if partner:
            claims["partner_id"] = partner
        header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"
