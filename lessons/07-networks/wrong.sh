#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
tier() { # NETWORK NAME: one container of the image tier
  docker run -d --name "$2" --hostname "$2" --network "$1" tier
}
case "$1/$2" in
  07.5/unchanged | 07.6/unchanged | 07.7/unchanged | 07.8/unchanged | 07.9/unchanged) ;;

  07.1/for-everybody)
    docker run -d --name kiosk -p 0.0.0.0:8080:5000 poster ;;
  07.1/exposed)
    docker run -d --name kiosk --expose 8080 poster ;;
  07.1/wrong-inside)
    docker run -d --name kiosk -p 127.0.0.1:8080:80 poster ;;

  07.2/one-network)
    docker network create front
    for name in web api db; do tier front "$name"; done ;;
  07.2/default-network)
    for name in web api db; do tier bridge "$name"; done ;;
  07.2/nobody-between)
    docker network create front
    docker network create back
    tier front web
    tier front api
    tier back db ;;

  07.3/exposed-only)
    docker run -d --name many1 many ;;
  07.3/all-tcp)
    docker run -d --name many1 -p 7001 -p 7002 -p 7003 -p 7004 many ;;

  07.4/again-the-same)
    echo 'cause: loopback'
    docker rm -f shy1
    docker run -d --name shy1 -p 8081:5000 shy ;;
  07.4/wrong-cause)
    echo 'cause: no-listener'
    docker rm -f shy1
    docker run -d --name shy1 -p 8081:5000 shy httpd -f -p 5000 -h /www ;;

  07.5/another-port)
    echo 'cause: no-listener'
    docker rm -f desk1
    docker run -d --name desk1 -p 5000:5000 desk ;;

  07.6/wrong-cause)
    echo 'cause: none'
    docker network connect market buyer ;;

  07.7/only-one)
    echo 'cause: no-names'
    docker network create pair
    docker network connect pair left ;;

  07.8/no-port)
    echo 'cause: none'
    docker rm -f hermit1
    docker run -d --name hermit1 hermit ;;

  07.9/wrong-cause)
    echo 'cause: not-published'
    docker rm -f gate1
    docker run -d --name gate1 -p 8085:5000 gate ;;

  07.10/another-port)
    echo 'cause: not-published'
    docker rm -f note1
    docker run -d --name note1 -p 8096:5000 note ;;

  07.11/wrong-cause)
    echo 'cause: not-published'
    docker rm -f talk1
    docker run -d --name talk1 -p 8087:5000 talk ;;

  07.12/once-more)
    echo 'cause: stopped'
    docker start lamp1 ;;

  07.13/wrong-cause)
    echo 'cause: none'
    docker network connect bridge safe1 ;;
  07.13/another-vault)
    echo 'cause: internal'
    docker network create --internal hall
    docker network connect hall safe1 ;;

  07.14/throws-the-first-out)
    echo 'cause: taken'
    docker rm -f twin1 twin2
    docker run -d --name twin2 --hostname twin2 -p 8092:5000 twin ;;
  07.14/wrong-cause)
    echo 'cause: not-published'
    docker rm twin2
    docker run -d --name twin2 --hostname twin2 -p 8092:5000 twin ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
