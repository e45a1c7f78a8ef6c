from collections import Counter

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from moss_ros.ros.diagnostics import Health, HealthReport

STAGES = {"integrate": {"median_ms": 5.0, "p95_ms": 9.0, "max_ms": 20.0, "n": 3}}


def health(received=10, used=9, drops=None, alive=True):
    counts = Counter(drops or {})
    return Health(received, used, counts, {r: f"fix {r}" for r in counts}, STAGES, alive, 4)


def report():
    return HealthReport("/mapper", "/camera/color", 5.0)


def judge(reporter, state):
    status = reporter.message(state, Time()).status[0]
    return status.level, status.message, {v.key: v.value for v in status.values}


def test_good_health():
    level, text, values = judge(report(), health())
    assert level == DiagnosticStatus.OK and "9 frames mapped, 4 instances" in text
    assert (values["received"], values["used"]) == ("10", "9")
    assert any("integrate" in key and value.startswith("5.0, 9.0, 20.0") for key, value in values.items())


def test_drops_carry_their_fix_and_old_ones_do_not_warn():
    reporter = report()
    level, text, values = judge(reporter, health(drops={"no_pose": 2}))
    assert level == DiagnosticStatus.WARN and "no_pose 2" in text
    assert (values["dropped no_pose"], values["why no_pose"]) == ("2", "fix no_pose")
    assert judge(reporter, health(received=11, drops={"no_pose": 2}))[0] == DiagnosticStatus.OK


def test_silence_and_a_dead_thread():
    reporter = report()
    level, text, _ = judge(reporter, health(received=0))
    assert level == DiagnosticStatus.WARN and "/camera/color" in text
    assert judge(reporter, health(received=1))[0] == DiagnosticStatus.OK
    assert judge(reporter, health(received=1))[0] == DiagnosticStatus.WARN
    assert judge(reporter, health(alive=False))[0] == DiagnosticStatus.ERROR


def test_warnings_are_throttled_by_reason():
    reporter = report()
    assert reporter.warnings(health(drops={"busy": 1}), 100.0) == ["busy (+1, 1 in all): fix busy"]
    assert reporter.warnings(health(drops={"busy": 9}), 102.0) == []
    assert len(reporter.warnings(health(drops={"busy": 9, "no_pose": 1}), 103.0)) == 1
    assert reporter.warnings(health(drops={"busy": 9, "no_pose": 1}), 106.0) == ["busy (+8, 9 in all): fix busy"]
    assert reporter.warnings(health(drops={"busy": 9, "no_pose": 1}), 200.0) == []
