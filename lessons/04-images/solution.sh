#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
case "$1/$2" in
  04.1/tag)
    docker tag pen:2 pen
    docker tag pen:2 pen:stable ;;
  04.1/by-id)
    id=$(docker image inspect -f '{{.Id}}' pen:2)
    docker tag "$id" pen:latest
    docker tag pen:latest pen:stable ;;

  04.2/one-run)
    docker build -t stack - <<'END'
FROM busybox
RUN echo 1 > /one && echo 2 > /two
CMD ["cat", "/one", "/two"]
END
    ;;
  04.2/copy)
    docker build -t stack - <<'END'
FROM busybox
COPY <<ONE /one
1
ONE
COPY <<TWO /two
2
TWO
WORKDIR /tmp
CMD ["cat", "/one", "/two"]
END
    ;;
  04.2/two-runs)
    docker build -t stack - <<'END'
FROM busybox
ENV A=1
RUN echo 1 > /one
RUN echo 2 > /two
CMD ["cat", "/one", "/two"]
END
    ;;

  04.3/both-names)
    docker rmi film film:1 ;;
  04.3/one-by-one)
    docker image rm film:1
    docker image rm film:latest ;;

  04.4/by-version)
    echo 'cause: tag'
    docker rm -f till
    docker run -d --name till bank:2 ;;
  04.4/create-and-start)
    echo 'cause: tag'
    docker rm -f till
    docker create --name till bank:2
    docker start till ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
