"""Where processor time goes: the stack of this process, looked at every so many milliseconds of its own time."""

import signal
from collections import Counter
from types import FrameType

INTERVAL_S = 0.002

# The part a sample belongs to: that of the innermost frame whose module begins so; the longest wins.
_PARTS = {
    "hutong.runtime.http": "http",
    "hutong.runtime.pgjournal": "journal",
    "hutong.runtime.pgwire": "journal",
    "hutong.runtime.tables": "packing",
    "<packer>": "packing",
    "hutong.runtime": "runtime",
    "hutong.ledger": "ledger",
    "hutong.scheme.signature": "crypto",
    "hutong.scheme": "messages",
    "hutong.codes": "codes",
    "hutong.institution": "institution",
    "hutong.marketing": "marketing",
    "hutong.switch": "switch",
    "hutong.kernel": "kernel",
    "hutong.gateways.keys": "RSA",
    "hutong.gateways.wire": "http",  # Behind its door is the framework.
    "hutong.gateways": "gateways",
    "hutong.runtime.outbound": "posting",
    "hutong.bench": "bench",
}
_IN_ORDER = sorted(_PARTS, key=len, reverse=True)


class Sampler:
    """Counts samples by part and by function between `start` and `stop`; for the main thread of a process alone."""

    def __init__(self) -> None:
        self.by_part: Counter[str] = Counter()
        self.by_function: Counter[str] = Counter()
        self.samples = 0

    def start(self) -> None:
        """Look from now on."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Look no more. Repeats: nothing."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def shares(self) -> dict[str, float]:
        """Each part's share of the processor time, the greatest first."""
        return {part: count / self.samples for part, count in self.by_part.most_common()}

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        self.samples += 1
        if frame is not None:
            self.by_function[f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}"] += 1
        while frame is not None:
            module = frame.f_globals.get("__name__") or frame.f_code.co_filename
            for prefix in _IN_ORDER:
                if module.startswith(prefix):
                    self.by_part[_PARTS[prefix]] += 1
                    return
            frame = frame.f_back
        self.by_part["loop"] += 1
