"""The pipeline without maths, with the log of identities that the real one keeps."""

from __future__ import annotations

from fake_pipeline import FakePipeline

from moss_ros.instances.instance_map import LoggedEvent


class FakeLog:
    """Tells one birth."""

    def __init__(self) -> None:
        self.lines: list[LoggedEvent] = []
        self.count = 0

    def add(self, stamp_ns: int, kind: str) -> None:
        self.count += 1
        self.lines.append(LoggedEvent(stamp_ns, kind, 1, (), self.count, self.count))

    def take_events(self) -> list[LoggedEvent]:
        out, self.lines = self.lines, []
        return out

    def lose_all(self, stamp_ns: int) -> None:
        self.add(stamp_ns, "lost")


class LoggedPipeline(FakePipeline):
    def __init__(self) -> None:
        super().__init__()
        self.instances = FakeLog()

    def segment(self, full=False):
        out = super().segment(full)
        if not self.instances.count:
            self.instances.add(out.stamp_ns, "new")
        return out

    def reset(self) -> None:
        super().reset()
        self.instances = FakeLog()
