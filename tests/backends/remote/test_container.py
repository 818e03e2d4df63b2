import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from blackbox.backends import MessageError
from blackbox.backends.remote.container import packed, unpacked

TENSORS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array([np.nan, -np.inf, 0.1]),
    "c": np.array([[2**62]]),
    "d": np.zeros((0, 3)),
}


def file_of(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with this header, as the format's description says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_values_and_tensors_come_back_bit_for_bit() -> None:
    values = {"text": "é 😀 \ud800", "numbers": [0.1, 1e300, 2**60], "none": None}
    found, tensors = unpacked(packed(values, TENSORS))
    assert found == values
    assert tensors.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        assert (tensors[name].dtype, tensors[name].shape) == (array.dtype, array.shape)
        assert tensors[name].tobytes() == array.tobytes()
        assert not tensors[name].flags.writeable


def test_an_array_that_is_not_in_one_piece_is_sent_as_it_reads() -> None:
    turned = TENSORS["a"].T
    assert np.array_equal(unpacked(packed({}, {"a": turned}))[1]["a"], turned)


def test_a_message_is_a_safetensors_file_for_everybody(tmp_path: object) -> None:
    path = f"{tmp_path}/message.safetensors"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(packed({"one": 1}, TENSORS))
    with safe_open(path, framework="np") as file:
        assert json.loads(file.metadata()["message"]) == {"one": 1}
        assert np.array_equal(file.get_tensor("a"), TENSORS["a"])


def test_the_layout_is_a_length_a_header_and_the_numbers() -> None:
    content = packed({"x": 1}, {"a": TENSORS["a"]})
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert header == {
        "__metadata__": {"message": '{"x":1}'},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    }
    assert content[8 + length :] == TENSORS["a"].astype("<f4").tobytes()


GOOD = {"__metadata__": {"message": "{}"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes of something else"),
        (b"GIF89a, and so on and on", "24 bytes of something else"),
        (b"\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix", "of something else"),
        (file_of(GOOD)[:-1], "of something else"),
        (file_of(b"[1, 2]"), "the header must be a JSON object, got list"),
        (file_of(b"{"), "the header is no JSON"),
        (file_of(b"\xff\xfe"), "the header is no JSON"),
        (file_of(b"[" * 100_000), "the header is no JSON"),
        (file_of({}), "must have one key, 'message'"),
        (file_of({"__metadata__": {"message": "{}", "more": ""}}), "must have one key, 'message'"),
        (file_of({"__metadata__": {"message": '{"a": NaN}'}}), "NaN is no JSON"),
        (file_of({"__metadata__": {"message": '{"a": 1, "a": 2}'}}), "a key stands twice"),
        (file_of({"__metadata__": {"message": "7"}}), "the message must be a JSON object, got int"),
        (file_of({**GOOD, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234"), "safetensors"),
        (file_of({**GOOD, "a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, b"1" * 12), "safetensors"),
        (
            file_of({**GOOD, "a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]}}, b"1" * 8),
            "safetensors",
        ),
        (file_of(GOOD, b"more"), "safetensors"),
        (save({"a": np.zeros(2, np.float16)}, metadata={"message": "{}"}), "must be of F32, F64, I64, got F16"),
    ],
)
def test_anything_else_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        unpacked(content)


def test_a_header_that_claims_to_be_longer_than_the_file_is_refused() -> None:
    with pytest.raises(MessageError, match="something else"):
        unpacked((2**63).to_bytes(8, "little") + b"{}")
