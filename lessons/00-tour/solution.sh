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
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
