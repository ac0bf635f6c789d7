#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
clerk() {
  docker build -t clerk - <<END
FROM busybox
RUN mkdir /data && chown 1000 /data
VOLUME /data
USER $1
CMD ["sh", "-c", "echo line >> /data/log && echo written"]
END
}
case "$1/$2" in
  06.3/unchanged) ;;

  06.1/one-for-all)
    docker run --rm -v guests:/book busybox \
      sh -c 'for n in 1 2 3; do hostname >> /book/n; done' ;;
  06.1/written-over)
    for _ in 1 2 3; do
      docker run --rm -v guests:/book busybox sh -c 'hostname > /book/n'
    done ;;
  06.1/in-the-layer)
    for n in 1 2 3; do
      docker run --name "g$n" busybox sh -c 'hostname >> /n'
    done ;;

  06.2/writable)
    mkdir src
    docker run -d --name page -v "$PWD/src:/src" busybox sleep 1000
    echo second > src/note ;;
  06.2/a-volume)
    docker run -d --name page -v src:/src busybox sleep 1000 ;;
  06.2/not-edited)
    mkdir src
    echo first > src/note
    docker run -d --name page -v "$PWD/src:/src:ro" busybox sleep 1000 ;;

  06.3/all-of-them)
    docker volume prune -a -f ;;

  06.4/old-volume)
    echo 'cause: owner'
    clerk 1000
    docker rm clerk1
    docker run --name clerk1 -v archive:/data clerk || true ;;
  06.4/as-root)
    echo 'cause: owner'
    clerk 0
    docker rm clerk1
    docker volume rm archive
    docker run --name clerk1 -v archive:/data clerk ;;
  06.4/cause-not-named)
    clerk 1000
    docker rm clerk1
    docker volume rm archive
    docker run --name clerk1 -v archive:/data clerk ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
