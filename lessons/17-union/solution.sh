#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
case "$1/$2" in
  17.1/touch)
    docker exec scribe touch /note ;;
  17.1/chmod)
    docker exec scribe chmod 600 /note ;;
  17.1/append-nothing)
    docker exec scribe sh -c 'printf "" >> /note' ;;

  17.2/made-anew)
    docker exec attic sh -c 'rm -r /d && mkdir /d' ;;
  17.2/moved-there)
    docker exec attic sh -c 'mkdir /new && rm -r /d && mv /new /d' ;;

  17.3/thought)
    echo 'cause: marks-first' ;;
  17.3/counted)
    docker inspect rack > /dev/null
    echo 'cause: marks-first' ;;

  17.4/short-form)
    echo 'cause: copy-up'
    docker rm -f depot
    docker run -d --name depot -v store:/store depot
    sleep 0.5 ;;
  17.4/long-form)
    echo 'cause: copy-up'
    docker rm -f depot
    docker run -d --name depot --mount type=volume,src=store,dst=/store depot
    sleep 0.5 ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
