"""Holds each function to its role: what it asks of AWS passes a door that allows what template.yaml grants it, and no more."""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Prefix of `X-Amz-Target` -> service in IAM's words.
SERVICES = {"DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager", "AmazonSQS": "sqs", "AWSEvents": "events"}
#: Members of a transaction's item -> the permission that it needs.
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
#: What only the Lambda service itself uses, on the function's behalf.
NOT_SEEN_HERE = ("logs:", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


#: A secret that an operator named, outside the stack's own.
OPERATORS = "the operator's secret"


class Roles:
    """The roles of `document`, each enforced in front of the emulator at `endpoint`; `operators` is the secret that one of them names."""

    def __init__(self, document: dict, stack: str, endpoint: str, operators: str):
        self._endpoint, self._secrets, self._operators = endpoint, f"{stack}/", operators
        self._allowed = {
            name: allowed(document["Resources"][resource["Properties"]["Role"]["Fn::GetAtt"][0]])
            for name, resource in document["Resources"].items()
            if resource["Type"] == "AWS::Serverless::Function"
        }
        self._used: dict[str, set] = {name: set() for name in self._allowed}
        self.refused: list[str] = []
        self.doors = {name: self._door(name) for name in self._allowed}

    def unused(self) -> list[str]:
        """What was granted and never asked for."""
        return sorted(
            f"{name}: {action}"
            for name, granted in self._allowed.items()
            for action in {action for action, _ in granted} - {action for action, _ in self._used[name]}
            if not action.startswith(NOT_SEEN_HERE)
        )

    def _door(self, name: str) -> str:
        roles = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                needed = list(roles._needs(self.headers.get("x-amz-target", ""), json.loads(body or b"{}")))
                refused = [need for need in needed if need not in roles._allowed[name]]
                roles._used[name].update(needed)
                if refused or not needed:
                    roles.refused.append(f"{name}: {refused or self.headers.get('x-amz-target')}")
                    return self._answer(400, "application/x-amz-json-1.0", b'{"__type":"AccessDeniedException"}')
                request = urllib.request.Request(roles._endpoint + self.path, data=body, method="POST")
                for header, value in self.headers.items():
                    if header.lower() not in ("host", "content-length", "connection"):
                        request.add_header(header, value)
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        self._answer(answer.status, answer.headers.get("content-type", ""), answer.read())
                except urllib.error.HTTPError as error:
                    self._answer(error.code, error.headers.get("content-type", ""), error.read())

            def _answer(self, status: int, kind: str, body: bytes):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    def _needs(self, target: str, body: dict):
        """The permissions, as (action, resource), that a request needs."""
        prefix, _, operation = target.partition(".")
        service = SERVICES.get(prefix)
        if service == "dynamodb":
            what = "${Table.Arn}/index/" + body["IndexName"] if "IndexName" in body else "Table"
            if operation != "TransactWriteItems":
                yield f"dynamodb:{operation}", what
            for item in body.get("TransactItems", []):
                for member in item:
                    yield f"dynamodb:{TRANSACTED[member]}", "Table"
        elif service == "secretsmanager":
            named = body.get("SecretId", body.get("Name", ""))
            known = {self._operators: OPERATORS}
            yield f"secretsmanager:{operation}", kind_of(named) if named.startswith(self._secrets) else known.get(named, named)
        elif service == "sqs":
            action = operation.removesuffix("Batch")
            queues = (queue for queue in ("Planning", "Notices", "Jobs", "AlertsQueue", "Pulls") if queue in body["QueueUrl"])
            yield f"sqs:{action}", next(queues, body["QueueUrl"])
        elif service == "events":
            for entry in body["Entries"]:
                yield f"events:{operation}", "Bus" if entry["EventBusName"].endswith("-events") else "another"


def allowed(role: dict) -> set:
    """What a role allows, as (action, resource): a logical name, or the text that is substituted."""
    granted = set()
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            # What is granted under a condition, which holds here.
            statement = statement["Fn::If"][1] if "Fn::If" in statement else statement
            for action in as_list(statement["Action"]):
                granted.update((action, name_of(resource)) for resource in as_list(statement["Resource"]))
    return granted


def name_of(resource: dict) -> str:
    if "Fn::GetAtt" in resource:
        return resource["Fn::GetAtt"][0]
    text = resource["Fn::Sub"]
    if text.endswith(":secret:${ConsoleClientSecretName}-??????"):
        return OPERATORS
    kinds = ("webhooks/*", "sources/*", "conn_*")
    return next((kind_of(f"/{kind}") for kind in kinds if text.endswith(":secret:${AWS::StackName}/*/" + kind)), text)


def kind_of(secret: str) -> str:
    """Whose a secret of the stack is, by its name."""
    if "/webhooks/" in secret:
        return "webhook secrets"
    return "source secrets" if "/sources/" in secret else "secrets"


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]
