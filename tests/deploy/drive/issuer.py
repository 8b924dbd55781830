"""Issues tokens as a partner's identity provider would: discovery document, key set, RS256; and signs people in, by a code with PKCE."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "tallyline-api"
KEY_ID = "test-key"
#: As what the console is registered.
CLIENT_ID, CLIENT_SECRET = "console", "s/e:c+r=e%t"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Serves on loopback for as long as the process lives. Whoever comes to sign in is one and the same, of `partner`."""

    def __init__(self, partner: str, scope: str):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._partner, self._scope, self._codes = partner, scope, {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path, asked = self._asked(urlsplit(self.path).query)
                if path == "/authorize":
                    return self._answer(302, b"", {"location": issuer._sent_back(asked)})
                self._answer(200, json.dumps(issuer._document(path)).encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                tokens = issuer._exchanged(self.headers.get("authorization", ""), self._asked(body.decode())[1])
                self._answer(200 if tokens else 400, json.dumps(tokens or {"error": "invalid_grant"}).encode())

            def _asked(self, encoded: str):
                return urlsplit(self.path).path, dict(parse_qsl(encoded))

            def _answer(self, status: int, body: bytes, headers: dict = {}):
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _document(self, path: str) -> dict:
        if path.endswith("openid-configuration"):
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.url, **{name: f"{self.url}/{place}" for name, place in places.items()}}
        public = self._key.public_key().public_numbers()
        number = lambda value: _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": number(public.n), "e": number(public.e)}
        return {"keys": [key]}

    def _sent_back(self, asked: dict) -> str:
        """Where a browser goes that has signed in."""
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def _exchanged(self, authorization: str, asked: dict) -> dict | None:
        """The tokens for a code, once, where the client is who it is and has begun the sign-in itself."""
        begun = self._codes.pop(asked["code"], None)
        client = [unquote_plus(part) for part in base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":", 1)]
        challenge = _base64(hashlib.sha256(asked["code_verifier"].encode()).digest())
        is_it = begun and begun["code_challenge"] == challenge and begun["redirect_uri"] == asked["redirect_uri"]
        if not is_it or client != [CLIENT_ID, CLIENT_SECRET]:
            return None
        identity = {"aud": CLIENT_ID, "nonce": begun["nonce"]}
        return {"token_type": "Bearer", "id_token": self._signed(identity), "access_token": self.token(self._partner, self._scope)}

    def token(self, partner: str | None, scope: str) -> str:
        """A token of `partner`, valid for an hour."""
        return self._signed({"aud": AUDIENCE, "scope": scope, **({"partner_id": partner} if partner else {})})

    def _signed(self, claims: dict) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "deploy-test", "iat": now - 5, "exp": now + 3600, **claims}
        header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"
