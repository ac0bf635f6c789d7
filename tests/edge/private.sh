# Make a world of our own to measure in, then run "$@".  Run in new PID, mount, network,
# IPC and UTS namespaces; $1 names a cgroup that was made in every v1 hierarchy.
set -e
name=$1
shift
# The project itself may lie in one of the places that are covered now.
mount --bind . /mnt
# What others have mounted there goes when they remove its place: nothing of ours is lost.
awk '$5 ~ "^/(tmp|run|dev/shm)/" { print $5 }' /proc/self/mountinfo | sort -r |
  while read -r place; do umount -l "$place" || :; done
for place in /tmp /run /dev/shm; do mount -t tmpfs tmpfs $place; done
mkdir -p "$PWD" && mount --move /mnt "$PWD" && cd "$PWD"
ip link set lo up

# From here on the own cgroup looks like the top of its hierarchy: what others make beside
# it cannot be seen.  (In v2 a cgroup with processes cannot have limited children.)
hierarchies=$(awk '{ for (i = 1; $i != "-"; i++); if ($(i + 1) == "cgroup") print $5, $(i + 3) }' \
  /proc/self/mountinfo)
echo "$hierarchies" | while read -r place options; do
  [ -z "$place" ] || echo 0 >"$place/$name/tasks"
done
# The line above ran in a subshell of its own; this shell has to go in by itself.
for tasks in /sys/fs/cgroup/*/"$name"/tasks; do [ ! -e "$tasks" ] || echo $$ >"$tasks"; done
export hierarchies
exec unshare --cgroup sh -ec '
  echo "$hierarchies" | while read -r place options; do
    [ -n "$place" ] || continue
    umount "$place"
    mount -t cgroup -o "${options#rw,}" cgroup "$place"
  done
  # A v2 tree beside them is used by nobody in here, and shows what others make.
  [ -z "$hierarchies" ] || umount -a -t cgroup2
  unset hierarchies
  # Not exec: this shell is PID 1, and collects the orphans that end here.
  "$@"
  exit $?' sh "$@"
