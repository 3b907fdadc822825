"""Finding or building livekit-server, with a Go that is a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.launcher import livekit_build

SCRIPT = '#!/bin/sh\ncase "$1" in version) echo "go version go1.26.1 linux/amd64" ;; *) {} ;; esac\n'
BUILDS = SCRIPT.format('echo made > "$GOBIN/server"')
FAILS = SCRIPT.format('echo "no network"; exit 1')
OLD = '#!/bin/sh\necho "go version go1.19.8 linux/amd64"\n'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing: an empty cache, and a PATH where tests put programs."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LIVEKIT_SERVER", raising=False)
    return path


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def find(said: list[str] | None = None) -> Path:
    return livekit_build.find_or_build((said if said is not None else []).append, lambda: None)


def test_what_is_named_or_on_the_path_is_used(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "livekit-server", "#!/bin/sh\n")
    assert find() == machine / "livekit-server"
    monkeypatch.setenv("LIVEKIT_SERVER", "/nowhere/livekit-server")
    with pytest.raises(SystemExit, match="LIVEKIT_SERVER is /nowhere/livekit-server"):
        find()


def test_it_is_built_once(machine: Path) -> None:
    program(machine / "go", BUILDS)
    said: list[str] = []
    built = find(said)
    assert built.read_text() == "made\n"
    assert "Building" in said[0]
    program(machine / "go", FAILS)
    assert find() == built


def test_a_failed_build_says_why_and_what_to_do_and_leaves_nothing(machine: Path, tmp_path: Path) -> None:
    program(machine / "go", FAILS)
    with pytest.raises(SystemExit, match=r"no network.*LIVEKIT_URL"):
        find()
    assert not list((tmp_path / "cache").rglob("livekit-server*"))


def test_without_a_new_enough_go_and_no_wheel_it_says_what_to_do(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(machine / "go", OLD)
    monkeypatch.setattr(livekit_build, "GO_REQUIREMENTS", tmp_path / "missing.txt")
    with pytest.raises(SystemExit, match=r"Install Go 1\.26 or newer"):
        find()
