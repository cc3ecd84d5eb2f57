"""Waits that ministack has and AWS has not."""

import socketserver

from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc, scheduler


def install():
    nagle_off()
    no_wait_for_log_lines()
    schedules_to_the_second()
    rates_begin_at_once()
    pollers_wake_soon()


def nagle_off():
    """Answers of the Lambda runtime API go out at once, not 40 ms later with the next packet."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def no_wait_for_log_lines():
    """A function's answer does not wait 5-50 ms for log lines that may follow; those join the next."""
    worker = lambda_runtime.ProvidedWorker
    worker._drain_stderr_bounded = lambda self, **_: self._drain_stderr()


def schedules_to_the_second():
    """Schedules and rules are looked at each second, not each tenth."""
    eventbridge._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = 1


def rates_begin_at_once():
    """A rate schedule invokes its target when it is made, then at its rate (so AWS's guide, "Schedule types")."""
    tick = scheduler._tick_schedules

    def tick_from_the_first():
        for key, schedule in list(scheduler._schedules._data.items()):
            if schedule.get("ScheduleExpression", "").startswith("rate("):
                scheduler._schedule_last_fired.setdefault(key, 0)
        tick()

    scheduler._tick_schedules = tick_from_the_first


def pollers_wake_soon():
    """Queues and streams are looked at 5 ms after a wake that found nothing, not 50."""
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.005
