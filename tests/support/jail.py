"""Run an image's own start as serverless inference would: no rights, no network, nothing writable but /tmp.

    from tests.support import jail
    server = jail.start("sklearn", folder / "model.tar.gz", folder)      # or "ray", "pytorch"
    ...                                                                 # POST server.url + "/invocations"
    server.stop()

Namespaces separate mounts, processes and network. The root is read-only and belongs to root, and the server
is a user without a name, a home or a capability. /dev has no shm, as on AWS Lambda. A cgroup bounds memory
and processors. All of it needs root and Linux; `unavailable` says what is missing.

DOORS are the further places that an image's start writes to. A server gets them only when asked for.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support import containers
from tests.support.containers import Server
from training.aws import hosting, package

# A serverless endpoint has a processor for each 1,769 MB, as AWS Lambda has; 2,048 MB have 1.2.
MB_A_CORE = 1769
USER = 10001
# AWS Lambda's bounds on open files and on processes with threads.
MOST_FILES = 1024
MOST_PROCESSES = 1024
CGROUPS = Path("/sys/fs/cgroup")
TOOLS = ("unshare", "chroot", "setpriv", "mount", "ip", "prlimit")
CLONE_NEWNET = 0x40000000
PORT = 8080
# Ray counts the free bytes of /dev/shm. The PyTorch toolkit writes TorchServe's settings and an empty store.
DOORS: dict[str, tuple[str, ...]] = {
    "sklearn": (),
    "ray": ("/dev/shm/",),
    "pytorch": ("/etc/sagemaker-ts.properties", "/.sagemaker/"),
}
# The sum of the pauses in the image's entry point.
PAUSES_SECONDS = {"sklearn": 0, "ray": 15, "pytorch": 0}
# What the images' Dockerfiles set.
IMAGE_ENVIRONMENT = {
    "sklearn": {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        "TEMP": "/home/model-server/tmp",
    },
    "ray": {"SM_MODEL_DIR": "/opt/ml/model"},
    "pytorch": {"PYTHONIOENCODING": "UTF-8", "TEMP": "/home/model-server/tmp"},
}
# The images' entry points, in our words. Ray's is scripts/docker/ray/sagemaker_entrypoint.sh of
# aws/deep-learning-containers at v1.4, with its pauses.
STARTS = {
    "sklearn": "exec serve",
    "ray": """
        export PYTHONPATH="/opt/ml/model:/opt/ml/model/code:${PYTHONPATH:-}"
        test ! -f /opt/ml/model/code/requirements.txt || pip install -r /opt/ml/model/code/requirements.txt
        ray start --head --port=6379 --include-dashboard=False --num-gpus=0
        sleep 5
        serve start --http-host=0.0.0.0 --http-port=8000
        sleep 5
        serve run /opt/ml/model/config.yaml &
        server=$!
        sleep 5
        kill -0 $server
        for attempt in $(seq 30); do
            curl -s http://localhost:8000/-/healthz >/dev/null && break
            sleep 2
        done
        exec python /app/ray_adapter.py
    """,
    "pytorch": "exec python -W ignore -c "
    "'from sagemaker_pytorch_serving_container import serving; serving.main()'",
}
# Builds the root and enters it. Arguments: root, image's environment, its Python, model, /tmp, /app, memory
# in kB, doors, and after -- the command.
ENTER = r"""
set -eu
root=$1 image=$2 python=$3 model=$4 tmp=$5 app=$6 memory=$7 doors=$8; shift 9
bind() { mkdir -p "$root$2"; mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; }
mount -t tmpfs -o mode=755 none "$root"
mkdir -p "$root"/{dev,proc,tmp,opt/ml/model,home/model-server/tmp}
cp -a /etc "$root/etc"
for place in /usr /bin /sbin /lib /lib64; do
    if [ -L $place ]; then cp -a $place "$root$place"; elif [ -d $place ]; then bind $place $place; fi
done
mount --bind "$tmp" "$root/tmp"
bind "$image" "$image"
bind "$python" "$python"
bind "$model" /opt/ml/model
bind "$app" /app
for device in null zero full random urandom; do
    touch "$root/dev/$device"; mount --bind /dev/$device "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${number%:*} "$root/dev/${number#*:}"; done
for door in $doors; do
    case $door in
        */) mkdir -p "$root$door"; mount -t tmpfs -o mode=777 none "$root$door" ;;
        *) mkdir -p "$(dirname "$root$door")"; touch "$app.door"; chmod 666 "$app.door"
           touch "$root$door"; mount --bind "$app.door" "$root$door" ;;
    esac
done
mount -t proc none "$root/proc"
sed -E "s/^(MemTotal|MemFree|MemAvailable):.*/\1: $memory kB/" /proc/meminfo > "$app.meminfo"
mount --bind "$app.meminfo" "$root/proc/meminfo"
mount -o remount,ro "$root"
ip link set lo up
cd /
exec chroot "$root" "$@"
"""
# Become a user without rights, then start.
LOWER = (
    *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"),
    *("--inh-caps=-all", "--bounding-set=-all", "prlimit", f"--nofile={MOST_FILES}:{MOST_FILES}"),
)


def unavailable() -> str | None:
    """Return a sentence that says why no jail can be made here, or None."""
    if os.geteuid() != 0:
        return "the serverless jail needs root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"the serverless jail needs {', '.join(missing)}"
    if not _controllers():
        return "the serverless jail needs cgroups with cpu, memory and pids"
    return None


def start(name: str, tar: Path, folder: Path, doors: Sequence[str] = (), **env: str) -> "Jail":
    """Make the image's environment in ``folder``, unpack the package, and start it at its deployed memory."""
    python = containers.make_image(name, folder / "image")
    model = containers.unpack(tar, folder / "model")
    return Jail(name, model, python, folder / "server.log", doors, None, **env)


class Jail(Server):
    """An image's server in its jail."""

    def __init__(
        self,
        name: str,
        model: Path,
        python: Path,
        log: Path,
        doors: Sequence[str] = (),
        memory_mb: int | None = None,
        **env: str,
    ) -> None:
        memory = memory_mb or package.serverless_memory(name)
        super().__init__(python, log, {})
        # Nothing sets HOME.
        self._env = {
            "PATH": f"{python.parent}:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "SAGEMAKER_REGION": "us-east-1",
            "SAGEMAKER_SAFE_PORT_RANGE": "21000-23000",
            **IMAGE_ENVIRONMENT[name],
            **package.ENVIRONMENT[name],
            **hosting.ENVIRONMENT.get((name, "serverless"), {}),
            **env,
        }
        self.failed = containers.SERVERS[name].failed
        self._cgroups = _make_cgroups(f"verdict-{os.getpid()}-{self.folder.name}", memory)
        self._door: Door | None = None
        try:
            process = self._popen(*self._command(name, model, python, memory, doors))
            self._door = Door(child_of(process))
            self.url = f"http://127.0.0.1:{self._door.port}"
            self._wait(process)
        except BaseException:
            self.stop()
            raise

    def peak(self) -> int:
        """Return the most bytes that the cgroup has held, with its files' pages; the cap bounds them."""
        return self._number("memory.max_usage_in_bytes", "memory.peak")

    def limit(self) -> int:
        """Return the bytes that the cgroup may hold."""
        return self._number("memory.limit_in_bytes", "memory.max")

    def inside(self) -> list[int]:
        """Return the processes that run as the user without rights."""
        pids = {int(pid) for folder in self._cgroups for pid in _lines(folder / "cgroup.procs")}
        return sorted(pid for pid in pids if Path(f"/proc/{pid}").exists() and _user_of(pid) == USER)

    def stop(self) -> None:
        if self._door:
            self._door.stop()
        # The first process of a process namespace takes all others with it.
        super().stop()
        for folder in self._cgroups:
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.1)

    def _command(
        self, name: str, model: Path, python: Path, memory: int, doors: Sequence[str]
    ) -> Iterator[str]:
        """Yield the words of the command: join the cgroups, leave the namespaces, build the root, start."""
        work = self.folder
        root, tmp, app = work / "root", work / "tmp", work / "app"
        for place in (root, tmp, app):
            place.mkdir()
        shutil.copy(Path(__file__).with_name("ray_adapter.py"), app)
        tmp.chmod(0o1777)
        work.chmod(0o755)
        joins = "".join(f"echo $$ > {folder}/cgroup.procs; " for folder in self._cgroups)
        yield from ("bash", "-c", f'{joins} exec "$@"', "bash")
        yield from ("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
        yield from ("bash", "-c", ENTER, "bash", str(root), str(python.parents[1]), str(_base_of(python)))
        yield from (str(model), str(tmp), str(app), str(memory * 1024), " ".join(doors), "--")
        yield from (*LOWER, "bash", "-e", "-c", STARTS[name])

    def _number(self, *names: str) -> int:
        """Return the number in the first of some files that a cgroup has."""
        files = (folder / name for name in names for folder in self._cgroups)
        return next(int(file.read_text()) for file in files if file.exists())

    def _pids(self) -> list[int]:
        """Return the processes in the jail, and those that lead to it."""
        inside = {int(pid) for folder in self._cgroups for pid in _lines(folder / "cgroup.procs")}
        return sorted(inside | set(super()._pids()))


# --- processors and memory ----------------------------------------------------------------------


def _controllers() -> dict[str, Path]:
    """Return the folders of the cgroups for cpu, memory and pids, of version 1 or 2; none where one lacks."""
    unified = _lines(CGROUPS / "cgroup.controllers")
    names = ("cpu", "memory", "pids")
    if unified and set(names) <= set(unified[0].split()):
        return dict.fromkeys(names, CGROUPS)
    folders = {name: CGROUPS / name for name in names}
    return folders if all(os.access(path / "cgroup.procs", os.W_OK) for path in folders.values()) else {}


def _make_cgroups(name: str, memory_mb: int) -> list[Path]:
    """Make the cgroups of a jail with a serverless endpoint's processors and memory."""
    parents = _controllers()
    period, quota = 100_000, round(100_000 * memory_mb / MB_A_CORE)
    if parents["cpu"] == parents["memory"]:
        (CGROUPS / "cgroup.subtree_control").write_text("+cpu +memory +pids")
        folder = CGROUPS / name
        folder.mkdir()
        (folder / "cpu.max").write_text(f"{quota} {period}")
        (folder / "memory.max").write_text(str(memory_mb << 20))
        (folder / "pids.max").write_text(str(MOST_PROCESSES))
        return [folder]
    folders = {controller: parent / name for controller, parent in parents.items()}
    for folder in folders.values():
        folder.mkdir()
    (folders["cpu"] / "cpu.cfs_period_us").write_text(str(period))
    (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(quota))
    (folders["memory"] / "memory.limit_in_bytes").write_text(str(memory_mb << 20))
    (folders["pids"] / "pids.max").write_text(str(MOST_PROCESSES))
    return list(folders.values())


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


# --- the way in ---------------------------------------------------------------------------------


class Door:
    """Forward connections to a port of ours into a process's network namespace, to an address there."""

    def __init__(self, pid: int, address: tuple[str, int] = ("127.0.0.1", PORT)) -> None:
        self._address = address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends the wait for a connection
        self._listener.close()

    def _serve(self) -> None:
        # Only this thread moves, and the threads that it starts. The listener stays where it was made.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(self._namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(self._namespace)
        while True:
            try:
                outside, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_forward, args=(outside, self._address), daemon=True).start()


def _forward(outside: socket.socket, address: tuple[str, int]) -> None:
    """Copy a connection's bytes to an address and back, until both sides have ended."""
    with outside:
        try:
            inside = socket.create_connection(address)
        except OSError:
            return
        with inside:
            back = threading.Thread(target=_copy, args=(inside, outside), daemon=True)
            back.start()
            _copy(outside, inside)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def child_of(process: subprocess.Popen[bytes]) -> int:
    """Return the first process of the namespaces that a command makes."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        if found := [word for line in _lines(children) for word in line.split()]:
            return int(found[0])
        time.sleep(0.01)
    raise containers.ServerError("the jail could not be made")


def _base_of(python: Path) -> Path:
    """Return the installation that an environment's Python belongs to."""
    return python.resolve().parents[1]
