"""An empty Debian in a folder, and the same booted: systemd as the first process of namespaces of its own.

Needs root, by sudo where the tests run as somebody else. The machine's network is shared, so the local endpoint is at
hand; mounts, processes and host name are not.
"""

import os
import re
import subprocess
import time

from .program import REPOSITORY

# What dpkg and the tools that it calls write for themselves.
OF_DPKG = re.compile(r"^(var/lib/dpkg/|var/log/|var/cache/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|run/|proc/|"
                     r"sys/|dev/|etc/ld.so.cache)")
CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
# Packages that were fetched once; `make clean` takes them away.
CACHE = os.path.join(REPOSITORY, ".local", "debian-packages")
BOOT_SECONDS = 60


def run(*arguments, check=True, timeout=1800, **options):
    result = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                            **options)
    assert not check or result.returncode == 0, "%s: %d\n%s" % (arguments, result.returncode, result.stdout[-4000:])
    return result


def as_root(*arguments, environment=None):
    """The command for it, with a clean environment; sudo is not left waiting for a password."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    settings = ["%s=%s" % pair for pair in dict(CLEAN, **(environment or {})).items()]
    return sudo + ["env", "-i"] + settings + list(arguments)


def build_package():
    """Builds the Debian package, and the release before it when that is out of date. The package's path."""
    return run("make", "-s", "deb", cwd=REPOSITORY).stdout.strip().splitlines()[-1]


def field(package, name):
    return run("dpkg-deb", "-f", package, name).stdout.strip()


def dependencies(package):
    """Package names of the Depends field, the first of alternatives."""
    return [re.match(r"[a-z0-9.+-]+", d.strip()).group(0) for d in field(package, "Depends").split(",")]


def distribution():
    """(code name, address) of the distribution that this machine is, and of where its apt gets it from."""
    with open("/etc/os-release") as file:
        about = dict(re.findall(r'^(\w+)="?([^"\n]*)', file.read(), re.MULTILINE))
    wanted = "%s %s main " % (about["ID"], about["VERSION_CODENAME"])
    for update in (False, True):
        if update:  # apt lists only what it has fetched
            run(*as_root("apt-get", "update", "-qq", environment=proxies()))
        targets = run("apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)",
                      "Created-By: Packages").stdout
        for line in targets.splitlines():
            if line.lower().startswith(wanted):
                return about["VERSION_CODENAME"], line.split()[-1]
    raise RuntimeError("apt of this machine knows no source of %s" % wanted)


def proxies():
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


class DebianRoot:
    """A Debian in a folder of its own, which is root's."""

    def __init__(self, path):
        self.path = str(path)

    @classmethod
    def bootstrap(cls, path, packages):
        """This machine's release with `packages` and what they depend on, and nothing else. `path` is made."""
        release, mirror = distribution()
        os.makedirs(CACHE, exist_ok=True)
        run(*as_root("debootstrap", "--variant=minbase", "--cache-dir=" + CACHE, "--include=" + ",".join(packages),
                     release, str(path), mirror, environment=proxies()))
        return cls(path)

    def copy(self, path):
        """`path` is made."""
        run(*as_root("cp", "-a", "--reflink=auto", self.path, str(path)))
        return DebianRoot(path)

    def run(self, *arguments, user=None, environment=None, **options):
        """In the root, with /proc and nothing else mounted."""
        who = ["--userspec=%s" % user] if user else []
        return run(*as_root("unshare", "--mount", "sh", "-c",
                            'mount -t proc proc "$1/proc" && shift && exec chroot "$@"', "sh", self.path, *who, self.path,
                            *arguments, environment=environment), **options)

    def outside(self, path):
        """Where the machine sees a path of the root."""
        return os.path.join(self.path, path.lstrip("/"))

    def write(self, path, text, mode=0o644):
        run(*as_root("install", "-D", "-m", "%o" % mode, "/dev/stdin", self.outside(path)), input=text)

    def append(self, path, text):
        run(*as_root("tee", "-a", self.outside(path)), input=text)

    def delete(self, path):
        run(*as_root("rm", self.outside(path)))

    def install(self, package):
        """With dpkg alone: it fails unless everything that the package depends on is there."""
        run(*as_root("cp", package, self.outside("/root/sluice.deb")))
        self.run("dpkg", "--install", "/root/sluice.deb")

    def files(self):
        found = run(*as_root("find", self.path, "-mindepth", "1", "-printf", "%P\\n")).stdout.splitlines()
        return {path for path in found if not OF_DPKG.match(path)}

    def remove(self):
        run(*as_root("rm", "-rf", "--one-file-system", self.path))


# Runs in new mount, process, host name and IPC namespaces: $1 is the root, $2 the name of a control group, $3 a file for
# the number that the first process has outside.
BOOT = """
set -e
read -r number rest </proc/self/stat
echo "$number" >"$3"
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- "$1" "$2" $device
  mknod -m 666 "dev/$3" c "$4" "$5"
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t cgroup2 none sys/fs/cgroup
mkdir -p "sys/fs/cgroup/$2"
echo $$ >"sys/fs/cgroup/$2/cgroup.procs"
umount sys/fs/cgroup
mkdir -p old
pivot_root . old
exec chroot . unshare --cgroup sh -c '
  umount -l /old
  mount --make-rshared /
  mount -t cgroup2 none /sys/fs/cgroup
  echo debian >/proc/sys/kernel/hostname
  exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system'
"""


class Booted:
    """`root` with systemd running in it; `root` needs the packages systemd and dbus."""

    def __init__(self, root):
        self.root = root
        self.group = "sluice-test-%d" % os.getpid()
        self._number = root.path + ".init"
        self._process = subprocess.Popen(
            as_root("unshare", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "bash", "-c", BOOT, "boot",
                    root.path, self.group, self._number),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        end = time.monotonic() + BOOT_SECONDS
        while True:
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip() if self._is_systemd() else ""
            if state in ("running", "degraded"):
                break
            if self._process.poll() is not None or time.monotonic() > end:
                waiting = self.run("systemctl", "list-jobs", "--no-pager", check=False).stdout if state else ""
                self.stop()
                raise RuntimeError("systemd did not come up: %s\n%s\n%s" % (
                    state, waiting, self._process.stdout.read().decode()))
            time.sleep(0.2)

    def _init(self):
        """The number, outside, of the process that is 1 inside."""
        try:
            with open(self._number) as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def _is_systemd(self):
        try:
            with open("/proc/%s/comm" % self._init()) as file:
                return file.read() == "systemd\n"
        except OSError:
            return False

    def run(self, *arguments, **options):
        return run(*as_root("nsenter", "--target", self._init(), "--pid", "--mount", "--uts", "--ipc", "--cgroup",
                            *arguments), **options)

    def show(self, unit, *properties):
        """Properties of a unit, as text."""
        text = self.run("systemctl", "show", "--property=" + ",".join(properties), unit).stdout
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def journal(self, *arguments):
        return self.run("journalctl", "--no-pager", "--output=short-precise", *arguments).stdout

    def stop(self):
        """Ends the first process, and with it all others of its namespace."""
        if self._process.poll() is None and self._init():
            run(*as_root("kill", "-KILL", self._init()))
        self._process.wait(20)
        # The kernel lets go of a control group a while after its last process.
        run(*as_root("unshare", "--mount", "bash", "-c", "mount -t cgroup2 none /mnt && cd /mnt && for try in {1..100}; do "
                     "[ -d '%s' ] || exit 0; find '%s' -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.2; done; exit 1"
                     % (self.group, self.group)))
