import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from zero_shot_emotion.corpus import atomic_write
from zero_shot_emotion.corpus.atomic import remove_parts


def test_text_is_utf_8_with_unix_line_ends(tmp_path):
    with atomic_write(tmp_path / "new" / "a.txt") as file:
        file.write("ä\n")

    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa4\n"


def test_bytes_are_written_as_they_are(tmp_path):
    with atomic_write(tmp_path / "a", "wb") as file:
        file.write(b"\r\n\x00")

    assert (tmp_path / "a").read_bytes() == b"\r\n\x00"


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    with atomic_write(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"

    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    with pytest.raises(error):
        _write(path, error)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no umask")
def test_permissions_are_the_usual_ones_and_threads_do_not_change_them(tmp_path):
    before = os.umask(0o027)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: _write(tmp_path / str(i)), range(400)))
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def _write(path, error=None):
    with atomic_write(path) as file:
        file.write("x")
        if error:
            raise error


def test_what_a_kill_left_is_removed_and_nothing_else(tmp_path):
    write = atomic_write(tmp_path / "a.txt")
    write.__enter__().write("half")  # and never leaves
    (left,) = tmp_path.iterdir()
    for name in ("a.part", ".hidden", "b.txt"):
        (tmp_path / name).touch()

    remove_parts(tmp_path)
    remove_parts(tmp_path / "missing")

    assert left.name.startswith(".a.txt.")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.part", "b.txt"]
