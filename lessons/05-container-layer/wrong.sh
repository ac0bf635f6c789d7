#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
ended() { # NAME: wait until it has ended for good
  for _ in $(seq 100); do
    [ "$(docker inspect -f '{{.State.Status}}' "$1")" = exited ] && return
    sleep 0.1
  done
}
case "$1/$2" in
  05.1/restarted)
    echo 'cause: outside'
    docker restart -t 0 shelf ;;
  05.1/only-removed)
    echo 'cause: outside'
    docker rm -f shelf ;;
  05.1/another-cause)
    echo 'cause: restart'
    docker rm -f shelf
    docker run -d --name shelf memo ;;

  05.2/no-policy)
    docker run -d --name worker crash
    ended worker ;;
  05.2/two)
    docker run -d --name worker --restart=on-failure:2 crash
    ended worker ;;
  05.2/for-ever)
    docker run -d --name worker --restart=always crash
    sleep 0.5 ;;

  05.3/in-the-layer)
    docker run -d --name beat heart
    sleep 0.5 ;;
  05.3/nowhere-to-write)
    docker run -d --name beat --read-only heart ;;

  05.4/stopped)
    echo 'cause: policy'
    docker stop -t 0 report ;;
  05.4/unless-stopped)
    echo 'cause: policy'
    docker update --restart=unless-stopped report ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
