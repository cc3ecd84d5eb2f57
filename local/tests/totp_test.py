import base64
import unittest

import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


def authenticator(digits=6):
    return totp.Authenticator(f"otpauth://totp/Farrier:Ann?secret={SECRET}&issuer=Farrier&algorithm=SHA1&digits={digits}&period=30")


class Codes(unittest.TestCase):
    def test_codes_are_those_of_the_standard(self):
        # RFC 6238, appendix B, for SHA-1
        for now, code in {59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
                          2000000000: "69279037", 20000000000: "65353130"}.items():
            with self.subTest(now=now):
                self.assertEqual(authenticator(digits=8).at(now // 30), code)

    def test_two_codes_are_good_at_a_moment_and_the_third_has_to_wait(self):
        app, clock, waited = authenticator(), [3000], []

        def sleep(seconds):
            waited.append(seconds)
            clock[0] += seconds

        shown = [app.code(lambda: clock[0], sleep) for _ in range(3)]
        self.assertEqual(shown, [app.at(step) for step in (100, 101, 102)])
        self.assertEqual(sum(waited), 30)


if __name__ == "__main__":
    unittest.main()
