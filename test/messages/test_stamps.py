import pytest
from fake_messages import header

from moss_ros.messages.errors import MessageError
from moss_ros.messages.stamps import frame_name, split_ns, stamp_ns


def test_there_and_back():
    assert stamp_ns(header(1_700_000_000_123_456_789)) == 1_700_000_000_123_456_789
    assert split_ns(1_700_000_000_123_456_789) == (1_700_000_000, 123_456_789)


def test_zero_stamp_is_refused():
    with pytest.raises(MessageError, match="stamp") as error:
        stamp_ns(header(0))
    assert error.value.reason == "no_stamp"


def test_leading_slash_of_old_bags():
    assert frame_name("/map") == frame_name("map") == "map"
