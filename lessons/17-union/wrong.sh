#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
case "$1/$2" in
  17.1/only-read)
    docker exec scribe cat /note ;;
  17.1/written-over)
    docker exec scribe sh -c 'echo mine > /note' ;;

  17.2/emptied)
    docker exec attic sh -c 'rm -r /d/*' ;;
  17.2/removed)
    docker exec attic rm -r /d ;;

  17.3/as-overlayfs)
    echo 'cause: names-only' ;;
  17.3/from-the-ground)
    echo 'cause: bottom-up' ;;

  17.4/run-again)
    echo 'cause: copy-up'
    docker rm -f depot
    docker run -d --name depot depot ;;
  17.4/empty-place)
    echo 'cause: copy-up'
    docker rm -f depot
    docker run -d --name depot --tmpfs /store depot ;;
  17.4/another-cause)
    echo 'cause: cold'
    docker rm -f depot
    docker run -d --name depot -v store:/store depot
    sleep 0.5 ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
