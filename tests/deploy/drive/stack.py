"""Packages template.yaml with the built binaries, deploys it, and updates it."""

import io
import json
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from cfnlint.decode import cfn_yaml

from .processes import REGION, wait_until

BUCKET = "artifacts"


class Stack:
    """One stack on the emulator at `endpoint`."""

    def __init__(self, name: str, endpoint: str):
        self.name, self._endpoint = name, endpoint
        session = boto3.Session("test", "test", region_name=REGION)
        config = Config(retries={"total_max_attempts": 1})
        self.client = lambda service: session.client(service, endpoint_url=endpoint, config=config)
        self._cloudformation = self.client("cloudformation")

    def package(self, template: Path, binaries: Path, overlay) -> str:
        """The template with each function's code in a bucket, and with what the test lays over it."""
        document = load(template)
        s3 = self.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for resource in document["Resources"].values():
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            binary = resource.pop("Metadata")["BuildProperties"]["Binary"]
            data = zipped(binaries / binary)
            print(f"  {binary}: {len(data) / 1e6:.2f} MB zipped")
            s3.put_object(Bucket=BUCKET, Key=f"{binary}.zip", Body=data)
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": f"{binary}.zip"}
        overlay(document)
        return json.dumps(document)

    def deploy(self, template: str, parameters: dict[str, str], update: bool = False) -> dict[str, str]:
        """Creates or updates the stack; its outputs."""
        act = self._cloudformation.update_stack if update else self._cloudformation.create_stack
        s3 = self.client("s3")
        s3.put_object(Bucket=BUCKET, Key="template.json", Body=template.encode())
        act(
            StackName=self.name,
            # A body of its own may have 51,200 bytes; `sam deploy` goes by way of a bucket as well.
            TemplateURL=f"{self._endpoint}/{BUCKET}/template.json",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        state = wait_until("the stack settles", lambda: self._settled(), seconds=120)
        if state != ("UPDATE_COMPLETE" if update else "CREATE_COMPLETE"):
            events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
            failed = [(e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events if "FAILED" in e["ResourceStatus"]]
            raise SystemExit(f"the stack is {state}: {failed}")
        stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _settled(self) -> str | None:
        status = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
        return None if status.endswith("IN_PROGRESS") else status


def load(template: Path) -> dict:
    """The template as CloudFormation reads it."""
    return json.loads(json.dumps(cfn_yaml.load(str(template)), default=str))


def zipped(binary: Path) -> bytes:
    """A deployment package: the binary alone, as `bootstrap`, executable, compressed as the AWS tools do."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        entry = zipfile.ZipInfo("bootstrap", date_time=(2026, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, binary.read_bytes())
    return out.getvalue()
