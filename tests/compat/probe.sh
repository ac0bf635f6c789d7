# What a container looks like from inside, in sections that tests/compat/observe.py reads.
#
# Runs as `busybox sh -c` on a static busybox, as the container's first process, and changes
# nothing: opening for append and making a directory ask the kernel for a write without doing
# one to anything that exists.  Everything is read of process $$, this shell; with --init
# that is not process 1.

section() { printf '@@ %s\n' "$*"; }

writable() {
    if [ -d "$1" ]; then said=$(mkdir "$1/probe" 2>&1) && rmdir "$1/probe"
    else said=$( (: >>"$1") 2>&1 )
    fi
    said=${said##*: }
    echo "${said:-yes}"
}

amount() {
    if [ -d "$1" ]; then ls -A "$1" | wc -l
    else head -c 64 "$1" 2>&1 | wc -c
    fi
}

describe() {
    for path; do
        if [ -e "$path" ]; then
            echo "$path $(stat -c '%a %u %g %t:%T %F' "$path")," \
                "$(amount "$path") inside, writable: $(writable "$path")"
        else
            echo "$path absent"
        fi
    done
}

contents() {
    cd "$1" && shift
    for name; do [ ! -e "$name" ] || echo "$name $(tr '\t\n' ' ,' <"$name")"; done
    cd "$OLDPWD" || exit
}

section descriptors
find /proc/$$/fd -type l -exec stat -c %N {} +  # this shell waits, with its own open only

section status  # without a fork: during one, all signals of this shell are blocked
while read -r line; do echo "$line"; done </proc/$$/status

for file in stat mountinfo limits cgroup; do section $file; cat /proc/$$/$file; done

section environ
tr '\0' '\n' </proc/$$/environ

section namespaces
for name in /proc/$$/ns/*; do echo "${name##*/} $(readlink "$name")"; done

section process
echo "cwd $(readlink /proc/$$/cwd)"
echo "umask $(umask)"
echo "hostname $(hostname)"
echo "oom_score_adj $(cat /proc/$$/oom_score_adj)"
echo "personality $(cat /proc/self/personality)"
echo "first $(tr '\0' ' ' </proc/1/cmdline | cut -c -30 | head -n 1)"
[ ! -t 0 ] || echo "terminal $(stty -a 2>&1 | tr '\n' ' ')"

section devices
find /dev -exec stat -c '%a %u %g %t:%T %F|%N' {} +

section masks
describe /proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats \
    /proc/timer_list /proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware \
    /sys/devices/virtual/powercap \
    /proc/bus /proc/fs /proc/irq /proc/irq/default_smp_affinity \
    /proc/sys /proc/sys/kernel/domainname /proc/sysrq-trigger

section paths
describe / /dev /dev/shm /etc/hosts /run /sys /sys/fs/cgroup /tmp

section sysctls
contents /proc/sys fs/mqueue/msg_max kernel/shmmax net/ipv4/ip_forward \
    net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range \
    net/ipv6/conf/all/disable_ipv6 net/ipv6/conf/lo/disable_ipv6

section budget
contents /sys/fs/cgroup cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us cpu/cpu.shares \
    cpuset/cpuset.cpus cpuset/cpuset.mems devices/devices.list \
    memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes \
    memory/memory.oom_control memory/memory.soft_limit_in_bytes memory/memory.swappiness \
    pids/pids.max cpu.max cpu.weight cpuset.cpus memory.high memory.low memory.max \
    memory.swap.max pids.max

section network
for link in /sys/class/net/*; do echo "${link##*/} $(cat "$link/flags")"; done
while read -r address _ prefix scope _ link; do
    echo "$link/$address $prefix $scope"
done </proc/net/if_inet6

section files
for path in /.dockerenv /etc/hostname /etc/hosts /etc/mtab /etc/resolv.conf; do
    echo "$path $(stat -c '%a %u %g %F %N' "$path" 2>&1)"
    case $path in
        */hosts | */resolv.conf) echo "$path: $(grep -v '^#' "$path" | tr '\t\n' ' ,')" ;;
    esac
done

section end
