#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
ended() { # NAME: wait until it has ended for good
  for _ in $(seq 100); do
    [ "$(docker inspect -f '{{.State.Status}}' "$1")" = exited ] && return
    sleep 0.1
  done
}
case "$1/$2" in
  05.1/anew)
    echo 'cause: outside'
    docker rm -f shelf
    docker run -d --name shelf memo ;;
  05.1/create-and-start)
    echo 'cause: outside'
    docker rm -f shelf
    docker create --name shelf memo
    docker start shelf ;;

  05.2/at-once)
    docker run -d --name worker --restart=on-failure:3 crash
    ended worker ;;
  05.2/create-and-start)
    docker create --name worker --restart on-failure:3 crash
    docker start worker
    ended worker ;;

  05.3/memory)
    docker run -d --name beat --tmpfs /hb heart ;;
  05.3/read-only)
    docker run -d --name beat --read-only --mount type=tmpfs,dst=/hb heart ;;
  05.3/volume)
    docker run -d --name beat -v pulse:/hb heart ;;

  05.4/never)
    echo 'cause: policy'
    docker update --restart=no report
    ended report ;;
  05.4/on-failure)
    echo 'cause: policy'
    docker update --restart=on-failure:3 report
    ended report ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
