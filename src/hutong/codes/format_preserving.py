"""
Format-preserving encryption: a number of so many digits to another number of as many digits, and back.

FF1 of NIST SP 800-38G with AES, in the sizes that codes need: it is a permutation under a key, so two users never share
a handle and no table of handles has to be kept.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_ROUNDS = 10
_BLOCK = 16
DOMAIN_MIN = 1_000_000  # SP 800-38G Rev. 1: a smaller one could be tabulated.


class FormatPreservingCipher:
    """
    Permutes the numbers of `length` numerals in `radix` under an AES key and a tweak.

    A number stands for its numeral string, so leading noughts count: 7 of length 4 is `0007`.
    """

    def __init__(self, key: bytes, length: int, *, tweak: bytes = b"", radix: int = 10) -> None:
        assert radix**length >= DOMAIN_MIN
        # Every block is enciphered by itself, and chained here as SP 800-38G's PRF does: with one fixed first block and
        # one block of data this saves setting up a cipher per round.
        self._encipher = Cipher(AES(key), ECB()).encryptor().update  # noqa: S305
        self._sizes = (length // 2, length - length // 2)
        self._moduli: tuple[int, int] = (radix ** self._sizes[0], radix ** self._sizes[1])
        self._width = ((self._moduli[1] - 1).bit_length() + 7) // 8
        self._digest = 4 * ((self._width + 3) // 4) + 4
        assert self._digest <= _BLOCK  # Up to 28 decimal digits; a longer one would need more blocks.
        head = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([_ROUNDS, self._sizes[0] & 0xFF])
        self._first = self._encipher(head + length.to_bytes(4) + len(tweak).to_bytes(4))
        padding = bytes(-(len(tweak) + self._width + 1) % _BLOCK)
        self._tweak = tweak + padding

    def encrypt(self, number: int) -> int:
        small, large = self._moduli
        left, right = divmod(number, large)
        assert 0 <= left < small
        for round_ in range(_ROUNDS):
            modulus = large if round_ % 2 else small
            left, right = right, (left + self._scramble(round_, right)) % modulus
        return left * large + right

    def decrypt(self, number: int) -> int:
        small, large = self._moduli
        left, right = divmod(number, large)
        assert 0 <= left < small
        for round_ in reversed(range(_ROUNDS)):
            modulus = large if round_ % 2 else small
            left, right = (right - self._scramble(round_, left)) % modulus, left
        return left * large + right

    def _scramble(self, round_: int, half: int) -> int:
        """The round function: AES in CBC-MAC over the parameters, the tweak, the round and one half."""
        data = self._tweak + bytes([round_]) + half.to_bytes(self._width)
        state = self._first
        for at in range(0, len(data), _BLOCK):
            mixed = int.from_bytes(state) ^ int.from_bytes(data[at : at + _BLOCK])
            state = self._encipher(mixed.to_bytes(_BLOCK))
        return int.from_bytes(state[: self._digest])
