"""Who gets how many file descriptors."""

import resource
import subprocess
import sys

from collector.process.network.descriptors import shared_out

WANTED = {"grpc": 2048, "http": 1024, "api": 1024, "off": 0}


def test_where_there_are_enough_everybody_gets_what_he_wants() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    small = {"a": soft // 4, "b": 1}
    assert shared_out(small) == small


def under(limit: int, script: str) -> str:
    begin = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {limit})\n"
    command = [sys.executable, "-c", begin + script]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_where_there_are_few_nobody_takes_those_of_others_or_of_files() -> None:
    script = f"from collector.process.network.descriptors import shared_out; print(*shared_out({WANTED}).values())"
    for limit in (64, 256, 1024, 4000):
        shares = [int(word) for word in under(f"({limit}, {limit})", script).split()]
        assert sum(shares) <= limit - min(256, limit // 4) + 1
        assert all(share > 0 for share in shares)
        assert shares[0] >= shares[1] == shares[2]


def test_a_process_takes_as_many_as_it_may() -> None:
    script = (
        "from collector.process.network.descriptors import raise_limit; raise_limit(); print(resource.getrlimit(7))"
    )
    assert under("(200, 700)", script) == "(700, 700)"
