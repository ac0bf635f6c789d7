#!/bin/sh
# Installs what the tests need from Debian, where we are root on Debian; elsewhere it names
# what is missing and goes on, except in CI, where nothing may be missing.
#
# Installing docker.io must not start Docker: a machine that reads this course may already
# run one, and a test machine has no use for a second.  Debian's own door for that is
# /usr/sbin/policy-rc.d: if it answers 101, no package starts its service.  We make it only
# where there is none, and remove what we made, whatever happens.
#
# Source: /usr/share/doc/init-system-helpers/README.policy-rc.d.gz
set -eu

packages="bubblewrap busybox-static ca-certificates chromium docker-cli docker-compose docker.io \
fonts-dejavu-core git graphviz iproute2 nftables \
python3 python3-venv gcc libc6-dev runc skopeo strace tmux umoci"
# The tests of Python's own library, which Debian keeps apart, for its default Python.
packages="$packages lib$(readlink /usr/bin/python3 || echo python3.13)-testsuite"
# The small virtual machine of tests/vm boots Debian's amd64 kernel.
[ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ] || packages="$packages qemu-system-x86"

missing=""
for package in $packages; do
    if ! dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
        grep -qx installed; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing for the full tests:$missing" >&2
    echo "  as root on Debian, make test installs them; without, edge and compat cannot run" >&2
    [ "${CI:-}" != true ] || exit 1
    exit 0
fi

echo "installing:$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # one word per package is the point
apt-get install -qq -y --no-install-recommends $missing </dev/null

# Where systemd runs, an installed service would start at the next boot all the same.
case "$missing" in *docker.io*)
    if [ -d /run/systemd/system ]; then
        systemctl disable docker.service docker.socket || true
    fi ;;
esac
