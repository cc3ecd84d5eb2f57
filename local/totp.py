"""Codes of a second factor, as an approver's authenticator shows them (RFC 6238, RFC 4226)."""

import base64
import hashlib
import hmac
import time
import urllib.parse

AHEAD = 1  # steps after the moment's own that are taken too (RFC 6238, 5.2)


class Authenticator:
    """What an app makes of the otpauth:// address in a QR code. It shows no code twice, for each is good only once, and
    goes ahead of the clock by one step rather than wait."""

    def __init__(self, address):
        told = {name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlsplit(address).query).items()}
        secret = told["secret"]
        self.secret = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.hash = getattr(hashlib, told.get("algorithm", "SHA1").lower())
        self.digits, self.period = int(told.get("digits", 6)), int(told.get("period", 30))
        self.shown = None

    def code(self, now=time.time, sleep=time.sleep):
        """The next code that is good at this moment; waits for one where all of them were shown."""
        step = int(now()) // self.period
        if self.shown is not None:
            step = max(step, self.shown + 1)
        while step > int(now()) // self.period + AHEAD:
            sleep(1)
        self.shown = step
        return self.at(step)

    def at(self, step):
        """The code of a step: HOTP (RFC 4226, 5.3)."""
        mac = hmac.new(self.secret, step.to_bytes(8, "big"), self.hash).digest()
        offset = mac[-1] & 0xF
        number = int.from_bytes(mac[offset:offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**self.digits:0{self.digits}}"
