"""What the launcher chooses and refuses before anything is started."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import env
from config.launcher import postgres, state


def test_a_missing_secret_is_one_line_that_names_it_and_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=env.ROOT,
        env={"PATH": "/usr/bin:/bin", "PATCHBAY_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "PATCHBAY_SECRET_KEY" in done.stderr
    assert "make start" in done.stderr


def test_postgresql_gets_a_quarter_of_the_memory_that_we_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(postgres, "CGROUP_LIMITS", (limit, tmp_path / "none"))
    for said, buffers_mb in ((str(1 << 30), 256), (str(1 << 20), 128)):
        limit.write_text(f"{said}\n")
        assert postgres.buffers_for_years() == buffers_mb
    limit.write_text("max\n")
    assert 128 <= postgres.buffers_for_years() <= postgres.MOST_BUFFERS_MB
    assert "shared_buffers=300MB" in postgres.command(tmp_path, buffers_mb=300).argv


def test_only_postgresql_is_a_database() -> None:
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        env.database("sqlite:///file.db")


def test_a_socket_directory_and_quoted_passwords_are_understood() -> None:
    assert env.database("postgresql://postgres@/patchbay?host=%2Ftmp%2Fx")["HOST"] == "/tmp/x"
    there = env.database("postgresql://me:p%40ss@db.example:6543/patchbay")
    assert (there["USER"], there["PASSWORD"], there["HOST"], there["PORT"]) == ("me", "p@ss", "db.example", "6543")


def test_a_wanted_port_that_is_taken_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"port {port} is taken.*PORT="):
            state.web_port(tmp_path, str(port))


def test_a_remembered_port_is_kept_until_somebody_takes_it(tmp_path: Path) -> None:
    first = state.installation(tmp_path)["ports"]["carrier"]
    assert state.installation(tmp_path)["ports"]["carrier"] == first
    with socket.create_server(("127.0.0.1", first)):
        assert state.installation(tmp_path)["ports"]["carrier"] != first


def test_secrets_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    secret = state.installation(tmp_path)["secret_key"]
    assert state.installation(tmp_path)["secret_key"] == secret
    assert (tmp_path / "installation.json").stat().st_mode & 0o077 == 0


def test_a_second_launcher_of_the_same_checkout_is_told(tmp_path: Path) -> None:
    with state.locked(tmp_path), pytest.raises(SystemExit, match="already running"), state.locked(tmp_path):
        pass
