"""A local AWS that keeps its state goes on after a stop as if there had been none."""

import shutil
import tempfile
import time
import unittest
from pathlib import Path

import aws_test
import boto3

import cloud
import processes


class Kept(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port, self.api_port = processes.free_port(), processes.free_port()
        self.start()

    def start(self):
        self.process = cloud.start(self.port, self.folder, self.api_port, keep=True)
        self.addCleanup(self.process.wait)
        self.addCleanup(processes.stop, [self.process.pid])

    def client(self, service):
        return boto3.client(service, endpoint_url=cloud.endpoint(self.port), region_name=cloud.REGION,
                            aws_access_key_id="test", aws_secret_access_key="test")

    def put(self, key):
        self.client("dynamodb").put_item(TableName="table", Item={"pk": {"S": key}, "status": {"S": "final"}})

    def notes(self):
        file = self.folder / "patient"
        return file.read_text().splitlines() if file.exists() else []

    def work(self, what):
        """How often the log of invocations has such a line of the patient one."""
        lines = cloud.invocations(self.folder).read_text().splitlines()
        return sum(line.split()[1] == "Patient" and what in line.split() for line in lines)

    def until(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.notes())
            time.sleep(0.02)

    def test_what_was_written_before_and_after_a_stop_reaches_its_reader_once(self):
        s3, cloudformation = self.client("s3"), self.client("cloudformation")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="function.zip", Body=aws_test.zipped(aws_test.FUNCTION))
        cloudformation.create_stack(StackName="test", TemplateBody=aws_test.template(self.folder, "/{proxy+}"),
                                    Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        cloudformation.get_waiter("stack_create_complete").wait(StackName="test", WaiterConfig={"Delay": 1})
        for number in range(3):
            self.put(f"before {number}")
        self.until(lambda: "before 2" in self.notes() and self.work("begin") == self.work("done"))
        self.put("slow")  # takes three seconds: it is being handled when all stops, and comes again
        self.put("at the stop")
        self.until(lambda: self.work("begin") > self.work("done"))
        processes.stop([self.process.pid], seconds=30)
        self.assertTrue(cloud.whole(self.folder).exists(), "not everything was saved")
        self.start()
        self.put("after")
        self.until(lambda: "after" in self.notes())
        self.assertEqual(["before 0", "before 1", "before 2", "slow", "at the stop", "after"], self.notes())
        self.assertEqual(1, self.work("cut"), "the stop cut one invocation")


if __name__ == "__main__":
    unittest.main()
