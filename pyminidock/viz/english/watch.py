"""Words about a program's files, watched on the kernel's own overlay."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

WATCH: Mapping[str, Words] = {
    "watch.began": (
        "From now on its files are watched, by {method}",
        "It runs at the kernel's own speed. Nobody sees: {unseen}.",
        "{method}: the kernel reports, or asks first while a gate is set {why}",
    ),
    "watch.ended": (
        "Nobody watches its files any more",
        "The watcher goes with the container's first process.",
        "the first process has ended",
    ),
    "watch.ended/lost": (
        "The watcher is gone; the program goes on unwatched",
        "The kernel lets everybody go on whose watcher has died; nobody stays held.",
        "the last descriptor of the watcher was closed",
    ),
    "files.missed": (
        "More happened to its files than could be told: {count} records are lost",
        "What is not read in time is dropped; the program is never slowed down for it.",
        "FAN_Q_OVERFLOW, or a directory that was gone when we asked for its name",
    ),
    "files.missed/uncounted": (
        "More happened to its files than could be told; nobody knows how much",
        "What is not read in time is dropped; the program is never slowed down for it.",
        "FAN_Q_OVERFLOW: the queue holds fs.fanotify.max_queued_events records",
    ),
    "call.noticed": (
        "{who} calls {call} for {path}",
        "Its own call waits until we have read the name; then the kernel performs it.",
        "{call}(2) by {who}[{pid}]: {given!r} → {path}",
    ),
    "call.noticed/two": (
        "{who} calls {call} for {path} and {to}",
        "Its own call waits until we have read the names; then the kernel performs it.",
        "{call}(2) by {who}[{pid}]: {path}, {to}",
    ),
    "file.noticed": (
        "{who} {deed} {path}",
        "The kernel reported it; which layer answered is worked out by the lookup.",
        "fanotify: {who}[{pid}] {deed} {path}",
    ),
    "file.noticed/renamed": (
        "{who} renamed {path} to {to}",
        "What lay in a layer below is copied up first, and a whiteout takes its old name.",
        "FAN_RENAME: {who}[{pid}] {path} → {to}",
    ),
    "file.noticed/given attributes": (
        "{who} gave {path} other attributes",
        "Owner, mode or times are changed in the upper layer; a file is copied up for it.",
        "FAN_ATTRIB: {who}[{pid}] {path}",
    ),
}
