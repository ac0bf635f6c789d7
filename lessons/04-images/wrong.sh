#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
case "$1/$2" in
  04.2/unchanged) ;;

  04.1/wrong-way-round)
    docker tag pen pen:2
    docker tag pen pen:stable ;;
  04.1/only-stable)
    docker tag pen:2 pen:stable ;;
  04.1/built-instead)
    docker tag pen:2 pen
    printf 'FROM pen:2\nLABEL stable=yes\n' | docker build -t pen:stable - ;;

  04.2/still-a-workdir)
    docker build -t stack - <<'END'
FROM busybox
RUN echo 1 > /one && echo 2 > /two
WORKDIR /data
RUN echo draft > draft
CMD ["cat", "/one", "/two"]
END
    ;;
  04.2/one-is-missing)
    docker build -t stack - <<'END'
FROM busybox
RUN echo 1 > /one
CMD ["cat", "/one", "/two"]
END
    ;;

  04.3/one-name-only)
    docker rmi film ;;
  04.3/the-wrong-ones)
    docker rmi film film:1 poster:old ;;

  04.4/restarted)
    echo 'cause: tag'
    docker restart -t 0 till ;;
  04.4/a-moving-name)
    echo 'cause: tag'
    docker tag bank:2 bank
    docker rm -f till
    docker run -d --name till bank ;;
  04.4/written-by-hand)
    echo 'cause: tag'
    docker exec till sh -c 'echo 2 > /version' ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
