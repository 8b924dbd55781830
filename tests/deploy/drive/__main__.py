"""The walk: deploy, connect, map, push, tick, jobs, results, webhook, ticket, console, pull, poison and redrive, update, revoke."""

import argparse
import json
import re
import sys
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from . import processes
from .api import Api
from .browser import Browser
from .issuer import AUDIENCE, CLIENT_ID, CLIENT_SECRET, Issuer
from .processes import wait_until
from .receiver import Receiver
from .roles import Roles
from .simulator import Simulator
from .stack import Stack, load

PARTNER = "nordwind"
SERVICES_BY_DOOR = ("DYNAMODB", "SECRETS_MANAGER", "SQS", "EVENTBRIDGE")
ALL_SCOPES = "tallyline/read tallyline/write tallyline/usage"
CONSOLE_SECRET = "registered-at-the-issuer"
STEPS: list[tuple[str, float]] = []


@contextmanager
def step(name: str):
    began = time.monotonic()
    print(f"== {name}", flush=True)
    yield
    seconds = time.monotonic() - began
    STEPS.append((name, seconds))
    print(f"   {seconds:.1f} s", flush=True)


def check(truth: bool, what):
    if not truth:
        raise SystemExit(f"not so: {what}")


def overlay(simulated: dict[str, str], doors: dict[str, str]):
    """What the test lays over the shipped template: simulated outsiders by their variables, an issuer, doors before AWS, less patience."""

    def lay(document: dict):
        resources = document["Resources"]
        resources["Tick"]["Properties"]["ScheduleExpression"] = "rate(1 minutes)"
        resources["Jobs"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] = 2
        # The issuer of the test is reached over loopback, without TLS.
        document["Parameters"]["JwtIssuer"].pop("AllowedPattern")
        for name, door in doors.items():
            variables = resources[name]["Properties"].setdefault("Environment", {}).setdefault("Variables", {})
            # One a service: the emulator sets the general variable itself.
            variables.update({f"AWS_ENDPOINT_URL_{service}": door for service in SERVICES_BY_DOOR})
            if "SECRETS_PREFIX" in variables:
                variables.update(simulated)

    return lay


def lines_of(api: Api, simulator: Simulator, connection: str, most: int) -> list[dict]:
    """Lines of one service on contracts that the catalogue offers, one a company."""
    offered = api.done("GET", f"/v1/connections/{connection}/catalog/contracts?limit=100")["items"]
    contracts = {contract["id"] for contract in offered}
    lines = [line for line in simulator.lines() if str(line["contract_id"]) in contracts and line["units"]]
    services = [line["service_id"] for line in lines]
    service = max(set(services), key=services.count)
    of_company = {line["company_id"]: line for line in lines if line["service_id"] == service}
    return list(of_company.values())[:most]


def filled(form: dict) -> dict[str, str]:
    """The first choice of each field that is required, and of the first group of fields of which one is."""
    groups = [rule["any_of"][0] for rule in form["rules"] if "any_of" in rule]
    wanted = {field["id"] for field in form["fields"] if field["required"]}.union(*groups)
    return {field["id"]: field["values"][0]["id"] for field in form["fields"] if field["id"] in wanted}


def connect(api: Api, credentials: dict[str, str]) -> str:
    body = {"psa": "autotask", "name": "Nordwind", "time_zone": "Europe/Berlin", "credentials": credentials}
    return api.done("POST", "/v1/connections", body)["id"]


def make_due(stack: Stack, table: str, connection: str):
    """Time is the one thing that the test moves: the connection's due instant becomes a minute ago."""
    due = (datetime.now(timezone.utc) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    stack.client("dynamodb").update_item(
        TableName=table,
        Key={"pk": {"S": f"P#{PARTNER}"}, "sk": {"S": f"CONN#{connection}"}},
        UpdateExpression="SET due_at = :due, version = version + :one",
        ExpressionAttributeValues={":due": {"S": due}, ":one": {"N": "1"}},
    )


def newest_run(api: Api, connection: str, other_than: set[str]):
    """The newest run that has ended, if it is none of those known."""
    runs = api.done("GET", f"/v1/connections/{connection}/runs")["items"]
    new = [run for run in runs if run["id"] not in other_than and run["status"] not in ("queued", "running")]
    return new[0] if new else None


def sizes_of(stack: Stack, queue: str) -> int:
    attributes = ["ApproximateNumberOfMessages"]
    found = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=attributes)["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def walk(arguments):
    work: Path = arguments.work
    with step("start the emulator, the simulated PSA and vendor, and the issuer"):
        issuer = Issuer(PARTNER, ALL_SCOPES)
        endpoint = processes.emulator(sys.executable, work, work / "emulator.log")
        psa, credentials = processes.simulated_psa(arguments.simulators, work / "simulators.log")
        vendor, vendor_credentials = processes.simulated_source(arguments.simulators, work / "vendor.log")
        simulator, receiver = Simulator(psa, credentials), Receiver()
        simulated = {"AUTOTASK_BASE": psa, "HUNTRESS_BASE": vendor, "WEBHOOK_BASE": receiver.base}
        stack = Stack("tallyline-test", endpoint)

    with step("package and deploy template.yaml"):
        stack.client("secretsmanager").create_secret(Name=CONSOLE_SECRET, SecretString=CLIENT_SECRET)
        parameters = {
            "JwtIssuer": issuer.url, "JwtAudience": AUDIENCE, "ConsoleClientId": CLIENT_ID, "ConsoleClientSecretName": CONSOLE_SECRET,
        }
        roles = Roles(load(arguments.template), stack.name, endpoint, CONSOLE_SECRET)
        template = stack.package(arguments.template, arguments.binaries, overlay(simulated, roles.doors))
        outputs = stack.deploy(template, parameters)
        api = Api(endpoint, outputs["ApiId"], issuer.token(PARTNER, ALL_SCOPES))

    with step("tokens are checked at the door"):
        check(api.call("GET", "/v1/connections", token="nonsense")[0] == 401, "nonsense is no token")
        reader = issuer.token(PARTNER, "tallyline/read")
        check(api.call("POST", "/v1/connections", {}, token=reader)[0] == 403, "a reader may not connect")
        check(api.call("GET", "/v1/connections", token=reader)[0] == 200, "a reader may read")

    with step("a webhook is made and tested"):
        wanted = {"url": receiver.base + "hook", "events": ["RunSucceeded", "RunFailed", "FindingOpened"]}
        secret = api.done("PUT", "/v1/webhooks/desk", wanted)["secret"]
        check("secret" not in api.done("GET", "/v1/webhooks/desk"), "a secret is shown once")
        tested = api.done("POST", "/v1/webhooks/desk/test")
        check(tested["delivered"] and receiver.heard("Test", secret), tested)
        secret = api.done("POST", "/v1/webhooks/desk/rotate-secret")["secret"]

    with step("connect, map, push usage"):
        connection = connect(api, credentials)
        lines = lines_of(api, simulator, connection, 8)
        check(len(lines) > 3, "the simulated provider has customers")
        service = lines[0]["service_id"]
        api.done("PUT", f"/v1/connections/{connection}/products/edr", {"service_id": str(service), "rule": {"counting": "latest"}})
        records = []
        for line in lines:
            company = f"company-{line['contract_id']}"
            mapping = {"account_id": str(line["company_id"]), "contract_id": str(line["contract_id"])}
            api.done("PUT", f"/v1/connections/{connection}/companies/{company}", mapping)
            changed = 1 if len(records) % 2 == 0 else 0
            records.append({"company": company, "company_name": company, "product": "edr", "quantity": line["units"] + changed})
        sheet = f"/v1/connections/{connection}/mappings.csv"
        header, product, *companies = api.done("GET", sheet).splitlines(keepends=True)
        more = product.replace("product,,edr,", "product,,edr-more,")
        imported = api.done("POST", sheet, "".join([header, product, more, *companies]))
        check((imported["created"], imported["changed"], imported["unchanged"]) == (1, 0, len(lines) + 1), imported)
        check(api.done("GET", sheet) == "".join([header, product, more, *companies]), "the file comes back as it went in")
        api.done("DELETE", f"/v1/connections/{connection}/products/edr-more")
        as_of = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        api.done("PUT", "/v1/usage/snapshots/first", {"as_of": as_of, "complete": True, "records": records})

    with step("a scheduled tick syncs: bus, queue, jobs, units in the PSA"):
        make_due(stack, outputs["TableName"], connection)
        run = wait_until("a run of the tick ends", lambda: newest_run(api, connection, set()), seconds=150, pause=1)
        changed = (len(lines) + 1) // 2
        check(run["status"] == "succeeded" and run["trigger"] == "schedule", run)
        check(run["writes"] == changed and run["jobs"] == changed, run)
        wanted = {record["company"]: record["quantity"] for record in records}
        for line in lines:
            found = simulator.units(line["contract_id"], service)
            check(found == wanted[f"company-{line['contract_id']}"], f"{line}: {found}")
        results = api.done("GET", f"/v1/runs/{run['id']}/lines")["items"]
        print(f"   {len(results)} lines, {run['psa_requests']} PSA requests, {run['writes']} writes, {run['jobs']} jobs")

    with step("the webhook has heard of the run: bus, rule, queue, signed request"):
        heard = wait_until("the notice arrives", lambda: receiver.heard("RunSucceeded", secret), seconds=60, pause=0.5)
        check(heard[0]["run"] == run["id"] and heard[0]["writes"] == run["writes"], heard)
        deliveries = lambda: [found["status"] for found in api.done("GET", "/v1/webhooks/desk/deliveries")["items"]]
        wait_until("its delivery is noted", lambda: set(deliveries()) == {"delivered"}, seconds=30)

    with step("an alert waits for a ticket mapping, and becomes a ticket once there is one"):
        told = {"kind": "malware", "severity": "high", "title": "Malware on host-17", "details": "It was removed."}
        body = {"dedupe_key": "host-17", "company": records[0]["company"], **told}
        counts = [api.done("POST", "/v1/alerts", body, once="alert-1")["count"] for _ in range(2)]
        check(counts == [1, 1], counts)
        alert = lambda: api.done("GET", "/v1/alerts/host-17")
        wait_until("it waits", lambda: alert()["code"] == "tickets_not_mapped", seconds=60)
        form = api.done("GET", f"/v1/connections/{connection}/catalog/ticket-fields")
        mapping = {"defaults": filled(form)}
        mapped = api.done("PUT", f"/v1/connections/{connection}/ticket-mapping", mapping)
        check(mapped["halted_alerts"] == 1, mapped)
        check(api.done("POST", "/v1/alerts/retry")["queued"] == 1, "it is tried again")
        ticket = wait_until("its ticket is opened", lambda: alert()["ticket"], seconds=60)
        over = api.done("POST", "/v1/alerts/resolve", {"dedupe_key": "host-17"})
        check(over["status"] == "resolved", over)
        print(f"   ticket {ticket['number']}")

    with step("somebody signs in to the console at the issuer, sees the run, and signs out"):
        browser = Browser(endpoint, outputs["ApiId"])
        led = lambda address: browser.get(address)[1]["location"]
        check(led("/console") == "/console/sign-in", "nobody is in yet")
        back = led(led("/console/sign-in/begin"))
        check(back.startswith(outputs["ConsoleUrl"] + "/sign-in/callback?"), f"{back} {outputs['ConsoleUrl']}")
        check(led(back) == "/console" and list(browser.cookies) == ["__Host-tallyline"], browser.cookies)
        status, headers, page = browser.get("/console")
        check(status == 200 and headers["content-encoding"] == "gzip", headers)
        check("deploy-test · nordwind" in page and run["id"] in page, page)
        style = re.search(r'href="(/console/assets/[^"]+\.css)"', page).group(1)
        check(browser.get(style)[1]["cache-control"].endswith("immutable"), style)
        check(browser.get("/console/nothing-here")[0] == 404, "an unknown page")
        token = re.search(r'name="csrf" value="([^"]+)"', page).group(1)
        check(browser.post("/console/sign-out", {"csrf": "none"})[0] == 400, "a form of another site")
        check(browser.post("/console/sign-out", {"csrf": token})[0] == 303 and not browser.cookies, browser.cookies)
        check(led("/console") == "/console/sign-in", "nobody is in any more")
        print(f"   a page of {len(page)} bytes")

    with step("an unchanged sync makes no company job"):
        known = {run["id"]}
        second = api.done("POST", f"/v1/connections/{connection}/runs", {"mode": "apply"})["run_id"]
        run = wait_until("the second run ends", lambda: newest_run(api, connection, known), seconds=60)
        check(run["id"] == second and (run["jobs"], run["writes"]) == (0, 0), run)
        print(f"   {run['psa_requests']} PSA requests, 0 writes, 0 jobs")

    with step("a direct invocation previews"):
        event = json.loads((arguments.events / "fan-out" / "invoke.json").read_text())
        event.update(partner_id=PARTNER, connection_id=connection, mode="preview")
        answer = stack.client("lambda").invoke(FunctionName=outputs["FanOutName"], Payload=json.dumps(event).encode())
        planned = json.loads(answer["Payload"].read())
        check("FunctionError" not in answer and planned["queued"]["run_id"], planned)
        ended = lambda: api.done("GET", f"/v1/runs/{planned['queued']['run_id']}")["status"] == "succeeded"
        wait_until("the preview ends", ended, seconds=60)

    with step("a poisoned message ends in the dead letters, and a redrive is harmless"):
        sqs = stack.client("sqs")
        dead = outputs["JobsDeadLettersUrl"]
        sqs.send_message(QueueUrl=outputs["JobsQueueUrl"], MessageBody="no job", MessageGroupId="poison", MessageDeduplicationId="poison-1")
        wait_until("the dead letter arrives", lambda: sizes_of(stack, dead) == 1, seconds=90, pause=1)
        writes = simulator.writes()
        done = done_job(stack, outputs["TableName"], connection, list(known)[0])
        sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(done), MessageGroupId=connection, MessageDeduplicationId="done-again")
        moved = redrive(sqs, dead, outputs["JobsQueueUrl"])
        check(len(moved) == 2, moved)
        wait_until("only the poison comes back", lambda: sizes_of(stack, dead) == 1 and sizes_of(stack, outputs["JobsQueueUrl"]) == 0, seconds=90, pause=1)
        check(simulator.writes() == writes, "nothing was written again")

    with step("a usage source is set up and pulled: secret, queue, the vendor, counts"):
        api.done("PUT", "/v1/sources/huntress", {"credentials": vendor_credentials, "products": {"agents": "huntress-agents"}})
        asked = api.done("POST", "/v1/sources/huntress/pull")["pull"]
        pulled = lambda: (api.done("GET", "/v1/sources/huntress")["last_pull"] or {"pull": ""})
        last = wait_until("the pull ends", lambda: pulled() if pulled()["pull"] >= asked else None, seconds=90, pause=0.5)
        check((last["status"], last["complete"], last["companies"]) == ("succeeded", True, 12), last)
        counts = api.done("GET", "/v1/usage?product=huntress-agents&limit=100")["items"]
        check(len({count["company"] for count in counts}) == 12 and all(count["complete"] for count in counts), counts)
        print(f"   {last['companies']} organizations in {last['pages']} pages, {last['counts']} counts")

    with step("an update keeps the data"):
        again = stack.deploy(template, {**parameters, "LogRetentionDays": "60"}, update=True)
        check(again["TableName"] == outputs["TableName"], again)
        check(api.done("GET", f"/v1/connections/{connection}")["id"] == connection, "the connection is there")
        check(len(api.done("GET", f"/v1/connections/{connection}/runs")["items"]) >= 2, "its runs are there")

    with step("revoking a connection or removing a source removes its secret"):
        secrets = stack.client("secretsmanager")
        for name, secret, path in (
            (connection, credentials["secret"], f"/v1/connections/{connection}"),
            ("sources/huntress", vendor_credentials["secret"], "/v1/sources/huntress"),
        ):
            name = f"{stack.name}/{PARTNER}/{name}"
            check(secret in secrets.get_secret_value(SecretId=name)["SecretString"], f"{name} is there")
            api.done("DELETE", path)
            try:
                secrets.get_secret_value(SecretId=name)
                raise SystemExit(f"the secret {name} is still there")
            except secrets.exceptions.ResourceNotFoundException:
                pass

    with step("every request was one that the function's role allows"):
        check(not roles.refused, roles.refused)
        print("   granted, and not asked for in this walk: " + (", ".join(roles.unused()) or "nothing"))


def done_job(stack: Stack, table: str, connection: str, run: str) -> dict:
    """The message of a company job of `run` that was done."""
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :jobs)",
        ExpressionAttributeValues={":pk": {"S": f"P#{PARTNER}#RUN#{run}"}, ":jobs": {"S": "LINES#J"}},
        ConsistentRead=True,
    )["Items"]
    page = found[0]["sk"]["S"].removeprefix("LINES#J")
    return {"partner": PARTNER, "connection": connection, "run": run, "page": page}


def redrive(sqs, source: str, target: str) -> list[str]:
    """Moves what lies in `source` to `target`, as an operator's redrive does."""
    moved = []
    for _ in range(5):
        found = sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
        for message in found.get("Messages", []):
            group = message["Attributes"]["MessageGroupId"]
            sqs.send_message(
                QueueUrl=target, MessageBody=message["Body"], MessageGroupId=group,
                MessageDeduplicationId=f"redrive-{message['MessageId']}",
            )
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved.append(message["Body"])
    return moved


def main():
    parser = argparse.ArgumentParser(prog="drive", description=__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--binaries", type=Path, required=True, help="folder with the functions' binaries")
    parser.add_argument("--simulators", type=Path, required=True, help="binary of the simulated PSA")
    parser.add_argument("--events", type=Path, required=True, help="folder with sample events")
    parser.add_argument("--work", type=Path, required=True, help="folder for logs and the emulator's files")
    walk(parser.parse_args())
    total = sum(seconds for _, seconds in STEPS)
    print("\n" + "\n".join(f"{seconds:7.1f} s  {name}" for name, seconds in STEPS))
    print(f"{total:7.1f} s  in all")


if __name__ == "__main__":
    main()
