#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
case "$1/$2" in
  00.1/shell)
    docker run --name c1 busybox sh -c 'echo 42 > /tmp/me' ;;
  00.1/two-steps)
    docker create --name c1 busybox sh -c 'echo 42 > /tmp/me'
    docker start --attach c1 ;;
  00.1/through-stdin)
    echo 42 | docker run -i --name c1 busybox tee /tmp/me ;;

  00.2/anew)
    docker rm -f web
    docker run -d --name web -p 8080:8080 web ;;
  00.2/create-and-start)
    docker rm -f web
    docker create --name web -p 127.0.0.1:8080:8080 web
    docker start web ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
