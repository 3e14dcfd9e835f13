"""When a tool named the cause, by its output and the notes of clock.c: each test is one claim."""
import unittest

import failing

NAME = "an image that crashes is rolled back by the circuit breaker"
OUTPUT = b"deploying\ntask failed: exit code 1\nrolled back\n"
WRITE = {"service": "ecs", "operation": "update_service", "outcome": "ok", "time": 105.0}


def measure(notes, output=OUTPUT, calls=(WRITE,)):
    return failing.measure(NAME, output, notes, 100.0, 400.0, list(calls))


class Failing(unittest.TestCase):
    def test_the_cause_is_said_at_the_first_move_of_the_clock_after_it(self):
        self.assertEqual(measure("110.0 10\n150.0 34\n390.0 34\n")["cause"], 45)

    def test_what_is_said_after_the_last_move_is_said_at_the_end(self):
        self.assertEqual(measure("110.0 10\n")["cause"], 295)

    def test_a_cause_that_is_never_named_has_no_time(self):
        self.assertIsNone(measure("110.0 10\n", b"deploying\nfailed\n")["cause"])

    def test_seconds_count_from_the_write(self):
        self.assertEqual((measure("")["verdict"], measure("")["write"]), (295, True))

    def test_a_write_that_was_refused_is_none(self):
        found = measure("", calls=[{**WRITE, "outcome": "error"}])
        self.assertEqual((found["verdict"], found["write"]), (300, False))

    def test_an_ending_that_is_named_and_not_there_is_refused(self):
        with self.assertRaises(ValueError):
            failing.are_known([{"name": NAME}])


if __name__ == "__main__":
    unittest.main()
