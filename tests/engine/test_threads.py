"""lemnis.toml is read by several threads of the console as soon as it opens."""

import subprocess
import sys

READ = """
import sys, threading
from pathlib import Path
from lemnis.engine.config.reading import parse_config
sys.setswitchinterval(1e-6)
text = Path(sys.argv[1]).read_text()
begin = threading.Barrier(8)

def read(number):
    begin.wait()
    parse_config(text + f"# {number}")

threads = [threading.Thread(target=read, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_the_first_readings_of_many_threads_at_once_crash_nothing() -> None:
    from lemnis.engine import demo

    declared = demo.__file__.removesuffix(".py") + ".toml"
    for _ in range(4):
        assert subprocess.run([sys.executable, "-c", READ, declared], check=False).returncode == 0
