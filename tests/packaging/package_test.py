"""The Debian package in a root of its own: package_test.py ROOT BUILD.

The root is this system with a file system in memory laid over it, in namespaces of its own, so that
the package's dependencies are there and nothing of it stays. Inside, the real dpkg installs,
upgrades, removes and purges, and the server runs as the package's user.
"""

import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

PROGRAMS = ("tidemark", "tidemarkd", "tidemark-plugin-host")
CONFIG = "/etc/tidemark/tidemarkd.yaml"
CONNECTIONS = "/etc/tidemark/connections"
SOCKET = "/run/tidemark/tidemark.sock"
ROWS = """\
name: rows
sync:
  source: {connector: generator, config: {count: 100}}
  destination: {type: sqlite, connection: /var/lib/tidemark/files/rows.db}
"""


def run(*words, code=0, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=290, check=False, **more)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(condition, what):
    if not condition:
        raise SystemExit(f"package_test: {what}")


def build_packages(build, folder):
    """Makes the package and one of the next version. Returns their paths."""
    run("cpack", "--config", os.path.join(build, "CPackConfig.cmake"), "-G", "DEB", "-B", folder)
    first, = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".deb")]
    tree = os.path.join(folder, "tree")
    run("dpkg-deb", "-R", first, tree)
    control = os.path.join(tree, "DEBIAN/control")
    with open(control, encoding="utf-8") as file:
        text = file.read()
    with open(control, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^(Version: .*)$", r"\1.1", text, flags=re.MULTILINE))
    second = os.path.join(folder, "next.deb")
    run("dpkg-deb", "--root-owner-group", "-b", tree, second)
    return first, second


def check_contents(package):
    listing = run("dpkg-deb", "-c", package)
    for path in [f"./usr/bin/{name}" for name in PROGRAMS] + [
            "./usr/lib/tidemark/plugins/rest.so", "./usr/lib/systemd/system/tidemarkd.service",
            "./usr/lib/sysusers.d/tidemark.conf", "." + CONFIG,
            "./usr/share/man/man1/tidemark.1.gz", "./usr/share/man/man8/tidemarkd.8.gz",
            "./usr/share/bash-completion/completions/tidemark",
            "./usr/share/zsh/vendor-completions/_tidemark",
            "./usr/share/fish/vendor_completions.d/tidemark.fish",
            "./usr/share/doc/tidemark/copyright"]:
        check(re.search(rf"^-\S+ root/root .* {re.escape(path)}$", listing, re.MULTILINE),
              f"{path} is not in the package, or not root's:\n{listing}")
    check("/usr/local" not in listing and "/work" not in listing, "a path of the build is in it")
    check(run("dpkg-deb", "-I", package, "conffiles").split() == [CONFIG], "conffiles")
    depends = run("dpkg-deb", "-f", package, "Depends")
    for library in ("libc6 (>=", "libgrpc++1.51", "libsqlite3-0", "libsodium23", "libcurl4",
                    "libprometheus-cpp-core", "libcpp-httplib"):
        check(library in depends, f"it does not depend on {library}: {depends}")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class RunningServer:
    """tidemarkd as the unit starts it: its user, its folders, told to say when it is ready."""

    def __init__(self):
        user = pwd.getpwnam("tidemark")
        for folder in ("/var/lib/tidemark", "/var/lib/tidemark/files", "/run/tidemark"):
            os.makedirs(folder, exist_ok=True)
            os.chown(folder, user.pw_uid, user.pw_gid)
            os.chmod(folder, 0o700)
        self.process = subprocess.Popen(
            ["/usr/bin/tidemarkd", "--config", CONFIG], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, user=user.pw_uid,
            group=user.pw_gid, extra_groups=[], umask=0o077,
            env={"STATE_DIRECTORY": "/var/lib/tidemark", "PATH": "/usr/bin:/bin",
                 "RUNTIME_DIRECTORY": "/run/tidemark"})
        said = []
        for line in self.process.stderr:  # the test's own time limit bounds this
            said.append(line)
            if " serves " in line:
                break
        else:
            raise SystemExit(f"package_test: tidemarkd ended:\n{''.join(said)}")
        check(stat.S_ISSOCK(os.stat(SOCKET).st_mode) and mode(SOCKET) == 0o600, "the socket")
        check(os.stat("/var/lib/tidemark/catalog.db").st_uid == user.pw_uid, "the catalog's owner")

    def sync(self, connection):
        """What a sync said, asked for by root over the socket of another user."""
        remote = ("/usr/bin/tidemark", "--server", "unix:" + SOCKET)
        started = json.loads(run(*remote, "--json", "sync", "start", connection))
        return run(*remote, "sync", "watch", started["sync_id"])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        check(self.process.returncode == 0, f"tidemarkd did not end in order:\n{said}")
        check(not os.path.exists(SOCKET), "the socket stayed")


def inside(first, second):
    """In the root of its own."""
    version = run("dpkg-deb", "-f", first, "Version").strip()
    run("dpkg", "-i", first)
    group = pwd.getpwnam("tidemark").pw_gid
    check(pwd.getpwnam("tidemark").pw_shell.endswith("nologin"), "the user can log in")
    for path, bits in (("/etc/tidemark", 0o750), ("/etc/tidemark/connections", 0o750),
                       (CONFIG, 0o640)):
        check((mode(path), os.stat(path).st_uid, os.stat(path).st_gid) == (bits, 0, group), path)
    check(version.split("-")[0] in run("/usr/bin/tidemark", "version"), "another version answers")
    check("generator" in run("/usr/bin/tidemark", "plugins", "list"), "no connectors")
    # The administrator changes the configuration; it is the package's no longer.
    with open(CONFIG, encoding="utf-8") as file:
        text = file.read()
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(text.replace("127.0.0.1:9187", "127.0.0.1:0") + "# mine\n")
    with open(f"{CONNECTIONS}/rows.yaml", "w", encoding="utf-8") as file:
        file.write(ROWS)
    os.chmod(f"{CONNECTIONS}/rows.yaml", 0o644)
    server = RunningServer()
    check(", 100 inserted" in server.sync("rows"), "the first sync")
    server.stop()

    run("dpkg", "-i", second)
    check(run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "tidemark") ==
          f"{version}.1 installed", "the upgrade")
    with open(CONFIG, encoding="utf-8") as file:
        check(file.read().endswith("# mine\n"), "the upgrade took the configuration")
    server = RunningServer()
    check(", 0 inserted" in server.sync("rows"), "the upgrade lost the state")
    server.stop()

    run("dpkg", "-r", "tidemark")
    for name in PROGRAMS:
        check(not os.path.exists(f"/usr/bin/{name}"), f"{name} stayed")
    check(os.path.exists(CONFIG) and os.path.exists("/var/lib/tidemark/catalog.db"),
          "removing took configuration or state")
    run("dpkg", "-P", "tidemark")
    check(not os.path.exists("/etc/tidemark") and not os.path.exists("/var/lib/tidemark"),
          "purging left configuration or state")
    print("package_test: installed, ran, upgraded, ran, removed, purged")


# What makes the root of its own; $1: an empty folder, then the command.
ENTER = r"""
set -e
folder=$1; shift
mount -t tmpfs none "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/system"
layers="lowerdir=/,upperdir=$folder/upper,workdir=$folder/work"
mount -t overlay overlay -o "$layers" "$folder/system"
mount -t proc proc "$folder/system/proc"
mount --rbind /dev "$folder/system/dev"
mount -t tmpfs -o mode=755 none "$folder/system/run"
mount -t tmpfs -o mode=1777 none "$folder/system/tmp"
mkdir "$folder/system/tmp/package"
cp "$PACKAGES"/*.deb "$0" "$folder/system/tmp/package"
exec chroot "$folder/system" "$@"
"""


def main(arguments):
    if arguments[:1] == ["--inside"]:
        return inside(*arguments[1:])
    build = os.path.abspath(arguments[1])
    check(os.geteuid() == 0, "installing packages needs root; run the tests as root, as in CI")
    for program in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "unshare"):
        check(shutil.which(program), f"{program} is missing: .ci/prepare package")
    with tempfile.TemporaryDirectory(prefix="tidemark-package-") as folder:
        first, second = build_packages(build, folder)
        check_contents(first)
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        script = "/tmp/package/package_test.py"
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PACKAGES": folder,
                       "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER,
             os.path.abspath(__file__), empty, "/usr/bin/python3", script, "--inside",
             "/tmp/package/" + os.path.basename(first), "/tmp/package/" + os.path.basename(second)],
            env=environment, check=False, timeout=290)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
