"""The judge of the comparison: each test is one claim about it."""
import unittest

import judge

DEPLOY = {"run": {"runbook": "deploy/quick"}, "wanted": "app:v2"}
RESTART = {"run": {"runbook": "deploy/restart"}, "wanted": "app:v1"}
ROLLBACK = {"run": {"runbook": "rollback/ecs"}, "wanted": "app:v1"}


class Knows:
    def does_not_know(self, _code, output):
        return "time is up" in output


def truth(image, ended="deployed", **more):
    return {"images": [image], "primary": image, "ended": ended, "running": 1, "desired": 1, "serving": True,
            "moving": False, **more}


def told(ending, code, at_exit, settled=None, output=""):
    result = {"exit_code": code, "at_exit": at_exit, "settled": settled or at_exit}
    return judge.judge(ending, Knows(), result, output)["told"]


class Judge(unittest.TestCase):
    def test_success_is_right_when_the_wanted_image_runs(self):
        self.assertEqual(told(DEPLOY, 0, truth("app:v2")), judge.RIGHT)

    def test_success_is_a_false_green_after_a_rollback(self):
        self.assertEqual(told(DEPLOY, 0, truth("app:v1", "rolled_back")), judge.FALSE_GREEN)

    def test_success_is_a_false_green_when_nothing_answers(self):
        self.assertEqual(told(DEPLOY, 0, truth("app:v2", serving=False)), judge.FALSE_GREEN)

    def test_success_is_early_when_it_comes_true_only_later(self):
        at_exit = truth("app:v2", "still_running", moving=True)
        self.assertEqual(told(DEPLOY, 0, at_exit, truth("app:v2")), judge.EARLY_GREEN)

    def test_traffic_alone_is_right_while_what_it_replaces_still_runs(self):
        shifted = {"run": {"runbook": "deploy/quick", "args": {"goal": "traffic_shifted"}}, "wanted": "app:v2"}
        at_exit = truth("app:v2", "still_running", moving=True, running=2, receiving=["app:v2"], most_traffic=100)
        self.assertEqual(told(shifted, 0, at_exit), judge.RIGHT)
        part = {**at_exit, "receiving": ["app:v1", "app:v2"], "most_traffic": 20}
        self.assertEqual(told(shifted, 0, part), judge.FALSE_GREEN)

    def test_success_is_a_false_green_while_old_tasks_run_for_ever(self):
        both = truth("app:v2", images=["app:v1", "app:v2"])
        self.assertEqual(told(DEPLOY, 0, both), judge.FALSE_GREEN)

    def test_failure_is_right_after_a_rollback(self):
        self.assertEqual(told(DEPLOY, 1, truth("app:v1", "rolled_back")), judge.RIGHT)

    def test_failure_is_a_false_red_when_the_deployment_comes_about(self):
        at_exit = truth("app:v1", "still_running", moving=True)
        self.assertEqual(told(DEPLOY, 1, at_exit, truth("app:v2")), judge.FALSE_RED)

    def test_failure_is_right_when_somebody_else_brought_the_image(self):
        self.assertEqual(told(DEPLOY, 24, truth("app:v2", "superseded")), judge.RIGHT)

    def test_not_knowing_is_no_claim(self):
        at_exit = truth("app:v1", "still_running", moving=True)
        self.assertEqual(told(DEPLOY, 255, at_exit, truth("app:v2"), "time is up"), judge.UNKNOWN)

    def test_who_could_not_begin_knows_that_it_is_not_done(self):
        self.assertEqual(told(DEPLOY, 255, truth("app:v1", "nothing_changed"), output="time is up"), judge.RIGHT)

    def test_a_tool_that_never_ended_claims_nothing(self):
        self.assertEqual(told(DEPLOY, None, truth("app:v1", "still_running", moving=True)), judge.UNKNOWN)

    def test_a_restart_that_was_rolled_back_is_none_though_its_image_runs(self):
        self.assertEqual(told(RESTART, 0, truth("app:v1", "rolled_back")), judge.FALSE_GREEN)

    def test_a_rollback_must_move_the_primary_deployment(self):
        self.assertEqual(told(ROLLBACK, 0, truth("app:v1", "nothing_changed", primary="app:v2")), judge.FALSE_GREEN)

    def test_a_rollback_without_anything_to_go_back_to_cannot_succeed(self):
        self.assertEqual(told({"run": {"runbook": "rollback/ecs"}}, 0, truth("app:v1")), judge.FALSE_GREEN)


if __name__ == "__main__":
    unittest.main()
