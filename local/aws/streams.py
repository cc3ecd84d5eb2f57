"""DynamoDB streams as Lambda reads them.

ministack takes a returned batchItemFailures for success, forgets the limit of retries and the halving of
batches, and lets one slow function hold up the streams of all others. Here each mapping has one batch in
flight in a thread of its own; a batch is tried again from its first failed record on.
"""

import time

from ministack.core import responses
from ministack.services import dynamodb
from ministack.services import lambda_svc as lambdas

_failures = {}  # mapping → tries that failed at its present position
_halved = {}  # mapping → records that it may take while its batch is being bisected


def install():
    lambdas._poll_dynamodb_streams = poll


def poll():
    """Dispatches the next batch of every stream mapping that has none in flight."""
    dispatched = False
    for account, region, mapping in lambdas._iter_all_esms():
        in_account = responses._request_account_id.set(account)
        in_region = responses._request_region.set(region)
        try:
            dispatched = dispatch(mapping) or dispatched
        finally:
            responses._request_account_id.reset(in_account)
            responses._request_region.reset(in_region)
    return dispatched


def dispatch(mapping):
    """Starts a thread for the mapping's next records, when it is free and has some."""
    name, arn = mapping["UUID"], mapping.get("EventSourceArn", "")
    if ":dynamodb:" not in arn or not mapping.get("Enabled", True) or lambdas._esm_inflight.get(name):
        return False
    table = arn.split("/stream/")[0].split("/")[-1]
    if (dynamodb._tables.get(table) or {}).get("LatestStreamArn") != arn:
        return False
    function, _ = lambdas._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if function is None:
        return False
    lambdas._init_stream_position(name, arn, mapping.get("StartingPosition", "LATEST"))
    position = max(lambdas._dynamodb_stream_positions[name], dynamodb.stream_start_position(table))
    limit = _halved.get(name) or mapping.get("BatchSize", 100)
    records = dynamodb.stream_records_since(table, position, limit)
    if not records:
        return False
    lambdas._dispatch_esm_batch(name, run, mapping, function, position, records)
    return True


def run(mapping, function, position, records):
    """Invokes the function with the records that pass the filter, and moves the position past what is done."""
    kept = lambdas._apply_filter_criteria(records, mapping)
    result = lambdas._execute_function(function, {"Records": kept}) if kept else {}
    done = len(records) if not kept else done_of(mapping, records, result)
    if done == len(records):
        _halved.pop(mapping["UUID"], None)
        advance(mapping, position + done)
    elif done:
        advance(mapping, position + done)
    else:
        failed(mapping, function, position, records, result)


def done_of(mapping, records, result):
    """How many of the records, from the first, need not be seen again."""
    if result.get("error"):
        return 0
    answer = result.get("body")
    if not isinstance(answer, dict) or "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        return len(records)
    failures = [failure.get("itemIdentifier") for failure in answer.get("batchItemFailures") or []]
    if not failures:
        return len(records)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    return min(numbers.index(number) if number in numbers else 0 for number in failures)


def advance(mapping, position):
    """Moves the mapping on; its count of failures begins anew."""
    _failures.pop(mapping["UUID"], None)
    with lambdas._dynamodb_stream_positions_lock:
        lambdas._dynamodb_stream_positions[mapping["UUID"]] = position


def failed(mapping, function, position, records, result):
    """Waits a little longer each time, halves the batch where asked to, and gives up where a limit says so."""
    name = mapping["UUID"]
    tries = _failures[name] = _failures.get(name, 0) + 1
    lambdas.logger.warning("stream of %s: try %d failed: %s", mapping["FunctionName"], tries, result.get("body"))
    if mapping.get("BisectBatchOnFunctionError") and len(records) > 1:
        _halved[name] = (len(records) + 1) // 2
    elif condition := limit_reached(mapping, tries, records):
        lambdas._send_ddb_stream_failure_record(
            mapping, function, records, mapping["EventSourceArn"], result, condition)
        _halved.pop(name, None)
        advance(mapping, position + len(records))
        return
    time.sleep(min(0.1 * 2**tries, 5))


def limit_reached(mapping, tries, records):
    """The name of the limit that makes Lambda let go of a batch, or None. -1 is no limit."""
    retries = mapping.get("MaximumRetryAttempts", -1)
    if retries is not None and 0 <= int(retries) < tries:
        return "RetryAttemptsExhausted"
    age = mapping.get("MaximumRecordAgeInSeconds", -1)
    if age is not None and 0 < int(age) < time.time() - float(records[0]["dynamodb"]["ApproximateCreationDateTime"]):
        return "MaxRecordAgeExceeded"
    return None
