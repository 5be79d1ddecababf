"""The socket in the data folder."""

import os
import stat
from pathlib import Path

import pytest
from fastmllp_engine.api import door


def test_only_its_user_may_connect(tmp_path: Path) -> None:
    with door.take(tmp_path):
        mode = (tmp_path / door.NAME).stat().st_mode
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
        door.connect(tmp_path, 5).close()


def test_a_socket_of_a_dead_engine_is_replaced_and_said(tmp_path: Path) -> None:
    door.take(tmp_path).close()
    with pytest.raises(door.Closed, match="has ended without a farewell"):
        door.connect(tmp_path, 5)
    with door.take(tmp_path):
        door.connect(tmp_path, 5).close()


def test_without_an_engine_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(door.Closed, match="no engine runs"):
        door.connect(tmp_path, 5)
    with pytest.raises(door.Closed, match="no engine runs"):
        door.connect(tmp_path / "nowhere", 5)


def test_a_data_folder_with_a_long_path_has_one_too(tmp_path: Path) -> None:
    data = tmp_path / ("x" * 120) / "data"
    data.mkdir(parents=True)
    with door.take(data):
        assert (data / door.NAME).is_socket()
        door.connect(data, 5).close()
    door.leave(data)
    assert not (data / door.NAME).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_another_user_is_told_whose_it_is(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    with door.take(tmp_path):
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                door.connect(tmp_path, 5)
            except door.Closed as error:
                os._exit(7 if "only the user of the engine" in str(error) else 8)
            except BaseException:
                os._exit(9)
            os._exit(10)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
