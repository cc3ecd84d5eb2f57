"""State that outlives a clean stop, where PERSIST_STATE=1: whole, and all of one moment. Then the file STATE_WHOLE is
there; without it something was not saved.

ministack saves each service on a clean stop. It keeps how far each reader of a stream has come and forgets the
stream, so that what is written after a restart lies before the readers' places and never reaches them. And it saves
one service after the other while functions run: a message could be gone from one and not yet be in the other.
"""

import os
import time
from pathlib import Path

from ministack import app
from ministack.core import lambda_runtime
from ministack.core import persistence as kept
from ministack.services import dynamodb, scheduler
from ministack.services import lambda_svc as lambdas


def install():
    if kept.PERSIST_STATE:
        streams_too()
        nothing_moves_while_it_is_saved()


def streams_too():
    """The records of streams are kept beside the tables that they are of."""
    get_state, load_state = dynamodb.get_state, dynamodb.load_persisted_state

    def get_with_streams():
        return {**get_state(), "stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed,
                "stream_seq": dynamodb._stream_seq_counter}

    def load_with_streams(data):
        load_state(data)
        dynamodb._stream_records.update(data["stream_records"])
        dynamodb._stream_trimmed.update(data["stream_trimmed"])
        dynamodb._stream_seq_counter = data["stream_seq"]

    dynamodb.get_state, dynamodb.load_persisted_state = get_with_streams, load_with_streams


def nothing_moves_while_it_is_saved():
    """At a stop the web server is closed already. Functions and timers end too before anything is saved; what a
    function was at is cut off there, as by a kill, and comes again."""
    save_all = app.save_all

    def save_at_rest(services):
        began = time.time()
        lambdas._poll_sqs = lambdas._poll_dynamodb_streams = scheduler._tick_schedules = lambda: False
        time.sleep(0.1)  # for a poll or a tick that was under way
        lambda_runtime.reset()
        time.sleep(0.2)  # for the threads that ran the functions
        save_all(services)
        folder = Path(kept.STATE_DIR)
        if all(saved_since(folder / f"{name}.json", began) for name in services):
            Path(os.environ["STATE_WHOLE"]).touch()

    app.save_all = save_at_rest


def saved_since(file, moment):
    """Whether a service's file is of this stop; one that has nothing to keep has none."""
    return not file.exists() or os.stat(file).st_mtime >= moment - 0.01
