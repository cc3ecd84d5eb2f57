"""DynamoDB Local and ElasticMQ: stricter judges of the store and the queues than the local AWS."""

import processes
from install import LOCAL

CLASSPATH = f"{LOCAL / 'java'}/*"


def dynamodb(port, log):
    """Starts DynamoDB Local, empty."""
    return _start("DynamoDB Local", port, log, f"-Djava.library.path={LOCAL / 'java'}", "-cp", CLASSPATH,
                  "software.amazon.dynamodb.services.local.main.ServerRunner",
                  "-inMemory", "-sharedDb", "-disableTelemetry", "-port", port)


def elasticmq(port, log):
    """Starts ElasticMQ, empty."""
    return _start("ElasticMQ", port, log, f"-Dnode-address.port={port}", f"-Drest-sqs.bind-port={port}",
                  "-Drest-sqs.bind-hostname=127.0.0.1", "-Drest-stats.enabled=false",
                  "-cp", CLASSPATH, "org.elasticmq.server.Main")


def _start(what, port, log, *arguments):
    process = processes.start(["java", *arguments], log)
    processes.wait_until(processes.listening(port), process, what, log)
    return process
