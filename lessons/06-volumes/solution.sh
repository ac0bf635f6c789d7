#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
clerk() {
  docker build -t clerk - <<'END'
FROM busybox
RUN mkdir /data && chown 1000 /data
VOLUME /data
USER 1000
CMD ["sh", "-c", "echo line >> /data/log && echo written"]
END
}
case "$1/$2" in
  06.1/short-form)
    for _ in 1 2 3; do
      docker run --rm -v guests:/book busybox sh -c 'hostname >> /book/n'
    done ;;
  06.1/long-form)
    for n in 1 2 3; do
      docker run --name "g$n" --mount type=volume,src=guests,dst=/x busybox \
        sh -c 'hostname >> /x/n'
    done ;;

  06.2/mount)
    mkdir src
    echo first > src/note
    docker run -d --name page --mount "type=bind,src=$PWD/src,dst=/src,readonly" \
      busybox sleep 1000
    echo second > src/note ;;
  06.2/short-form)
    mkdir src
    echo first > src/note
    docker run -d --name page -v "$PWD/src:/src:ro" busybox sleep 1000
    echo second > src/note ;;

  06.3/prune)
    docker volume prune -f ;;
  06.3/by-label)
    docker volume prune -f --filter label=com.docker.volume.anonymous ;;

  06.4/chown)
    echo 'cause: owner'
    clerk
    docker rm clerk1
    docker volume rm archive
    docker run --name clerk1 -v archive:/data clerk ;;
  06.4/copy-chown)
    echo 'cause: owner'
    docker build -t clerk - <<'END'
FROM busybox
COPY --chown=1000 <<'EMPTY' /data/.keep
EMPTY
RUN chown 1000 /data
VOLUME /data
USER 1000
CMD ["sh", "-c", "echo line >> /data/log && echo written"]
END
    docker rm clerk1
    docker volume rm archive
    docker run --name clerk1 --mount type=volume,src=archive,dst=/data clerk ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
