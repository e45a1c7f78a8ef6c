"""events.json of a run."""

import json

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.output.run_folder import write_events


def test_every_field_in_the_order_of_the_log(tmp_path):
    write_events(tmp_path, [LoggedEvent(5, "new", 1, (), 1, 1), LoggedEvent(9, "merge", 1, (2, 3), 2, 2)])
    assert json.loads((tmp_path / "events.json").read_text())["events"] == [
        {"number": 1, "segmentation": 1, "stamp_ns": 5, "kind": "new", "id": 1, "others": []},
        {"number": 2, "segmentation": 2, "stamp_ns": 9, "kind": "merge", "id": 1, "others": [2, 3]},
    ]


def test_nothing_happened(tmp_path):
    write_events(tmp_path, [])
    assert json.loads((tmp_path / "events.json").read_text()) == {"events": []}
