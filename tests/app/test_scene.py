"""The drawn photograph is read as one of a phone's, whatever its seed."""

import io

import pytest
from PIL import Image

from hutong.app.scene import SIZE, photograph
from hutong.codes.picture import read_picture
from hutong.codes.printed_plate import Caption, PrintedPlate, plate_png

TEXT = "https://wei.hutong.example/q/M7BJFE582T6J6T"


@pytest.fixture(scope="module")
def plate() -> bytes:
    return plate_png(PrintedPlate(TEXT, Caption("胡同面馆", "Hutong Noodles"))).png


@pytest.mark.parametrize("seed", range(8))
def test_the_plate_in_the_photograph_is_read(plate: bytes, seed: int) -> None:
    picture = photograph(plate, seed)
    assert read_picture(picture) == (TEXT,)


def test_the_photograph_is_larger_than_the_plate_and_the_same_for_its_seed(plate: bytes) -> None:
    picture = photograph(plate, 7)
    assert picture == photograph(plate, 7)
    assert Image.open(io.BytesIO(picture)).size == SIZE
