"""Every encoding against values written down by hand."""

import cv2
import numpy as np
import pytest
from fake_messages import Message, compressed, compressed_depth, header, image, quantised_depth

from moss_ros.messages.errors import MessageError
from moss_ros.messages.images import decode_color, decode_depth

RGB = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]], np.uint8)  # 2 x 3
ALPHA = np.full((2, 3, 1), 77, np.uint8)
MILLIMETRES = np.array([[1000, 0, 2500], [300, 65535, 1]], np.uint16)
METRES = np.array([[1.0, 0.0, 2.5], [0.3, 65.535, 0.001]], np.float32)


def reason(call, message):
    with pytest.raises(MessageError) as error:
        call(message)
    return error.value.reason, error.value.text


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "array"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("8UC3", RGB[..., ::-1]),
        ("rgba8", np.concatenate([RGB, ALPHA], 2)),
        ("bgra8", np.concatenate([RGB[..., ::-1], ALPHA], 2)),
    ],
)
def test_colour_encodings(encoding, array, padding):
    out = decode_color(image(array, encoding, padding=padding))
    assert out.dtype == np.uint8 and np.array_equal(out, RGB)


def test_mono_becomes_grey():
    grey = np.array([[0, 9], [200, 255], [3, 4]], np.uint8)
    assert np.array_equal(decode_color(image(grey, "mono8", padding=3)), np.stack([grey] * 3, 2))


def test_result_does_not_share_memory_with_the_message():
    message = image(RGB, "rgb8")
    message.data = bytearray(message.data)
    out = decode_color(message)
    message.data[:] = bytes(len(message.data))
    assert np.array_equal(out, RGB)


def test_png_and_jpeg():
    assert np.array_equal(decode_color(compressed(RGB[..., ::-1], "rgb8; png compressed", ".png")), RGB)
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    out = decode_color(compressed(flat[..., ::-1], "rgb8; jpeg compressed bgr8", ".jpg"))
    assert np.abs(out.astype(int) - flat).max() <= 3


@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
def test_depth_in_millimetres(encoding, big_endian, padding):
    out = decode_depth(image(MILLIMETRES, encoding, big_endian=big_endian, padding=padding))
    assert out.dtype == np.float32 and np.allclose(out, METRES, atol=1e-6)


@pytest.mark.parametrize("big_endian", [False, True])
def test_depth_in_metres_clears_what_is_no_measurement(big_endian):
    raw = np.array([[1.5, np.nan, np.inf], [-np.inf, -1.0, 0.25]], np.float32)
    out = decode_depth(image(raw, "32FC1", big_endian=big_endian, padding=4))
    assert out.tolist() == [[1.5, 0, 0], [0, 0, 0.25]]


def test_last_row_without_its_padding():
    message = image(RGB, "rgb8", padding=5)
    message.data = message.data[:-5]
    assert np.array_equal(decode_color(message), RGB)


def test_compressed_depth():
    assert np.allclose(decode_depth(compressed_depth(MILLIMETRES)), METRES, atol=1e-6)


def test_compressed_depth_without_header():
    assert np.allclose(decode_depth(compressed(MILLIMETRES, "16UC1; png compressed", ".png")), METRES, atol=1e-6)


def test_quantised_inverse_depth():
    # depth = a / (value - b): 1000 / (501 - 1) = 2, 1000 / (2001 - 1) = 0.5; 0 is no measurement
    out = decode_depth(quantised_depth(np.array([[501, 0], [2001, 251]], np.uint16), 1000.0, 1.0))
    assert out.tolist() == [[2.0, 0.0], [0.5, 4.0]]


def test_quantised_value_at_the_pole_is_no_measurement():
    assert decode_depth(quantised_depth(np.array([[5, 501]], np.uint16), 1000.0, 5.0)).tolist()[0][0] == 0.0


@pytest.mark.parametrize(
    ("call", "message", "expected", "fix"),
    [
        (decode_color, image(RGB, "yuv422"), "bad_encoding", "rgb8"),
        (decode_depth, image(RGB, "rgb8"), "bad_encoding", "16UC1"),
        (decode_color, Message(header=header(), format="jpeg", data=b"no jpeg"), "bad_compression", "decoded"),
        (decode_color, Message(header=header(), format="jpeg", data=b""), "bad_compression", "0 bytes"),
        (decode_depth, Message(header=header(), format="x compressedDepth", data=b"123"), "bad_compression", "decoded"),
        (
            decode_depth,
            Message(header=header(), format="16UC1; compressedDepth rvl", data=bytes(99)),
            "bad_compression",
            "png",
        ),
        (decode_depth, compressed(RGB, "bgr8; jpeg compressed", ".png"), "bad_encoding", "compressedDepth topic"),
        (decode_depth, image(np.full((8, 8), 1500.0, np.float32), "32FC1"), "depth_unit", "metres"),
        (decode_depth, image(np.full((8, 8), 3, np.uint16), "16UC1"), "depth_unit", "millimetres"),
    ],
)
def test_unfit_message_names_the_fix(call, message, expected, fix):
    key, text = reason(call, message)
    assert key == expected and fix in text


@pytest.mark.parametrize("change", [{"data": bytes(5)}, {"step": 2}, {"height": 0}, {"height": 200}, {"width": 50}])
def test_wrong_size_is_refused(change):
    message = image(RGB, "rgb8")
    vars(message).update(change)
    assert reason(decode_color, message)[0] == "bad_size"


def test_millimetre_buffer_called_metres_is_refused():
    message = image(MILLIMETRES, "16UC1")
    message.encoding = "32FC1"
    assert reason(decode_depth, message)[0] == "bad_size"


def test_exif_turn_is_ignored():
    jpeg = cv2.imencode(".jpg", np.zeros((4, 8, 3), np.uint8))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert decode_color(Message(header=header(), format="jpeg", data=turned)).shape == (4, 8, 3)
