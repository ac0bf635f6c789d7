#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
case "$1/$2" in
  00.1/removed-at-once)
    docker run --rm --name c1 busybox sh -c 'echo 42 > /tmp/me' ;;
  00.1/another-number)
    docker run --name c1 busybox sh -c 'echo 43 > /tmp/me' ;;
  00.1/still-running)
    docker run -d --name c1 busybox sh -c 'echo 42 > /tmp/me; sleep 600' ;;
  00.1/another-place)
    docker run --name c1 busybox sh -c 'echo 42 > /me' ;;

  00.2/unchanged) ;;
  00.2/both-ways-round)
    docker rm -f web
    docker run -d --name web -p 8099:8080 web ;;
  00.2/a-second-one)
    docker run -d --name web2 -p 8080:8080 web ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
