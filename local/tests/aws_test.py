"""The local AWS behaves as AWS does where ministack alone would not: one test for each gap that launch.py closes."""

import contextlib
import datetime
import http.client
import io
import json
import shutil
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

import boto3

import cloud
import processes

FUNCTION = Path(__file__).parent / "function"


def template(folder, *paths):
    """A SAM application: an HTTP API with the given paths, a table, and two readers of its stream."""

    def function(name, events, **environment):
        return {"Type": "AWS::Serverless::Function", "Properties": {
            "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 20,
            "CodeUri": "s3://code/function.zip", "Events": events,
            "Environment": {"Variables": {"NOTES": str(folder / name), **environment}}}}

    def changes(pattern):
        return {"Changes": {"Type": "DynamoDB", "Properties": {
            "Stream": {"Fn::GetAtt": ["Table", "StreamArn"]}, "StartingPosition": "TRIM_HORIZON", "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]}}}}

    final = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"status": {"S": ["final"]}}}}
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
        "Api": {"Type": "AWS::Serverless::HttpApi"},
        "Echo": function("echo", {f"Path{n}": {"Type": "HttpApi", "Properties": {
            "ApiId": {"Ref": "Api"}, "Path": path, "Method": "ANY"}} for n, path in enumerate(paths)}),
        "Patient": function("patient", changes(final), SLOW="1"),
        "Brisk": function("brisk", changes({"eventName": ["INSERT"]})),
    }})


class LocalAWS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.port, cls.api_port = processes.free_port(), processes.free_port()
        process = cloud.start(cls.port, cls.folder, cls.api_port)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(processes.stop, [process.pid])
        s3 = cls.client("s3")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="function.zip", Body=zipped(FUNCTION))
        cls.deploy("create", "/{proxy+}")

    @classmethod
    def client(cls, service):
        return boto3.client(service, endpoint_url=cloud.endpoint(cls.port), region_name=cloud.REGION,
                            aws_access_key_id="test", aws_secret_access_key="test")

    @classmethod
    def deploy(cls, verb, *paths):
        cloudformation = cls.client("cloudformation")
        getattr(cloudformation, f"{verb}_stack")(StackName="test", TemplateBody=template(cls.folder, *paths),
                                                 Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        cloudformation.get_waiter(f"stack_{verb}_complete").wait(StackName="test", WaiterConfig={"Delay": 1})

    def put(self, key, status="seen"):
        self.client("dynamodb").put_item(TableName="table", Item={"pk": {"S": key}, "status": {"S": status}})

    def notes(self, name):
        """The records that a stream function took, in order."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / name).read_text().splitlines()
        return []

    def until(self, condition, seconds=15):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "did not happen in time")
            time.sleep(0.02)

    def get(self, path):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_an_http_api_has_the_routes_of_its_events_after_create_and_update(self):
        status, body = self.get("/v1/payments?limit=3")
        event = json.loads(body)
        self.assertEqual((200, "ANY /{proxy+}", "/v1/payments"), (status, event["routeKey"], event["rawPath"]))
        self.assertEqual(f"127.0.0.1:{self.api_port}", event["requestContext"]["domainName"])
        self.assertEqual(200, self.get("/v1/payments/a%0Ab")[0])
        self.deploy("update", "/v2/{name}")
        self.assertEqual("ANY /v2/{name}", json.loads(self.get("/v2/x")[1])["routeKey"])
        self.assertEqual(404, self.get("/v1/payments")[0])

    def test_a_stream_goes_on_from_the_first_failed_record_and_one_function_holds_up_no_other(self):
        keys = ["one", "two", "bad", "three", "last"]
        for key in keys:
            self.put(key, "final")
        self.put("not for the patient's filter")
        self.until(lambda: "last" in self.notes("patient"))
        self.assertEqual(keys, self.notes("patient"), "each taken once, in order, though one failed twice")
        self.put("slow", "final")
        self.put("swift", "final")
        self.until(lambda: "swift" in self.notes("brisk"), seconds=2)
        self.assertNotIn("slow", self.notes("patient"), "is still being handled")

    def test_numbers_have_38_digits(self):
        table = self.client("dynamodb")
        key = {"pk": {"S": "number"}}
        table.put_item(TableName="table", Item={**key, "n": {"N": "9" * 38}})
        table.update_item(TableName="table", Key=key, UpdateExpression="ADD n :n",
                          ExpressionAttributeValues={":n": {"N": "-1"}})
        self.assertEqual("9" * 37 + "8", table.get_item(TableName="table", Key=key)["Item"]["n"]["N"])

    def test_a_one_time_schedule_sends_its_message_when_its_time_has_come(self):
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        self.client("scheduler").create_schedule(
            Name="once", ScheduleExpression=f"at({when:%Y-%m-%dT%H:%M:%S})", FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE", Target={"Arn": "arn:aws:sqs:us-east-1:000000000000:queue",
                                                    "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": "now"})
        got = self.client("sqs").receive_message(QueueUrl=f"{cloud.endpoint(self.port)}/000000000000/queue",
                                                 WaitTimeSeconds=6)
        self.assertEqual(["now"], [message["Body"] for message in got.get("Messages", [])])

    def test_a_connection_serves_more_than_a_thousand_requests(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            for _ in range(1100):
                connection.request("GET", "/_ministack/health")
                answer = connection.getresponse()
                answer.read()
                self.assertFalse(answer.will_close)


def zipped(program):
    """A function's package: the program as `bootstrap`."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, program.read_bytes())
    return package.getvalue()


if __name__ == "__main__":
    unittest.main()
