"""
A photograph of a plate in a shop, drawn: what a phone's camera would see of a plate on a counter.

The plate is turned, seen from the side, out of focus, unevenly lit and grainy, among other things, and the file is a
JPEG. Everything comes from the seed, so a picture that could not be read can be drawn again.
"""

import io
import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from hutong.kernel.ids import SeededRandomness, seeded_randomness

SIZE = (1600, 1200)
_JPEG_QUALITY = 70
_Corners = list[tuple[float, float]]


def photograph(plate_png: bytes, seed: int, *, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG file of a counter with the plate on it."""
    chance = seeded_randomness(seed)
    scene = _counter(size, chance)
    with Image.open(io.BytesIO(plate_png)) as plate:
        _stand(scene, plate.convert("RGB"), chance)
    _things(scene, chance, in_front=True)
    scene = _light(scene, chance).filter(ImageFilter.GaussianBlur(chance.uniform(1.0, 1.4)))
    scene = Image.blend(scene, ImageChops.overlay(scene, _grain(size, chance)), 0.45)
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _counter(size: tuple[int, int], chance: SeededRandomness) -> Image.Image:
    """A tiled wall, a wooden counter, and what stands at the back of it."""
    width, height = size
    scene = Image.new("RGB", size, (196, 188, 170))
    draw = ImageDraw.Draw(scene)
    tile = width // 12
    for row in range(height // tile + 1):
        for column in range(width // tile + 2):
            shade = chance.randint(176, 208)
            x = column * tile - (row % 2) * tile // 2
            draw.rectangle((x, row * tile, x + tile - 4, row * tile + tile - 4), fill=(shade, shade - 6, shade - 22))
    edge = height * 2 // 3
    for y in range(edge, height):
        grain = int(10 * math.sin(y / 7) + 6 * math.sin(y / 2.3))
        draw.line((0, y, width, y), fill=(126 + grain, 84 + grain, 52 + grain // 2))
    _things(scene, chance, in_front=False)
    return scene


def _things(scene: Image.Image, chance: SeededRandomness, *, in_front: bool) -> None:
    """Bottles and boxes at the back; a bowl and chopsticks at the lower edge, where no plate is."""
    width, height = scene.size
    draw = ImageDraw.Draw(scene)
    if in_front:
        x, y, r = width * 0.87, height * 0.93, height * 0.13
        draw.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), fill=(232, 228, 220), outline=(90, 110, 160), width=9)
        draw.ellipse((x - r * 0.7, y - r * 0.5, x + r * 0.7, y + r * 0.3), fill=(150, 84, 40))
        for shift in (0, 26):
            draw.line((width * 0.03 + shift, height * 0.99, width * 0.2 + shift, height * 0.8), (92, 40, 28), 11)
        return
    for place in range(9):
        x = width * (place + chance.random() * 0.6) / 9
        tall, wide = height * chance.uniform(0.12, 0.3), width * chance.uniform(0.03, 0.06)
        colour = tuple(chance.randint(30, 220) for _ in range(3))
        foot = height * 0.68
        draw.rounded_rectangle((x, foot - tall, x + wide, foot), radius=wide / 4, fill=colour)
        # Labels are high in contrast, too: a reader must not take them for codes.
        for line in range(5):
            y = foot - tall * 0.7 + line * tall / 12
            draw.line((x + wide * 0.2, y, x + wide * chance.uniform(0.4, 0.85), y), fill=(245, 245, 240), width=3)


def _stand(scene: Image.Image, plate: Image.Image, chance: SeededRandomness) -> None:
    """Put the plate into the scene as it looks from aside and turned, with its shadow."""
    width, height = scene.size
    tall = height * chance.uniform(0.66, 0.74)
    wide = tall * plate.width / plate.height
    centre = (width * chance.uniform(0.4, 0.55), height * chance.uniform(0.46, 0.5))
    angle = math.radians(chance.choice((-1, 1)) * chance.uniform(9, 17))
    lean = chance.uniform(0.08, 0.14) * chance.choice((-1, 1))  # How much the farther side is shorter.
    corners: _Corners = []
    for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x = across * wide / 2 * 0.93
        y = down * tall / 2 * (1 + across * lean)
        turned = (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))
        corners.append((centre[0] + turned[0], centre[1] + turned[1]))
    shadow = Image.new("L", scene.size, 0)
    ImageDraw.Draw(shadow).polygon([(x + 18, y + 24) for x, y in corners], fill=120)
    scene.paste((40, 32, 26), mask=shadow.filter(ImageFilter.GaussianBlur(14)))
    found = _perspective(corners, plate.size)
    seen = plate.transform(scene.size, Image.Transform.PERSPECTIVE, found, Image.Resampling.BICUBIC)
    mask = Image.new("L", scene.size, 0)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    scene.paste(seen, mask=mask.filter(ImageFilter.GaussianBlur(0.8)))


def _light(scene: Image.Image, chance: SeededRandomness) -> Image.Image:
    """A lamp at one side: brighter there, darker and yellower at the other."""
    ramp = Image.linear_gradient("L").rotate(chance.choice((90, 270))).resize(scene.size)
    dimmed = ImageChops.multiply(scene, Image.new("RGB", scene.size, (166, 150, 122)))
    return Image.composite(scene, dimmed, ramp)


def _grain(size: tuple[int, int], chance: SeededRandomness) -> Image.Image:
    """A small sensor's noise in the dark: every pixel its own."""
    strength = chance.uniform(0.3, 0.42)
    noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
    return noise.point([round(128 + (level - 128) * strength) for level in range(256)]).convert("RGB")


def _perspective(corners: _Corners, size: tuple[int, int]) -> list[float]:
    """
    The eight numbers Pillow wants: they take each corner in the scene to the plate's own.

    Eight linear equations, two for each corner, by Gauss and Jordan.
    """
    own = ((0, 0), (size[0], 0), (size[0], size[1]), (0, size[1]))
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners, own, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for pivot in range(8):
        best = max(range(pivot, 8), key=lambda row: abs(rows[row][pivot]))
        rows[pivot], rows[best] = rows[best], rows[pivot]
        scale = rows[pivot][pivot]
        rows[pivot] = [value / scale for value in rows[pivot]]
        for row in range(8):
            if row != pivot:
                factor = rows[row][pivot]
                rows[row] = [value - factor * above for value, above in zip(rows[row], rows[pivot], strict=True)]
    return [row[8] for row in rows]
