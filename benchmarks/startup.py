"""What the start-up hook costs an interpreter that does not import s3prl, against the same interpreter without it.

Run it in the environment that the package is installed in: ``python benchmarks/startup.py``.
"""

import os
import statistics
import subprocess
import sys
import time

RUNS = 60


def start(switch: str) -> float:
    """Seconds from start to end of an empty program."""
    environment = {**os.environ, "ZERO_SHOT_EMOTION_PLUGIN": switch}
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=environment, check=True)
    return time.perf_counter() - begin


def hook() -> tuple[float, float]:
    """Seconds that ``zero_shot_emotion.pth`` takes, and those of the whole ``site`` module, as -X importtime counts."""
    command = [sys.executable, "-X", "importtime", "-c", "pass"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    cumulative = {line.split("|")[-1].strip(): int(line.split("|")[1]) for line in lines[1:]}
    own = sum(cumulative.get(f"zero_shot_emotion.s3prl_plugin{name}", 0) for name in ("", ".startup"))
    return own / 1e6, cumulative["site"] / 1e6


def main() -> None:
    """Print the medians."""
    pairs = [(start("1"), start("0")) for _ in range(RUNS)]
    on, off = (statistics.median(times) for times in zip(*pairs, strict=True))
    own, site = (statistics.median(times) for times in zip(*(hook() for _ in range(RUNS)), strict=True))
    print(f"interpreter with the hook {on * 1e3:.2f} ms, switched off {off * 1e3:.2f} ms: ratio {on / off:.3f}")
    print(f"imports of the hook {own * 1e3:.2f} ms of {site * 1e3:.2f} ms that site takes")


if __name__ == "__main__":
    main()
